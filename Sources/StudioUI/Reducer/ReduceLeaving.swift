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
    guard running != nil || !work.queue.isEmpty else { return false }
    if let told = work.toldOfLeaving, told.next == next, told.until > now { return false }
    work.toldOfLeaving = ToldOfLeaving(next: next, until: now + Self.standsToAnswer)
    let first = running.map { [$0.isDrawing ? "a drawing is not finished" : "an answer is not finished"] }
    let rest = work.waiting.count
    let waiting = rest == 0 ? [] : ["\(Format.number(rest, "request")) in the queue"]
    _ = fail(
      ((first ?? []) + waiting).joined(separator: ", ") + "; the same again ends it"
        + (next == .leave ? " and leaves" : ""))
    // The question stands as long as its answer counts.
    toast?.until = now + Self.standsToAnswer
    return true
  }

  /// So long a question stands that the same again answers.
  private static let standsToAnswer = 10.0

  /// Something else is done: the same again asks anew. A command that is being written may be the same.
  mutating func takeBackLeaving(toldBefore: ToldOfLeaving?) {
    guard let told = work.toldOfLeaving, told == toldBefore, work.leaving == nil,
      prompt.editor.text.first != "/"
    else { return }
    work.toldOfLeaving = nil
    if toast?.until == told.until { toast = nil }
  }

  /// Leaves; what is not finished stays so, and can be asked again.
  mutating func leaveUnasked() -> [Effect] {
    isLeaving = true
    return keepDraft() + endStudio()
  }

  /// What waits goes on waiting in the log, and so does what runs, as where the studio is killed; what there is of it is
  /// kept, at its next step or after two seconds.
  private mutating func endStudio() -> [Effect] {
    let before = noteQueue() + settingsBeforeLeaving(behindRequests: false)
    (work.critique, work.sliderDue) = (nil, nil)
    if work.leaving?.due == nil {
      work.leaving = Leaving(next: .leave, firstOfNext: work.nextRequest, ended: 0)
    }
    work.leaving?.next = .leave
    guard let running = work.running, !running.isAnswered else { return before + [.leave] }
    // What a person has stopped is over.
    work.running?.isLeft = !running.isCancelling
    work.running?.isCancelling = true
    work.leaving?.due = now + 2
    say("stopping at the next step, to keep what is there; the same again leaves at once")
    return before + [.cancel(running.id)]
  }

  /// What was kept of a request that is left half done is not all that was asked: the log has what is missing.
  ///
  /// - Parameter whole: pictures of it that are whole.
  mutating func leftHalfDone(_ running: Running, whole: Int) -> [Effect] {
    let rest = running.job.rest(behind: whole)
    conversation.unfinished.append(Left(job: rest))
    return [
      .record(.failed(request: running.id, reason: UnfinishedRequests.cutOff)),
      .record(.queued(Left.events(conversation.unfinished))),
    ]
  }

  /// What is being written and not sent goes into the history, where Up has it.
  mutating func keepDraft() -> [Effect] {
    let text = prompt.editor.string
    guard text.contains(where: { !$0.isWhitespace }) else { return [] }
    prompt.editor.remember(text)
    return [.rememberPrompt(text)]
  }

  /// What waits is written as cancelled, and what runs ends at its next step, so that nothing of it is lost; then, or
  /// after two seconds, the session is left for another.
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
    guard let running = work.running else { return before + [next] }
    let effects = cancelRunning(discarding: running.isDiscarded)
    work.leaving?.due = now + 2
    say("stopping at the next step, to keep what is there")
    return before + effects
  }

  /// Leaves without what still runs.
  mutating func leaveNow() -> [Effect] {
    guard let next = work.leaving?.next else { return [] }
    work.leaving?.due = nil
    // Of the one that is left for another session, whoever opens that writes the end.
    guard next == .leave, let running = work.running, !running.isAnswered, !running.isLeft else {
      return [next]
    }
    return [.record(.cancelled(request: running.id)), .leave]
  }
}
