import Requests
import SessionLog

extension WorkState {
  /// What waits: a request, all that still waits of a sweep, or a model.
  struct Waiting: Equatable {
    var ids: [Int]
    var title, detail: String
    var model: ModelChange?

    /// What a list knows it by.
    var value: String { model.map { "model \($0.first)" } ?? "\(ids[0])" }
  }

  var waiting: [Waiting] {
    var groups: [Waiting] = [], sweeps: [Int: Int] = [:]
    for job in queue {
      if let sweep = job.options.sweep {
        if let at = sweeps[sweep] {
          groups[at].ids.append(job.id)
          groups[at].title = "sweep of \(job.text), \(groups[at].ids.count) pictures"
          continue
        }
        sweeps[sweep] = groups.count
      }
      groups.append(
        Waiting(
          ids: [job.id], title: job.options.sweep == nil ? job.text : "sweep of \(job.text), 1 picture",
          detail: job.detail))
    }
    return groups
  }

  /// The same with the models that take over between them.
  var lines: [Waiting] {
    var rest = waiting, lines: [Waiting] = []
    for change in modelChanges {
      lines += rest.filter { $0.ids[0] < change.first }
      rest.removeAll { $0.ids[0] < change.first }
      lines.append(
        Waiting(
          ids: [], title: "model \(Vocabulary.shown(change.folder))", detail: "takes over then",
          model: change))
    }
    return lines + rest
  }

  /// Something that a log has as waiting.
  enum Noted: Equatable {
    case request(Int)
    case model(String)

    var request: Int? { if case .request(let id) = self { id } else { nil } }
  }

  /// All that waits, in order.
  var noted: [Noted] {
    var rest = queue, noted = [loadingModel.map(Noted.model)].compactMap(\.self)
    for change in modelChanges {
      noted += rest.filter { $0.id < change.first }.map { .request($0.id) }
      rest.removeAll { $0.id < change.first }
      noted.append(.model(change.folder))
    }
    return noted + rest.map { .request($0.id) }
  }

  /// What runs and waits, a sweep as one.
  var requestCount: Int {
    let waits = waiting
    guard let running else { return waits.count }
    let sweep = running.job.options.sweep
    let goesOn = sweep != nil && queue.contains { $0.options.sweep == sweep }
    return waits.count + (goesOn ? 0 : 1)
  }

  /// Whether a stop was asked for a moment ago, so that another one means all.
  func isStopping(at now: Double) -> Bool {
    isBusy && (running?.isCancelling == true || stoppedAt.map { now - $0 < 1 } ?? false)
  }
}

extension Job {
  fileprivate var detail: String {
    guard case .imagine(let settings, let count, _) = request else { return "question" }
    return
      "draw\(count > 1 ? " \(count)" : "") · seed \(settings.seed) · guidance \(Format.scale(settings.guidanceScale))"
  }
}

extension StudioState {
  /// The session's log knows what waits: whatever was sent is in it, though the studio be killed.
  mutating func noteQueue() -> [Effect] {
    // What begins in a moment does not wait; what is meant for another session is nothing of this one.
    guard work.isBusy || !work.logged.isEmpty, !conversation.isReadOnly, work.leaving?.due == nil,
      !work.startsNext
    else { return [] }
    let known = work.logged, waits = work.noted
    work.logged = waits
    let kept = known.filter(waits.contains), running = work.running?.id
    let gone = known.filter { !waits.contains($0) && ($0.request == nil || $0.request != running) }
    let isTaken = !gone.isEmpty && (gone + kept).contains { $0.request == nil }
    // In another order, or with other models: all of it is said anew.
    let isAnew = isTaken || !waits.starts(with: kept)
    let taken = (isAnew ? kept + gone : gone).compactMap(\.request)
    let new = (isAnew ? waits[...] : waits.dropFirst(kept.count)).compactMap(event)
    return (isAnew || !taken.isEmpty ? [.record(.unqueued(taken))] : [])
      + (new.isEmpty ? [] : [.record(.queued(new))])
  }

  /// As the log has it.
  private func event(_ noted: WorkState.Noted) -> SessionEvent? {
    switch noted {
    case .model(let folder): .wanted(folder)
    case .request(let id): work.queue.first { $0.id == id }?.began
    }
  }

  /// All that waits goes; what runs goes on.
  mutating func dropQueue() -> [Effect] {
    guard !work.lines.isEmpty else { return fail("the queue is empty") }
    let (told, effects) = emptyQueue()
    say(told)
    return effects
  }

