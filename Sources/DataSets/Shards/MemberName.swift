/// A member's name in WebDataset's way.
struct MemberName {
  /// Folders, and the file's name up to its first dot.
  let key: [UInt8]
  /// What follows that dot, in lower case.
  let ending: [UInt8]

  /// nil for what is no part of a sample: a name without a dot, or one that begins with it.
  init?(_ name: [UInt8]) {
    let dot = UInt8(ascii: "."), base = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    guard let first = name[base...].firstIndex(of: dot), first > base, first + 1 < name.count else {
      return nil
    }
    key = Array(name[..<first])
    ending = name[(first + 1)...].map { (65...90).contains($0) ? $0 + 32 : $0 }
  }

  /// Whether there is more than one dot.
  var isDotted: Bool { ending.contains(UInt8(ascii: ".")) }
  /// What follows the last dot.
  var type: String { String(decoding: ending.split(separator: UInt8(ascii: ".")).last ?? [], as: UTF8.self) }
}
