import CNCurses
import Foundation

/// Descriptions of terminals with 24 bits of colour. Where the terminal says that it has them (`COLORTERM`) and no such
/// description is installed, which is the rule, one is made of its own by `tic` and kept among the caches.
enum DirectColours {
  /// The description's name; nil where there is none and none can be made.
  static func description(of term: String, _ environment: [String: String]) -> String? {
    let installed = term.replacingOccurrences(of: "-256color", with: "") + "-direct"
    if vt_knows(installed) { return installed }
    let isPlain = term.utf8.allSatisfy { c in
      (48...57).contains(c) || (65...90).contains(c) || (97...122).contains(c) || "+-._".utf8.contains(c)
    }
    guard isPlain, !term.isEmpty, let folder = folder(environment) else { return nil }
    let name = "vugen-\(term)-direct", others = environment["TERMINFO_DIRS"] ?? ""
    // ncurses keeps which of the folders are there when it looks first.
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    setenv("TERMINFO_DIRS", "\(folder):\(others)", 1)
    if vt_knows(name) || make(name, of: term, in: folder) && vt_knows(name) { return name }
    forget(environment)
    return nil
  }

  /// Other programs find their descriptions as before.
  static func forget(_ environment: [String: String]) {
    if let before = environment["TERMINFO_DIRS"] {
      setenv("TERMINFO_DIRS", before, 1)
    } else {
      unsetenv("TERMINFO_DIRS")
    }
  }

  private static func folder(_ environment: [String: String]) -> String? {
    let cache = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.cache" : nil }
    return (cache ?? home).map { $0 + "/vugen/terminfo" }
  }

  /// The terminal's own description with other colours.
  private static func make(_ name: String, of term: String, in folder: String) -> Bool {
    let parts = #"%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%dm"#
    let source = """
      \(name)|\(term) with direct colours,
      \tRGB, ccc@, colors#0x1000000, pairs#0x7FFF, initc@, initp@, oc@, ncv@,
      \tsetaf=\\E[38;2;\(parts), setab=\\E[48;2;\(parts), setf@, setb@,
      \tuse=\(term),

      """
    let path = "\(folder)/\(getpid()).ti"
    defer { unlink(path) }
    do {
      try source.write(toFile: path, atomically: false, encoding: .utf8)
      let tic = Process()
      tic.executableURL = URL(fileURLWithPath: "/usr/bin/tic")
      tic.arguments = ["-x", "-o", folder, path]
      (tic.standardOutput, tic.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try tic.run()
      tic.waitUntilExit()
      return tic.terminationStatus == 0
    } catch {
      // 256 colours, then.
      return false
    }
  }
}
