import Foundation

/// What a session's log holds. A line that cannot be read costs itself alone.
public struct SessionContents: Sendable {
  /// What could be read, in the order of the log.
  public private(set) var entries: [SessionEntry] = []
  /// Lines that are damaged.
  public private(set) var lost = 0
  /// Entries of kinds that this program does not know. They stay in the log.
  public private(set) var unknown = 0
  /// The newest version that an entry is written in.
  public private(set) var newestVersion = 0

  /// Whether a newer program wrote in it: what it means by its entries is not known here.
  public var isNewer: Bool { newestVersion > SessionEntry.currentVersion }

  /// Whether anything was done in it.
  public var hasContent: Bool {
    unknown > 0 || entries.contains { if case .opened = $0.event { false } else { true } }
  }

  /// - Parameter data: lines of JSON; the last one needs no end.
  public init(_ data: Data) {
    let decoder = JSONDecoder()
    for line in data.split(separator: 10) {
      if let entry = try? decoder.decode(SessionEntry.self, from: line) {
        entries.append(entry)
        newestVersion = max(newestVersion, entry.version)
      } else if let other = try? decoder.decode(UnknownEntry.self, from: line), other.isOfAnotherProgram {
        unknown += 1
        newestVersion = max(newestVersion, other.version)
      } else {
        lost += 1
      }
    }
  }
}

/// A whole entry whose event means nothing here.
private struct UnknownEntry: Decodable {
  var version: Int
  var time: Double
  /// Kinds, of which there is one.
  var event: [String: Anything]

  /// An event of a kind that is known here is damaged where it cannot be read, unless a newer program wrote it.
  var isOfAnotherProgram: Bool {
    version > SessionEntry.currentVersion
      || event.count == 1 && event.keys.allSatisfy { !SessionEvent.kinds.contains($0) }
  }

  struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
  }
}

extension SessionEvent {
  /// What kinds are called in a log.
  fileprivate static let kinds: Set<String> = [
    "opened", "renamed", "asked", "answered", "drawingAsked", "drawn", "failed", "cancelled", "note",
    "attached",
    "starred", "undone",
  ]
}

extension [SessionEntry] {
  /// What a person sees of a session: without requests that were undone and what came of them.
  public var shown: [SessionEntry] {
    var kept: [SessionEntry?] = self, places: [Int: [Int]] = [:]
    for (i, entry) in enumerated() {
      guard let request = entry.event.request else { continue }
      places[request, default: []].append(i)
      guard case .undone = entry.event else { continue }
      for place in places.removeValue(forKey: request) ?? [] { kept[place] = nil }
    }
    return kept.compactMap(\.self)
  }
}