  /// Returns what went, in words, and what the log is to know of it.
  private mutating func emptyQueue() -> (told: String, effects: [Effect]) {
    let count = work.waiting.count, them = count == 1 ? "it" : "them"
    let models = work.modelChanges.map { "\(Vocabulary.shown($0.folder)) is not loaded" }
    var lines: [String] = [], effects: [Effect] = []
    if count > 0 {
      lines = ["removed \(Format.number(count, "request")) from the queue; /redo puts \(them) back"]
      effects = takeOut(work.queue.map(\.id))
    }
    (work.queue, work.modelChanges) = ([], [])
    return ((lines + models).joined(separator: "\n"), effects)
  }

  /// Nothing runs or waits any more, and nothing follows.
  mutating func stopAll() -> [Effect] {
    guard work.isBusy || work.sliderDue != nil || work.critique != nil || !work.modelChanges.isEmpty else {
      let left = conversation.unfinished
      guard left.isEmpty || conversation.isReadOnly || conversation.replay != nil else {
        return dropUnfinished()
      }
      return fail("nothing is running")
    }
    let (dropped, taken) = emptyQueue()
    (work.sliderDue, work.critique) = (nil, nil)
    let effects = work.running?.isCancelling == false ? cancelRunning(discarding: false) : []
    say("stopped everything" + (dropped.isEmpty ? "" : "\n" + dropped))
    return effects + taken
  }

  // MARK: The list of what waits

  mutating func openQueue() -> [Effect] {
    guard !work.lines.isEmpty else { return fail("the queue is empty") }
    overlays.lay(.list(ListOverlay(.queue, "Queue: the first line is next", [])))
    refreshQueue()
    return []
  }

  /// The list follows the queue.
  mutating func refreshQueue() {
    guard case .list(var list) = overlays.top, list.purpose == .queue else { return }
    let choices = work.lines.map { Choice(title: $0.title.oneRow, detail: $0.detail, value: $0.value) }
    guard choices != list.choices else { return }
    // An empty one stays: an Esc that was meant to close it would stop what runs.
    let selected = list.shown.indices.contains(list.selected) ? list.shown[list.selected].value : nil
    list.choices = choices
    list.select(list.shown.firstIndex { $0.value == selected } ?? list.selected)
    overlays.top = .list(list)
  }

  private func group(_ value: String) -> WorkState.Waiting? {
    work.lines.first { $0.value == value }
  }

  /// What waits is taken out of the queue. The log knows that it can be brought back.
  private mutating func takeOut(_ ids: [Int]) -> [Effect] {
    let jobs = work.queue.filter { ids.contains($0.id) }
    conversation.undone.append(.jobs(jobs))
    work.queue.removeAll { ids.contains($0.id) }
    return jobs.map { .record(.undone(request: $0.id)) }
  }

  mutating func removeWaiting(_ choice: Choice) -> [Effect] {
    guard let group = group(choice.value) else { return [] }
    if let model = group.model {
      work.modelChanges.removeAll { $0 == model }
      say("\(Vocabulary.shown(model.folder)) is not loaded")
      return startNext()
    }
    say("removed '\(choice.title)' from the queue; /redo puts it back")
    return takeOut(group.ids)
  }

  /// It is written anew.
  mutating func editWaiting(_ choice: Choice) -> [Effect] {
    guard let group = group(choice.value) else { return [] }
    if let model = group.model {
      work.modelChanges.removeAll { $0 == model }
      let kept = keepDraft()
      prompt.editor.set("/model \(model.folder)")
      overlays.top = nil
      return kept + startNext()
    }
    guard let job = work.queue.first(where: { $0.id == group.ids[0] }) else { return [] }
    let taken = takeOut(group.ids), kept = keepDraft()
    if !kept.isEmpty { say("what you were writing is one Up away") }
    prompt.editor.set(job.text)
    prompt.mode = job.isDrawing ? .imagine : .ask
    overlays.top = nil
    return taken + kept
  }

  mutating func moveWaiting(_ choice: Choice, by step: Int) {
    var groups = work.waiting
    guard let at = groups.firstIndex(where: { $0.value == choice.value }),
      groups.indices.contains(at + step)
    else { return }
    groups.swapAt(at, at + step)
    let places = Dictionary(uniqueKeysWithValues: groups.flatMap(\.ids).enumerated().map { ($1, $0) })
    work.queue.sort { places[$0.id, default: 0] < places[$1.id, default: 0] }
  }

  // MARK: Undo and redo

