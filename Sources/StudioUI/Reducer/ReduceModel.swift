import Frames
import Requests

extension StudioState {
  mutating func takeModel(_ action: Action) -> [Effect] {
    switch action {
    case .modelReady(let name, let parameters, let bytes, let canDraw, let hash):
      work.model = .ready(name: name, parameters: parameters, bytes: bytes, canDraw: canDraw)
      (work.modelBefore, work.talk, work.modelHash) = (nil, [], hash)
      // The log has it as the one that works.
      if work.loadingModel != nil, let taken = work.logged.firstIndex(where: { $0.request == nil }) {
        work.logged.remove(at: taken)
      }
      work.loadingModel = nil
      if !canDraw {
        prompt.asksForWant = prompt.asksForWant || prompt.mode == .imagine
        prompt.mode = .ask
        dropDrawings()
      } else if prompt.asksForWant {
        (prompt.mode, prompt.asksForWant) = (.imagine, false)
      }
      return retryWhereWanted() + startNext()
    case .vocabularyKnown(let vocabulary): self.vocabulary = vocabulary
    case .modelFailed(let reason):
      work.loadingModel = nil
      guard let before = work.modelBefore else {
        work.model = .failed(reason)
        return fail(reason) + retryWhereWanted() + startNext()
      }
      (work.model, work.modelBefore) = (before, nil)
      return fail("\(reason); \(modelName) stays") + retryWhereWanted() + startNext()
    case .modelUnfit(let folder, let reason): return dropChange(to: folder, reason)
    case .modelFound(let model, let folder): return take(model, in: folder)
    default: break
    }
    return []
  }

  /// Another model: behind what was asked of the one that is there, at once where that is nothing.
  mutating func change(model folder: String) -> [Effect] {
    if case .failed = work.model { return load(folder) }
    guard work.isBusy || work.critique != nil || !work.modelChanges.isEmpty else { return load(folder) }
    // Where nothing was asked since another one was wanted, that one is wanted no more.
    if let last = work.modelChanges.last, last.first == work.nextRequest { work.modelChanges.removeLast() }
    work.modelChanges.append(ModelChange(folder: folder, first: work.nextRequest))
    let count = work.requestCount
    let rest = count == 1 ? "the request before it is" : "the \(count) requests before it are"
    say("\(Vocabulary.shown(folder)) is loaded when \(rest) done; /stop all drops what waits")
    return [.checkModel(folder)]
  }

  /// One that cannot be loaded is not waited for.
  private mutating func dropChange(to folder: String, _ reason: String) -> [Effect] {
    guard work.modelChanges.last?.folder == folder else { return [] }
    work.modelChanges.removeLast()
    return fail(reason) + startNext()
  }

  private mutating func load(_ folder: String) -> [Effect] {
    if case .ready = work.model { work.modelBefore = work.model }
    (work.model, work.loadingModel) = (.loading, folder)
    return [.loadModel(folder)]
  }

  /// The next model takes over, where its turn has come.
  mutating func loadNext() -> [Effect] {
    work.changesModel ? load(work.modelChanges.removeFirst().folder) : []
  }

  /// Drawings that waited for a model that, as is known now, cannot draw.
  private mutating func dropDrawings() {
    let drawings = work.queue.filter { $0.isDrawing && work.isOfThisModel($0) }
    work.sliderDue = nil
    guard let first = drawings.first else { return }
    conversation.undone.append(.jobs(drawings))
    work.queue.removeAll { drawings.contains($0) }
    let isOne = drawings.count == 1
    let others = isOne ? "" : " and \(drawings.count - 1) more"
    let what = "'\(TextWidth.fitted(first.text.oneRow, 30))'" + others
    _ = fail(
      "\(cannotDraw); \(what) \(isOne ? "is" : "are") out of the queue: with a model that draws, /redo puts "
        + "\(isOne ? "it" : "them") back")
  }

  /// What keeps this model from drawing.
  var cannotDraw: String { "\(modelName) cannot draw; /model lists others" }
}
