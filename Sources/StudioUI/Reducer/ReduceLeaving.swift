import Requests
import SessionLog

/// The way out of the studio, or of a session.
extension StudioState {
  /// Leaves the studio, or the session for another; what is not finished is told first, and ended where the person asks for
  /// the same again.
  mutating func leave(for next: Effect) -> [Effect] {
    if next == .leave, let leaving = work.leaving, leaving.due != nil, leaving.next == .leave {
      return leaveNow()
    }
    if asksFirst(before: next) { return [] }
    return next == .leave ? leaveUnasked() : endWork(then: next)
  }

  /// Says what is not finished; false where that is nothing, or was said already of the same.
  mutating func asksFirst(before next: Effect) -> Bool {
    // What ends already, because the session is being left, was told.
    let ends = work.leaving?.due != nil && next != .leave
    let running = work.running.flatMap { $0.isAnswered || ends ? nil : $0.job }
    let told = ToldOfLeaving(next: next, unfinished: [running].compactMap { $0?.id } + work.queue.map(\.id))
    guard !told.unfinished.isEmpty, told != work.toldOfLeaving else { return false }
    work.toldOfLeaving = told
    let first = running.map { [$0.isDrawing ? "a drawing is not finished" : "an answer is not finished"] }
    let rest = work.waiting.count
    let waiting = rest == 0 ? [] : ["\(Format.number(rest, "request")) in the queue"]
    _ = fail(
      ((first ?? []) + waiting).joined(separator: ", ") + "; the same again ends it"
        + (next == .leave ? " and leaves" : ""))
    return true
  }

  /// Leaves; what is not finished is ended.
  mutating func leaveUnasked() -> [Effect] {
    isLeaving = true
    return keepDraft() + endWork(then: .leave)
  }

  /// What is being written and not sent goes into the history, where Up has it.
  mutating func keepDraft() -> [Effect] {
    let text = prompt.editor.string
    guard text.contains(where: { !$0.isWhitespace }) else { return [] }
    prompt.editor.remember(text)
    return [.rememberPrompt(text)]
  }

  /// What waits is written as cancelled, and what runs ends at its next step, so that nothing of it is lost; then, or
  /// after two seconds, the studio or the session is left.
  mutating func endWork(then next: Effect) -> [Effect] {
    let dropped = work.queue.flatMap { job -> [Effect] in
      [
        .record(.began(job.id, job.request, sweep: job.options.sweep)), .record(.cancelled(request: job.id)),
      ]
    }
    let count = work.requestCount
    let models: [Effect] = work.logged.contains { $0.request == nil } ? [.record(.unqueued([]))] : []
    // What is dropped begins in the log, too: what was set since then is behind it.
    if let last = work.queue.last { noteRecorded(last.request, isOfSweep: last.options.sweep != nil) }
    (work.queue, work.logged, work.critique, work.sliderDue) = ([], [], nil, nil)
    let before = dropped + models + settingsBeforeLeaving(behindRequests: !dropped.isEmpty)
    if work.leaving?.due == nil {
      work.leaving = Leaving(next: next, firstOfNext: work.nextRequest, ended: count)
    }
    work.leaving?.next = next
    // Another session is opened when the model is free: what comes of a request goes where it was asked.
    guard let running = work.running, next != .leave || !running.isAnswered else { return before + [next] }
    let effects = cancelRunning(discarding: running.isDiscarded)
    work.leaving?.due = now + 2
    let again = next == .leave ? "; the same again leaves at once" : ""
    say("stopping at the next step, to keep what is there" + again)
    return before + effects
  }

  /// Leaves without what still runs.
  mutating func leaveNow() -> [Effect] {
    guard let next = work.leaving?.next else { return [] }
    work.leaving?.due = nil
    // Of the one that is left for another session, whoever opens that writes the end.
    guard next == .leave, let running = work.running, !running.isAnswered else { return [next] }
    return [.record(.cancelled(request: running.id)), .leave]
  }
}