  /// Takes the last request back: one that waits, one that runs, or one that is done; sweeps as a whole.
  mutating func undo() -> [Effect] {
    guard conversation.replay == nil, !conversation.isReadOnly else {
      return recording(.undone(request: 0))
    }
    if let last = work.waiting.last {
      say("removed '\(last.title.oneRow)' from the queue; /redo puts it back")
      return takeOut(last.ids)
    }
    guard let request = conversation.transcript.messages.last(where: { $0.request != nil })?.request else {
      return fail("there is nothing to undo")
    }
    let requests = conversation.transcript.requests(with: request)
    var effects: [Effect] = [], again: [Job] = []
    if let running = work.running, requests.contains(running.id) {
      if !running.isAnswered { again = [running.job] }
      (work.critique, work.sliderDue) = (nil, nil)
      effects = cancelRunning(discarding: true)
      work.stoppedAt = nil
    }
    // Of a sweep not all is in sight.
    let left = conversation.unfinished.filter {
      requests.contains($0.job.id) || $0.job.options.sweep == requests.first
    }
    conversation.undone.append(.requests(requests, again: again, left: left))
    conversation.unfinished.removeAll(where: left.contains)
    work.talk = []
    say("undone; /redo brings it back")
    return effects + [.forgetTurns] + requests.map { .record(.undone(request: $0)) }
  }

  /// Brings back what was taken back last.
  mutating func redo() -> [Effect] {
    guard conversation.replay == nil, !conversation.isReadOnly else {
      return recording(.redone(request: 0))
    }
    guard
      // What an earlier studio took back, or one that was killed, is in the log.
      let last =
        conversation.undone.popLast() ?? conversation.transcript.lastTakenBack(conversation.takenBack)
    else { return fail("there is nothing to bring back") }
    if !work.canDraw, last.jobs.contains(where: \.isDrawing) {
      conversation.undone.append(last)
      return fail(cannotDraw)
    }
    say("brought back")
    switch last {
    case .requests(let requests, let again, let left):
      // What was cut off stays taken back: it is done anew, as a request of its own.
      let whole = requests.filter { request in !again.contains { $0.id == request } }
      conversation.takenBack.left.removeAll { event in left.contains { $0.job.id == event.request } }
      conversation.unfinished = (conversation.unfinished + left).sorted { $0.job.id < $1.job.id }
      let waits = left.isEmpty ? [] : [Effect.record(.queued(Left.events(conversation.unfinished)))]
      // The log knows that it is not to be brought back once more.
      let anew = again.isEmpty ? [] : [Effect.record(.unqueued(again.map(\.id)))]
      askAgain(again)
      return whole.map { .record(.redone(request: $0)) } + anew + waits + startNext()
    case .picture(let picture): return [.record(.deleted(picture: picture, isDeleted: false))]
    case .jobs(let jobs):
      conversation.takenBack.waited.removeAll { $0.compactMap(\.request) == jobs.map(\.id) }
      askAgain(jobs)
      return [.record(.unqueued(jobs.map(\.id)))] + startNext()
    }
  }

  /// Requests that were taken back before they were done wait again, by new numbers: what the log has of the old ones is
  /// over.
  ///
  /// - Parameter models: those that take over before one of them.
  mutating func askAgain(_ jobs: [Job], models: [Int: String] = [:]) {
    var numbers: [Int: Int] = [:]
    let shown = Set(conversation.transcript.messages.compactMap(\.request))
    for var job in jobs {
      numbers[job.id] = work.nextRequest
      if let model = models[job.id] {
        work.modelChanges.append(ModelChange(folder: model, first: work.nextRequest))
      }
      // A sweep whose first one gets another number is called by that, unless it stands in the transcript and goes on.
      job.options.sweep = job.options.sweep.map { shown.contains($0) ? $0 : numbers[$0] ?? $0 }
      job.options.followsSlider = false
      work.enqueue(job.request, job.options)
    }
    // So are those of it that are still taken back.
    for i in conversation.undone.indices {
      guard case .jobs(var others) = conversation.undone[i] else { continue }
      for at in others.indices {
        others[at].options.sweep = others[at].options.sweep.map { numbers[$0] ?? $0 }
      }
      conversation.undone[i] = .jobs(others)
    }
  }

  // MARK: Strips

  /// The settings of one picture of the last strip or grid are used again; the first is 1.
  mutating func chooseOfStrip(_ number: String) -> [Effect] {
    guard let strip = conversation.transcript.lastStrip else {
      return fail("there is no strip yet; /sweep and /grid draw one")
    }
    guard let at = Int(number), strip.pictures.indices.contains(at - 1) else {
      return fail("the last strip has \(Format.number(strip.pictures.count, "picture"))")
    }
    return choose(strip.pictures[at - 1])
  }
}
