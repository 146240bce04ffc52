import Foundation

/// The memory of this machine, or of the part of it that this process may use.
public enum SystemMemory {
  /// Bytes that new work may take without anything being written out: what the kernel calls available, and no more
  /// than a container's limit leaves. `nil` where the system does not say.
  public static var availableBytes: Int? {
    let machine = number(in: text("/proc/meminfo"), after: "MemAvailable:").map { $0 << 10 }
    let container = containerBytes()
    return [machine, container].compactMap { $0 }.min()
  }

  private static func containerBytes() -> Int? {
    guard let most = number(in: text("/sys/fs/cgroup/memory.max"), after: ""),
      let used = number(in: text("/sys/fs/cgroup/memory.current"), after: "")
    else { return nil }
    return max(0, most - used)
  }

  private static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }

  /// The first whole number behind `name` at the start of a line.
  private static func number(in text: String, after name: String) -> Int? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
    return line.dropFirst(name.count).split(separator: " ").first.flatMap { Int($0) }
  }
}
