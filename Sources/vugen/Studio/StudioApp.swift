import Engine
import Foundation
import Frames
import ModelFiles
import Pictures
import SessionLog
import StudioUI
import Synchronization
import Tensors
import Terminal
import VUGEN

/// What reaches the interface's thread from others.
enum StudioMessage: Sendable {
  case action(Action)
  case engine(request: Int, EngineEvent)
  case modelLoaded(ModelFacts, StudioEngine)
  case redraw
}

/// The studio: joins the screen, the state, the engine and the session. Everything in here runs on one thread.
final class StudioApp {
  var state = StudioState()
  let store: SessionStore
  var session: SessionFile?
  let mailbox = Mailbox<StudioMessage>()
  let shelf: PictureShelf
  let screen: Screen
  private(set) var engine: StudioEngine
  private let cache = LayoutCache()
  private var parser = InputParser()
  private let clock = ContinuousClock()
  private let begun: ContinuousClock.Instant
  var flags: [Int: CancellationFlag] = [:]
  /// Requests of sessions that were left: what they still bring belongs to nobody.
  var abandoned: Set<Int> = []
  /// Sessions that were left before the disk took all of them; it is tried again with whatever comes.
  var unfinished: [SessionFile] = []
  private var discarded: Set<Int> = []
  /// Settings of drawings in flight, with the picture that each varies.
  private var parents: [Int: String] = [:]
  private var previewCount = 0
  private(set) var modelFacts: ModelFacts?
  let usesColours: Bool
  private let modelFolder: String
  private var isRunning = true
  var loggedFullDisk = false
  private var lastShortened = ""
  let pictureSource: PictureSource
  /// Whether the theme follows the terminal's background.
  var followsBackground = false

  init(
    store: SessionStore, session: SessionFile?, modelFolder: String, graphics: Graphics?, state: StudioState,
    usesColours: Bool
  ) {
    begun = clock.now
    (self.store, self.session, self.modelFolder) = (store, session, modelFolder)
    (self.state, self.usesColours) = (state, usesColours)
    let source = PictureSource(store)
    if let session { source.use(session.id) }
    pictureSource = source
    Screen.setLastWords(Self.lastWords(session))
    let mailbox = self.mailbox
    shelf = PictureShelf(load: { source.picture($0) }, onReady: { mailbox.post(.redraw) })
    screen = Screen(graphics: graphics, usesColours: usesColours, shelf: shelf)
    engine = StudioEngine(folder: modelFolder)
  }

  var now: Double { seconds(clock.now - begun) }

  /// Runs until the person leaves. Throws `TerminalError` where there is no terminal; returns the exit status.
  func run() throws -> Int32 {
    StudioSignals.watch(waking: mailbox)
    Task { @NumericActor in Screen.guardThread() }
    try screen.start(environment: ProcessInfo.processInfo.environment)
    defer { screen.end() }
    let size = Screen.windowSize() ?? (80, 24, 0, 0)
    state.hasPictures = screen.facts.graphics != .none
    apply(.resized(Size(size.columns, size.rows), cell: screen.facts.cell))
    draw()
    loadModel(modelFolder)
    while isRunning {
      wait()
      if StudioSignals.endSignal != 0 {
        flags.values.forEach { $0.set() }
        return 128 + StudioSignals.endSignal
      }
      if StudioSignals.takeInterrupt() { apply(.key(.control("c"))) }
      if StudioSignals.takeResume() { screen.resume() }
      if StudioSignals.takeResize() { apply(.resized(screen.resize(), cell: screen.facts.cell)) }
      for message in mailbox.take() { take(message) }
      readInput()
      apply(.tick(now))
      draw()
    }
    return 0
  }

  /// Sleeps until a key, a message, or the next thing that moves by itself.
  private func wait() {
    var timeout = state.nextTick.map { max(0, min(60, $0 - now)) } ?? 60
    if parser.isWaiting { timeout = min(timeout, 0.03) }
    var watched = [
      pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
      pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&watched, 2, Int32((timeout * 1000).rounded(.up)))
    if count == 0, parser.isWaiting { parser.flush().forEach(take) }
    // The terminal is gone.
    if watched[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0, watched[0].revents & Int16(POLLIN) == 0
    {
      isRunning = false
    }
  }

  private func readInput() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    var watched = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    while poll(&watched, 1, 0) > 0, watched.revents & Int16(POLLIN) != 0 {
      let count = read(0, &bytes, bytes.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        isRunning = false
        return
      }
      parser.take(bytes[..<count]).forEach(take)
    }
  }

  private func take(_ input: InputParser.Input) {
    switch input {
    case .key(let key): apply(.key(key))
    case .reply(let reply):
      guard screen.take(reply) else { return }
      if case .background(let colour) = reply { follow(background: colour) }
      state.hasPictures = screen.facts.graphics != .none
      apply(.resized(state.size, cell: screen.facts.cell))
    }
  }

  /// Nobody has chosen a theme: the terminal's background does.
  private func follow(background: Colour) {
    guard followsBackground, usesColours, background.luminance > 0.5,
      let light = state.themes.first(where: { $0.appearance == .light })
    else { return }
    state.theme = light
    screen.repaint()
  }

  private func take(_ message: StudioMessage) {
    switch message {
    case .action(.ended(let request)):
      (flags[request], parents[request]) = (nil, nil)
      discarded.remove(request)
      if abandoned.remove(request) == nil { apply(.ended(request: request)) }
    case .action(let action): apply(action)
    case .engine(let request, let event): take(event, of: request)
    case .modelLoaded(let facts, let engine):
      // Until here the one before it works.
      (self.engine, modelFacts) = (engine, facts)
      recordOpening()
      apply(
        .modelReady(
          name: facts.name, parameters: facts.parameters, bytes: facts.bytes, canDraw: facts.canDraw))
    case .redraw: break
    }
  }

