import Foundation

/// Text search over all sessions, straight through their logs.
public struct SessionSearch: Sendable {
  public struct Hit: Codable, Sendable, Equatable {
    public var id, title, text: String
    public var time: Double
  }

  private let store: SessionStore

  public init(_ store: SessionStore) { self.store = store }

  /// Entries that hold every word, the newest session first.
  public func find(_ text: String, most: Int = 100) -> [Hit] {
    let words = text.lowercased().split(separator: " ").map(String.init)
    guard !words.isEmpty else { return [] }
    var hits: [Hit] = []
    for id in store.ids() {
      guard let entries = try? store.read(id).entries, let summary = try? store.summary(of: id) else {
        continue
      }
      for entry in entries {
        guard let said = entry.event.text, words.allSatisfy(said.lowercased().contains) else { continue }
        hits.append(Hit(id: id, title: summary.title, text: said, time: entry.time))
        if hits.count >= most { return hits }
      }
    }
    return hits
  }
}

extension SessionEvent {
  /// What of it can be searched.
  public var text: String? {
    switch self {
    case .renamed(let text), .asked(_, let text, _, _), .answered(_, let text, _, _, _), .note(let text): text
    case .drawingAsked(_, let settings, _, _): settings.prompt
    case .attached(_, let name): name
    default: nil
    }
  }
}
