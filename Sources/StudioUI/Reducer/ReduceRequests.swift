import Requests
import SessionLog

extension StudioState {
  /// A seed that differs from the last one, from the clock and a counter: no randomness comes in from outside.
  func randomSeed(beyond last: UInt64) -> UInt64 {
    var x = UInt64(now * 1e6) &+ UInt64(work.nextRequest) &* 0x9E37_79B9_7F4A_7C15 &+ last
    x = (x ^ x >> 30) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ x >> 27) &* 0x94D0_49BB_1331_11EB
    return (x ^ x >> 31) % 1_000_000_000
  }

  func settings(for text: String) -> ImageSettings {
    let controls = inspector.controls
    var settings = ImageSettings(
      prompt: text, negative: controls.negative, seed: controls.seed ?? randomSeed(beyond: 0),
      guidanceScale: controls.guidance, steps: controls.steps, decoderSteps: controls.decoderSteps)
    settings.solver = controls.solver
    (settings.guidanceStart, settings.guidanceEnd) = (controls.guidanceStart, controls.guidanceEnd)
    return settings
  }

  /// A drawing with the settings that are shown now; its prompt, and its seed where none is fixed, stay.
  func asShown(_ drawing: ImageSettings) -> ImageSettings {
    var settings = settings(for: drawing.prompt)
    settings.seed = inspector.controls.seed ?? drawing.seed
    return settings
  }

  func drawingFromPrompt() -> ImageSettings? {
    let text = prompt.editor.string.trimmingWhitespace()
    return text.isEmpty || text.hasPrefix("/") ? nil : settings(for: text)
  }

  mutating func draw(_ text: String) -> [Effect] {
    let count = inspector.controls.count
    if !prompt.attachments.isEmpty, !prompt.toldOfAttachments {
      prompt.toldOfAttachments = true
      let isOne = prompt.attachments.count == 1
      let what = isOne ? "\(prompt.attachments[0].name) stays" : "the attached ones stay"
      say("drawing uses no picture: \(what) for the next question")
    }
    return submit(
      .imagine(settings(for: text), count: count, parent: nil), .init(followsSlider: count == 1))
  }

  /// - Parameter written: what the person wrote, where that is something else.
  mutating func ask(_ text: String, written: String? = nil) -> [Effect] {
    let pictures = prompt.attachments.map(\.picture), controls = inspector.controls
    let subject = pictures.isEmpty ? prompt.subject : nil
    (prompt.attachments, prompt.subject, prompt.toldOfAttachments) = ([], .newest, false)
    if subject == .newest, conversation.transcript.shownLast.isEmpty, !work.drawsSoon {
      say("no picture attached: Ctrl-O picks a file, @PATH names one")
    }
    let question = Question(
      text, pictures: pictures, temperature: controls.temperature, seed: controls.seed ?? 0, written: written)
    return namesOfFiles(pictures) + submit(.ask(question), .init(subject: subject))
  }

  /// Files' names go into the log with the first question about them: it knows pictures by their contents only.
  private func namesOfFiles(_ pictures: [PictureID]) -> [Effect] {
    guard !conversation.isReadOnly, conversation.replay == nil else { return [] }
    return pictures.compactMap { picture in
      guard let name = album.names[picture], conversation.transcript.names[picture] == nil else { return nil }
      return .record(.named(picture: picture, name: name))
    }
  }

  /// Starts a request, or lets it wait for the model or for the one before it.
  mutating func submit(_ request: Request<PictureID>, _ options: Job.Options = .init()) -> [Effect] {
    guard !conversation.isReadOnly else {
      return fail("this session is read-only; /new starts one of your own")
    }
    guard conversation.replay == nil else { return fail("a replay is running; Esc closes it") }
    var effects: [Effect] = []
    if case .imagine(let settings, _, _) = request {
      guard work.canDraw else { return fail(cannotDraw) }
      effects = settingsBeside(settings)
      conversation.lastDrawing = settings
      work.releaseSlider()
    }
    // Whoever asks for more stays; or asks it of the session that is opened next.
    conversation.scroll = nil
    if work.leaving?.next == .leave { work.leaving = nil }
    conversation.noteAsked(Job(id: work.nextRequest, request: request, options: options))
    work.enqueue(request, options)
    return effects + startNext()
  }

  /// Hands the next request to the model when it is free and there.
  mutating func startNext() -> [Effect] {
    let next = loadNext()
    guard next.isEmpty, let job = work.dequeue(now: now, shown: conversation.transcript.shownLast)
    else { return next }
    return [
      .record(.began(job.id, job.request, sweep: job.options.sweep)), .start(job.id, job.request),
    ]
  }

  private static let forgotten =
    "the conversation is longer than the model reads; its oldest turns are left out"

  /// What comes of a request. Of one that belonged to a session that was left, nothing is taken.
  mutating func take(_ event: RequestEvent<PictureID>, of id: Int) -> [Effect] {
    guard var running = work.running, running.id == id else {
      if case .step(_, _, _, let preview?) = event { album.sizes[preview] = nil }
      return event == .ended ? startNext() : []
    }
    if case .step(_, _, _, let preview?) = event, let old = running.preview, old != preview {
      album.sizes[old] = nil
    }
    let whole = running.picture
    running.notice(event)
    work.running = running
    switch event {
    case .started, .token, .step: return []
    case .forgotten:
      defer { work.toldForgotten = true }
      return work.toldForgotten ? [] : [.record(.note(Self.forgotten))]
    case .shortened(let name, let prompt): return noteShortened(name, of: prompt)
    case .drawn(let picture, let settings, let done, let seconds, let isPartial):
      guard !running.isDiscarded else { return [] }
      let origin = PictureOrigin(settings, stepsDone: done, parent: running.parent)
      return [
        .record(
          .drawn(request: id, picture: picture, origin: origin, seconds: seconds, isPartial: isPartial))
      ] + (isPartial && running.isLeft ? leftHalfDone(running, whole: whole) : [])
    case .answered(let text, let tokens, let seconds, let isPartial):
      // Without a whole answer there is no turn to follow on: the next question brings its pictures along.
      if isPartial { work.talk = [] }
      guard !(isPartial && running.isDiscarded) else { return [] }
      return [
        .record(.answered(request: id, text: text, tokens: tokens, seconds: seconds, isPartial: isPartial))
      ] + (isPartial && running.isLeft ? leftHalfDone(running, whole: 0) : [])
    case .failed(let reason):
      if !running.isDrawing { work.talk = [] }
      return [.record(.failed(request: id, reason: reason))]
    // One that is left has no end: it is told as one that is killed.
    case .cancelled: return running.isLeft ? [] : [.record(.cancelled(request: id))]
    case .ended: return end(running)
    }
  }

  /// Nothing more comes of a request.
  private mutating func end(_ running: Running) -> [Effect] {
    if let preview = running.preview { album.sizes[preview] = nil }
    work.running = nil
    let owed: [Effect] = running.owesWord ? [.record(.cancelled(request: running.id))] : []
    return owed + (work.leaving?.due == nil ? startNext() : leaveNow())
  }

  /// Said once of a prompt: the slider draws it again and again.
  private mutating func noteShortened(_ name: String, of prompt: String) -> [Effect] {
    let key = name + "\n" + prompt
    guard key != work.shortened else { return [] }
    work.shortened = key
    return [.record(.note("the \(name) is longer than the model reads; its end is left out"))]
  }

  mutating func cancelRunning(discarding: Bool) -> [Effect] {
    guard let running = work.running else {
      return work.queue.isEmpty ? fail("nothing is running") : dropQueue()
    }
    work.stoppedAt = now
    if let sweep = running.job.options.sweep {
      work.queue.removeAll { $0.options.sweep == sweep }
      say("the sweep ends here")
    }
    work.running?.isCancelling = true
    work.running?.isDiscarded = discarding
    return [.cancel(running.id)]
  }

  /// Moves the slider; a moment after the last move the last prompt is drawn again with its seed.
  mutating func setGuidance(_ value: Float) -> [Effect] {
    let range = Controls.guidanceRange
    inspector.controls.guidance = ((value * 10).rounded() / 10).clamped(to: range)
    inspector.sliderUntil = now + 1.5
    if conversation.lastDrawing != nil, work.canDraw, conversation.replay == nil, !conversation.isReadOnly {
      work.sliderDue = now + Self.standstill
    }
    return []
  }

  /// The slider has come to rest: its drawing takes the place of the one in flight.
  mutating func drawForSlider() -> [Effect] {
    work.sliderDue = nil
    guard let last = conversation.lastDrawing, last.guidanceScale != inspector.controls.guidance else {
      return []
    }
    // What it asked for before is not waited for; other requests are.
    work.queue.removeAll(where: \.options.followsSlider)
    var effects: [Effect] = []
    if let running = work.running, running.job.options.followsSlider, !running.isCancelling {
      let stopped = work.stoppedAt
      effects += cancelRunning(discarding: true)
      // Nobody stopped it.
      work.stoppedAt = stopped
    }
    let request = Request<PictureID>.imagine(
      asShown(last), count: 1, parent: conversation.transcript.gallery.last)
    return effects + submit(request, .init(followsSlider: true))
  }
}

extension String {
  func trimmingWhitespace() -> String { self[...].trimmingCharacters() }

  /// The first place of a text in this one.
  func range(of text: String) -> Range<Index>? {
    guard !text.isEmpty else { return nil }
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
