import Foundation

/// Files of a folder that a command leaves alone, counted by their endings.
public struct OtherFiles: Sendable, Equatable {
  private var counts: [String: Int] = [:]

  /// Of none so far.
  public init() {}

  /// How many they are.
  public var count: Int { counts.values.reduce(0, +) }

  /// Counts one more, by its path.
  public mutating func add(_ name: String) {
    let last = FileName.last(of: name), dot = last.lastIndex(of: ".")
    let ending = dot.map { last[$0...].lowercased() } ?? ""
    counts[ending.count > 1 && dot != last.startIndex ? ending : "", default: 0] += 1
  }

  /// "12 files of other kinds skipped: 10 .txt, 2 .pdf"; nil where there are none.
  public var line: String? {
    guard count > 0 else { return nil }
    let order = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let kinds = order.prefix(Self.mostKinds).map { ending, count in
      "\(count) \(ending.isEmpty ? "without an ending" : ending)"
    }
    return "\(count) \(count == 1 ? "file" : "files") of other kinds skipped: "
      + kinds.joined(separator: ", ") + (order.count > kinds.count ? ", …" : "")
  }

  private static let mostKinds = 6
}
