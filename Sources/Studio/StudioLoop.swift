import Foundation
import Frames
import StudioUI
import Terminal

/// The studio's one thread: what happens becomes actions, what they call for is done, and the screen shows the state.
final class StudioLoop {
  private var state = StudioState()
  private let screen: Screen
  private let mailbox: Mailbox<StudioMessage>
  private let effects: StudioEffects
  private let cache = LayoutCache()
  private var parser = InputParser()
  private let clock = ContinuousClock()
  private let begun: ContinuousClock.Instant
  private let usesColours: Bool
  /// The signal that ends the studio; 0 where there was none.
  private var endSignal: Int32 = 0
  /// When the screen was drawn last, and whether something may have changed since.
  private var drawn = 0.0, isDrawingOwed = false
  private static let pasteFrame = 0.1
  /// Whether it ends by itself: by a signal, or because the terminal is gone. Keys mean nothing then.
  private var isEnding = false

  /// - Parameters:
  ///   - usesColours: false for `NO_COLOR`.
  ///   - beginning: what was read before: settings, themes, the session's entries.
  init(_ effects: StudioEffects, usesColours: Bool, beginning: [Action]) {
    begun = clock.now
    (self.effects, self.usesColours) = (effects, usesColours)
    (screen, mailbox) = (effects.screen, effects.mailbox)
    beginning.forEach(apply)
  }

  private var now: Double { (clock.now - begun) / .seconds(1) }

  /// Runs until the person leaves. Throws `TerminalError` where there is no terminal; returns the exit status.
  func run() throws -> Int32 {
    StudioSignals.watch(waking: mailbox)
    guard StudioSignals.waitForForeground() else {
      throw TerminalError(
        "the studio runs in the background, and no shell can bring it to the front; start it without &")
    }
    if StudioSignals.endSignal != 0 { return 128 + StudioSignals.endSignal }
    effects.engines.guardThread()
    try screen.start(environment: ProcessInfo.processInfo.environment)
    defer { screen.end() }
    let size = Screen.windowSize() ?? (80, 24, 0, 0)
    apply(graphics)
    apply(effects.resized(Size(size.columns, size.rows)))
    draw()
    effects.engines.load()
    while !effects.hasLeft {
      wait()
      if StudioSignals.endSignal != 0, endSignal == 0 {
        endSignal = StudioSignals.endSignal
        end()
      }
      if StudioSignals.takeInterrupt(), !isEnding { apply(.key(.control("c"))) }
      if StudioSignals.takeResume() { apply(effects.resized(screen.resume())) }
      if StudioSignals.takeResize() { apply(effects.resized(screen.resize())) }
      for message in mailbox.take() { effects.take(message).forEach(apply) }
      readInput()
      drawWhereDue()
    }
    return endSignal == 0 ? 0 : 128 + endSignal
  }

  /// Ends as a person does who leaves and leaves again, without asking anybody: two seconds later at the latest.
  private func end() {
    guard !isEnding else { return }
    isEnding = true
    effects.goUnattended()
    apply(.ended)
  }

  /// Sleeps until a key, a message, or the next thing that moves by itself.
  private func wait() {
    var timeout = state.nextTick.map { max(0, min(60, $0 - now)) } ?? 60
    if isDrawingOwed { timeout = min(timeout, Self.pasteFrame) }
    if parser.isWaiting, !isEnding { timeout = min(timeout, 0.03) }
    var watched = [
      // One that is gone would be told again and again.
      pollfd(fd: isEnding ? -1 : 0, events: Int16(POLLIN), revents: 0),
      pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&watched, 2, Int32((timeout * 1000).rounded(.up)))
    // What comes now happens now: a message that it calls for is not over before it is seen.
    apply(.tick(now))
    if count == 0, parser.isWaiting, !isEnding { parser.flush().forEach(take) }
    // The terminal is gone.
    if watched[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0, watched[0].revents & Int16(POLLIN) == 0
    {
      end()
    }
  }

  private func readInput() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    var watched = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    // What comes without an end lets the rest have its turn: the clock goes on, and what is said is seen.
    let begun = now
    while !isEnding, now - begun < Self.pasteFrame, poll(&watched, 1, 0) > 0,
      watched.revents & Int16(POLLIN) != 0
    {
      let count = read(0, &bytes, bytes.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return end() }
      parser.take(bytes[..<count]).forEach(take)
    }
  }

  private func take(_ input: InputParser.Input) {
    switch input {
    case .key(let key): apply(.key(key))
    case .reply(let reply):
      guard screen.take(reply) else { return }
      if case .background(let colour) = reply, usesColours {
        apply(.backgroundKnown(isLight: colour.luminance > 0.5))
      }
      apply(graphics)
      apply(effects.resized(state.terminal.size))
    }
  }

  private var graphics: Action {
    .graphicsKnown(
      hasPictures: screen.facts.graphics != .none, mostPictures: screen.mostPictures ?? .max)
  }

  private func apply(_ action: Action) {
    settle(action, in: &state, now: { now }, perform: effects.perform)
  }

  private func draw() {
    screen.draw(view(state, cache), theme: state.terminal.theme)
    (drawn, isDrawingOwed) = (now, false)
  }

  /// A pasted text comes in thousands of pieces, none of which changes anything before the last: while it comes, the screen
  /// is drawn now and then.
  private func drawWhereDue() {
    isDrawingOwed = parser.isInPaste && now - drawn < Self.pasteFrame
    if !isDrawingOwed { draw() }
  }
}