  /// With which model the session is taken up.
  func recordOpening() {
    guard let modelFacts, session != nil else { return }
    record(.opened(model: modelFacts.name, modelHash: modelFacts.hash, program: "VUGEN Studio"))
  }

  func apply(_ action: Action) {
    var waiting = [action]
    while !waiting.isEmpty {
      for effect in reduce(&state, waiting.removeFirst()) { waiting += perform(effect) }
    }
  }

  private func draw() {
    screen.draw(view(state, cache), theme: state.theme)
  }

  // MARK: The model

  func loadModel(_ folder: String) {
    let engine = StudioEngine(folder: folder), mailbox = self.mailbox
    Task.detached {
      do {
        mailbox.post(.modelLoaded(try await engine.load(), engine))
      } catch {
        mailbox.post(.action(.modelFailed("\(error)")))
      }
    }
  }

  func start(_ request: Int, _ work: EngineRequest) {
    let flag = CancellationFlag(), engine = self.engine, mailbox = self.mailbox
    flags[request] = flag
    Task.detached {
      await engine.run(work, cancelledBy: flag) { mailbox.post(.engine(request: request, $0)) }
      mailbox.post(.action(.ended(request: request)))
    }
  }

  func startDrawing(_ request: Int, _ settings: DrawingSettings, _ count: Int, _ parent: String?) {
    parents[request] = parent
    start(
      request,
      .imagine(
        ImagineSettings(settings), count: count,
        previewEvery: .milliseconds(state.hasPictures ? 250 : 3_600_000)))
  }

  func cancel(_ request: Int, discarding: Bool) {
    if discarding { discarded.insert(request) }
    flags[request]?.set()
  }

  private func take(_ event: EngineEvent, of request: Int) {
    guard !abandoned.contains(request) else { return }
    switch event {
    case .started: break
    case .token(let text): apply(.token(request: request, text))
    case .step(let step, let steps, let picture, let preview):
      var name: String?
      if let preview {
        previewCount += 1
        name = Placement.previewPrefix + "\(previewCount % 8)-\(previewCount)"
        shelf.add(preview, name ?? "")
        apply(.pictureKnown(name ?? "", Size(preview.width, preview.height)))
      }
      apply(.step(request: request, step, of: steps, picture: picture, preview: name))
    case .picture(let picture, let settings, let done, let seconds, let isPartial):
      guard !discarded.contains(request) else { return }
      keep(picture, settings, request, done, seconds, isPartial)
    case .answered(let text, let tokens, let seconds, let isPartial):
      guard !(isPartial && discarded.contains(request)) else { return }
      record(.answered(request: request, text: text, tokens: tokens, seconds: seconds, isPartial: isPartial))
    case .shortened(let name, let prompt): noteShortened(name, prompt)
    case .failed(let reason): record(.failed(request: request, reason: reason))
    case .cancelled: record(.cancelled(request: request))
    }
  }

  /// Said once of a prompt: the slider draws it again and again.
  private func noteShortened(_ name: String, _ prompt: String) {
    let key = name + "\n" + prompt
    guard key != lastShortened else { return }
    lastShortened = key
    record(.note(ImagineSettings.shortened(name)))
  }

  private func keep(
    _ picture: Picture, _ settings: ImagineSettings, _ request: Int, _ done: Int, _ seconds: Double,
    _ isPartial: Bool
  ) {
    let metadata = PictureMetadata(settings, stepsDone: done, model: modelFacts?.name ?? "")
    guard let hash = store(picture, png: try? metadata.png(of: picture)) else { return }
    let origin = PictureOrigin(DrawingSettings(settings), stepsDone: done, parent: parents[request])
    record(.drawn(request: request, picture: hash, origin: origin, seconds: seconds, isPartial: isPartial))
  }

  /// Keeps a picture in memory and, where there is a session, on disk. Its content's hash is its name.
  func store(_ picture: Picture, png: [UInt8]?) -> String? {
    guard let png else { return nil }
    // Where the disk is full the next event says so.
    let hash = session?.keep(Data(png)) ?? Digest.sha256(png)
    pictureSource.hold(session?.waitingPictures ?? [:])
    shelf.add(picture, hash)
    apply(.pictureKnown(hash, Size(picture.width, picture.height)))
    return hash
  }

  func stop() { isRunning = false }

  /// Shows what a session holds.
  func show(_ entries: [SessionEntry]) {
    for entry in entries {
      for hash in entry.event.pictures { announce(hash) }
      apply(.session(entry.event))
    }
  }

  /// Tells the state a picture's size, or that there is no such picture.
  func announce(_ hash: String) {
    guard state.pictureSizes[hash] == nil else { return }
    if let size = pictureSource.size(of: hash) {
      apply(.pictureKnown(hash, Size(size.width, size.height)))
    } else if let picture = shelf.picture(hash) {
      apply(.pictureKnown(hash, Size(picture.width, picture.height)))
    } else {
      apply(.pictureMissing(hash))
    }
  }
}

extension ImagineSettings {
  init(_ s: DrawingSettings) {
    self.init(prompt: s.prompt)
    (negative, seed, guidanceScale) = (s.negative, s.seed, s.guidanceScale)
    (steps, decoderSteps) = (s.steps, s.decoderSteps)
  }
}

extension DrawingSettings {
  init(_ s: ImagineSettings) {
    self.init(
      prompt: s.prompt, negative: s.negative, seed: s.seed, guidanceScale: s.guidanceScale, steps: s.steps,
      decoderSteps: s.decoderSteps)
  }
}
