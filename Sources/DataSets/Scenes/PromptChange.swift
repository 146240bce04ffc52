/// One thing in a scene's prompt made wrong, all else as it is.
public enum PromptChange: String, CaseIterable, Sendable {
  case otherThings = "other things"
  case oneMore = "one more in number"
  case coloursExchanged = "colours exchanged"
  case thingsExchanged = "things exchanged"
}

extension SceneComposer {
  /// The scene's caption with one thing in it made wrong; nil where a scene of this kind has no such thing.
  public func caption(of record: SceneRecord, changed change: PromptChange) -> String? {
    switch change {
    case .otherThings: return withOtherThings(record).rewritten
    case .oneMore:
      guard record.kind == .count else { return nil }
      return record.asked(beforeFault: .oneMissing)?.rewritten
    case .coloursExchanged: return record.asked(beforeFault: .coloursExchanged)?.rewritten
    case .thingsExchanged: return record.asked(beforeFault: .orderSwapped)?.rewritten
    }
  }

  /// Each thing becomes one of another class, of the same colour.
  private func withOtherThings(_ record: SceneRecord) -> SceneRecord {
    var changed = record, random = SceneRandom(seed: seed ^ 0x9E37, split: record.split, index: record.index)
    var taken = Set(record.objects.map(\.name)), others: [String: ObjectBank.Entry] = [:]
    for i in changed.objects.indices {
      let name = changed.objects[i].name
      if others[name] == nil {
        let free = bank.entries.filter { !taken.contains($0.kind.name) }
        guard !free.isEmpty else { return record }
        let other = random.pick(free)
        taken.insert(other.kind.name)
        others[name] = other
      }
      guard let kind = others[name]?.kind else { continue }
      changed.objects[i].name = kind.name
      changed.objects[i].singular = English.singular(name: kind.name, plural: kind.plural)
      changed.objects[i].plural = kind.plural
    }
    return changed
  }
}

extension SceneRecord {
  /// The caption of what the record says now.
  fileprivate var rewritten: String { "\(SceneText.subject(of: self)) on \(background.phrase)" }
}
