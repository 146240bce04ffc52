import Foundation

/// The memory of this machine, or of the part of it that this process may use.
public enum SystemMemory {
  /// Bytes that new work may take without anything being written out: what the kernel calls available, and no more
  /// than a container's limit leaves. `nil` where the system does not say.
  public static var availableBytes: Int? {
    let machine = number(in: text("/proc/meminfo"), after: "MemAvailable:").map { $0 << 10 }
    return [machine, ControlGroups(membership: text("/proc/self/cgroup")).roomBytes].compactMap { $0 }.min()
  }

  /// The same, and no more than the limits of this process leave (`ulimit -v`, `ulimit -d`).
  public static var roomBytes: Int? {
    [availableBytes, rest(of: RLIMIT_AS, 0), rest(of: RLIMIT_DATA, 5)].compactMap { $0 }.min()
  }

  /// The most memory that this process ever held, in bytes; nil where the system does not say.
  public static var peakBytes: Int? { own("VmHWM:") }

  /// What this process has in memory now, in bytes; nil where the system does not say.
  public static var residentBytes: Int? { own("VmRSS:") }

  /// The same without the pages of files, which the system counts among those that are available; nil where it does not
  /// say.
  public static var ownBytes: Int? { own("RssAnon:") }

  private static func own(_ name: String) -> Int? {
    number(in: text("/proc/self/status"), after: name).map { $0 << 10 }
  }

  /// What a limit leaves; nil where there is none.
  ///
  /// - Parameter field: of `/proc/self/statm`, which counts what is in use.
  private static func rest(of limit: __rlimit_resource, _ field: Int) -> Int? {
    var most = rlimit()
    guard getrlimit(Int32(limit.rawValue), &most) == 0, most.rlim_cur < UInt(Int.max) else { return nil }
    let pages = text("/proc/self/statm").split(separator: " ").compactMap { Int($0) }
    guard pages.indices.contains(field) else { return nil }
    return max(0, Int(most.rlim_cur) - pages[field] * Int(getpagesize()))
  }

  /// Throws `Shortage` where there is no room, before the work begins: libraries crash where they get none, and the
  /// system ends what takes too much without a word.
  ///
  /// - Parameters:
  ///   - bytes: that will be written.
  ///   - mapped: bytes of files beside them, which are read and need not stay.
  ///   - what: needs them, such as "this model".
  public static func check(_ bytes: Int, mapped: Int = 0, for what: String) throws {
    func check(_ needed: Int, _ room: Int?) throws {
      if let room, needed > room { throw Shortage(what: what, needed: needed, room: room) }
    }
    try check(bytes + mapped, rest(of: RLIMIT_AS, 0))
    try check(bytes, rest(of: RLIMIT_DATA, 5))
    try check(bytes, availableBytes)
  }

  /// Less memory than is needed.
  public struct Shortage: Error, CustomStringConvertible, Equatable {
    /// What there is no room for.
    public let what: String
    /// In bytes.
    public let needed, room: Int

    public var description: String {
      "not enough memory: \(what) needs about \(Self.megabytes(needed)) MB more, and \(room / 1_000_000) MB may be used here; close other programs, raise the limit (ulimit -v, or the container's), or take a smaller model"
    }

    private static func megabytes(_ bytes: Int) -> Int { (bytes + 999_999) / 1_000_000 }
  }

  static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }

  /// The first whole number behind `name` at the start of a line.
  static func number(in text: String, after name: String) -> Int? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
    return line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }
}
