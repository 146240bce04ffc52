import Foundation

/// File locations, by the XDG base directory rules. Values that are not absolute are ignored, as those demand.
public enum Paths {
  /// What a person made and wants to keep: `$XDG_DATA_HOME`, or `~/.local/share`.
  public static func data(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
    folder("XDG_DATA_HOME", ".local/share", environment)
  }

  /// Settings: `$XDG_CONFIG_HOME`, or `~/.config`.
  public static func configuration(_ environment: [String: String] = ProcessInfo.processInfo.environment)
    -> String
  {
    folder("XDG_CONFIG_HOME", ".config", environment)
  }

  /// History and logs.
  public static func state(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
    folder("XDG_STATE_HOME", ".local/state", environment)
  }

  /// What can be made or fetched again: `$XDG_CACHE_HOME`, or `~/.cache`.
  public static func cache(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
    folder("XDG_CACHE_HOME", ".cache", environment)
  }

  /// Without HOME, the one that the system keeps of the user.
  public static func home(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
    if let value = environment["HOME"], value.hasPrefix("/") { return value }
    if let entry = getpwuid(getuid()), let folder = entry.pointee.pw_dir {
      let home = String(cString: folder)
      if home.hasPrefix("/") { return home }
    }
    return NSTemporaryDirectory() + "vugen-\(getuid())"
  }

  private static func folder(_ name: String, _ fallback: String, _ environment: [String: String]) -> String {
    if let value = environment[name], value.hasPrefix("/") { return value + "/vugen" }
    return home(environment) + "/\(fallback)/vugen"
  }
}
