import Requests
import SessionLog

/// What had not ended when the session was left.
extension StudioState {
  /// Whether the model works that it was asked of, as far as that is known.
  var isUnfinishedModel: Bool {
    guard let own = conversation.unfinishedModel else { return true }
    guard case .ready(let name, _, _, _) = work.model else { return false }
    return own.hash.isEmpty || work.modelHash.isEmpty ? own.name == name : own.hash == work.modelHash
  }

  /// It is asked again, of its own model where that is found; nil for nothing of that kind.
  mutating func askUnfinished() -> [Effect]? {
    let left = conversation.unfinished
    guard !left.isEmpty, !conversation.isReadOnly, conversation.replay == nil else { return nil }
    if let own = conversation.unfinishedModel, !conversation.lacksUnfinishedModel, left[0].model == nil {
      // Whether it is the one is seen then.
      guard work.model != .loading else {
        conversation.retriesUnfinished = true
        say("\(conversation.promptsLeft == 1 ? "it is" : "they are") asked again when the model is there")
        return []
      }
      guard isUnfinishedModel, work.modelChanges.isEmpty else { return [.findModel(own)] }
    }
    // Those behind another model are for that.
    guard work.canDraw || !left.prefix(while: { $0.model == nil }).contains(where: \.job.isDrawing) else {
      return fail(cannotDraw)
    }
    return askUnfinished(of: nil)
  }

  /// - Parameter model: the folder of one that is to be loaded for it; nil for the one that is there.
  private mutating func askUnfinished(of model: String?) -> [Effect] {
    let left = conversation.unfinished, jobs = left.map(\.job)
    (conversation.unfinished, conversation.unfinishedModel) = ([], nil)
    conversation.lacksUnfinishedModel = false
    jobs.forEach { conversation.noteAsked($0) }
    var models = Left.changes(left)
    if let model, let first = jobs.first { models[first.id] = model }
    askAgain(jobs, models: models)
    return [.record(.unqueued(jobs.map(\.id)))] + startNext()
  }

  /// The model of which it was asked is found, or is not here: the one that works is asked where a person says so again.
  mutating func take(_ model: RecordedModel, in folder: String?) -> [Effect] {
    guard model == conversation.unfinishedModel, !conversation.unfinished.isEmpty,
      !conversation.isReadOnly, conversation.replay == nil
    else { return [] }
    if isUnfinishedModel, work.modelChanges.isEmpty { return askUnfinished(of: nil) }
    if let folder { return askUnfinished(of: folder) }
    conversation.lacksUnfinishedModel = true
    return fail(
      "the model \(Vocabulary.shown(model.name)) is not found here; /retry again asks \(modelName), /model loads another"
    )
  }

  /// A model is there, or is not, for which `/retry` waited.
  mutating func retryWhereWanted() -> [Effect] {
    guard conversation.retriesUnfinished else { return [] }
    conversation.retriesUnfinished = false
    return askUnfinished() ?? []
  }

  /// Nobody wants what was left.
  mutating func dropUnfinished() -> [Effect] {
    let left = conversation.unfinished, count = conversation.promptsLeft
    conversation.undone.append(.requests([], again: [], left: left))
    (conversation.unfinished, conversation.retriesUnfinished) = ([], false)
    say("dropped \(Format.number(count, "request")); /redo brings \(count == 1 ? "it" : "them") back")
    return [.record(.unqueued(left.map(\.job.id)))]
  }
}
