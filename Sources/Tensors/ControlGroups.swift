/// What groups of processes, such as containers, leave to this process of their memory.
package struct ControlGroups {
  /// A group's folder, and the names of its files.
  private struct Group {
    let folder, most, used, cache: String
  }

  private let groups: [Group]

  /// - Parameters:
  ///   - membership: as `/proc/self/cgroup` has it.
  ///   - root: where the groups are.
  package init(membership: String, root: String = "/sys/fs/cgroup") {
    groups = membership.split(separator: "\n").flatMap { line -> [Group] in
      // "0::/user.slice/…", or, of the first version, "7:memory:/…".
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      if parts[0] == "0", parts[1].isEmpty {
        return Self.folders(parts[2], in: root).map {
          Group(folder: $0, most: "memory.max", used: "memory.current", cache: "inactive_file")
        }
      }
      guard parts[1].split(separator: ",").contains("memory") else { return [] }
      return Self.folders(parts[2], in: root + "/memory").map {
        Group(
          folder: $0, most: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
          cache: "total_inactive_file")
      }
    }
  }

  /// A group's folder and those above. In a container the path may be the machine's: its own group lies at the root.
  private static func folders(_ path: Substring, in root: String) -> [String] {
    let parts = path.split(separator: "/").filter { $0 != ".." }.map(String.init)
    return (0...parts.count).reversed().map { ([root] + parts.prefix($0)).joined(separator: "/") }
  }

  /// What the tightest limit leaves; nil where there is none. What a group keeps of files can go.
  package var roomBytes: Int? {
    groups.compactMap { group in
      func number(_ file: String, after name: String = "") -> Int? {
        SystemMemory.number(in: SystemMemory.text("\(group.folder)/\(file)"), after: name)
      }
      guard let most = number(group.most), let used = number(group.used) else { return nil }
      let cache = number("memory.stat", after: group.cache + " ") ?? 0
      return max(0, most - max(0, used - cache))
    }.min()
  }
}
