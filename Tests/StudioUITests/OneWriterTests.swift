import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What comes in from outside, and what of it stays.
@Suite struct OneWriterTests {
  /// However many requests there were, nothing of them is kept but what they brought.
  @Test func whatIsOverIsForgotten() {
    var b = Bench()
    func footprint() -> [Int] {
      [b.state.album.sizes.count, b.state.work.queue.count]
    }
    for round in 0..<50 {
      b.send("a cat")
      b.send("/sweep 1..3")
      b.press(.alt("."))
      b.act(.tick(Double(round) * 10))
      while b.running > 0 {
        for step in 1...3 {
          let preview = PictureID.preview(1000 * b.running + step)
          b.act(.pictureKnown(preview, Size(64, 64)))
          b.happen(.step(step, of: 50, picture: 0, preview: preview))
        }
        if b.running % 3 == 0 { b.press(.escape) }
        // One of a session that was left brings something, too.
        b.act(.pictureKnown(.preview(0), Size(64, 64)))
        b.act(.request(1_000_000, .step(1, of: 2, picture: 0, preview: .preview(0))))
        b.happen(.ended)
      }
      #expect(footprint() == [0, 0], "round \(round)")
    }
  }

  @Test func aDiscardedPictureIsNotWritten() {
    var b = Bench()
    b.send("a cat")
    b.send("/stop discard")
    b.happen(
      .drawn("aa", ImageSettings(prompt: "a cat"), stepsDone: 3, seconds: 1, isPartial: true))
    b.happen(.cancelled)
    b.happen(.ended)
    #expect(b.state.conversation.transcript.gallery.isEmpty && b.running == 0)
    #expect(b.records.last == .cancelled(request: 1))
  }

  /// A request has one number and one form from the prompt to the log.
  @Test func aRequestIsTheSameEverywhere() {
    var b = Bench()
    b.send("/seed 3")
    b.send("a cat")
    let request = b.requests.last
    #expect(b.state.work.running?.request == request && b.state.conversation.lastRequest == request)
    #expect(b.records.last == request.map { .began(1, $0) })
  }

  @Test func preferencesAreTaken() {
    var b = Bench(), wanted = Preferences()
    wanted.controls.steps = 7
    (wanted.mode, wanted.isMouseCaptured, wanted.isInspectorHidden) = (.ask, false, true)
    b.act(.configured(wanted))
    #expect(b.effects.last == .captureMouse(false) && !b.state.terminal.isMouseCaptured)
    #expect(b.state.inspector.controls.steps == 7 && b.state.prompt.mode == .ask && !b.state.showsInspector)
    b.press(.alt("m"))
    #expect(b.effects.last == .captureMouse(true))
  }

  @Test func complaintsStandTogether() {
    var b = Bench()
    b.act(.themesRead([.builtIn], chosen: "nowhere"))
    b.act(.complaints(["one", "two"]))
    #expect(b.state.toast?.isError == true)
    for text in ["unknown theme 'nowhere'", "one", "two"] {
      #expect(b.state.toast?.text.contains(text) == true, "\(text)")
    }
  }

  /// The background chooses where nobody else did.
  @Test func aLightBackgroundChoosesALightTheme() {
    let themes = [Theme.builtIn, Theme(name: "light", appearance: .light, colours: [:])]
    for (chosen, name) in [(nil, "light"), ("dark", "dark")] {
      var b = Bench()
      b.act(.themesRead(themes, chosen: chosen))
      b.act(.backgroundKnown(isLight: true))
      #expect(b.state.terminal.theme.name == name)
    }
    var b = Bench()
    b.act(.themesRead(themes, chosen: nil))
    b.send("/theme light")
    #expect(b.state.terminal.theme.name == "light" && b.effects.last == .repaint)
    b.send("/theme nowhere")
    #expect(b.state.toast?.text.contains("choose from dark, light") == true)
  }

  /// What a played session shows is laid out anew, and ids go on behind it.
  @Test func idsNeverBeginAnew() {
    var b = Bench(), seen: Set<Int> = []
    func check() {
      let ids = b.state.conversation.transcript.messages.map(\.id)
      #expect(Set(ids).isDisjoint(with: seen), "\(ids)")
      seen.formUnion(ids)
    }
    b.act(.session(.note("own")))
    check()
    b.act(.played(Replay([SessionEntry(time: 0, event: .note("played"))])))
    b.act(.tick(0))
    check()
    b.press(.home, .end)
    check()
    b.press(.escape)
    b.act(.session(.note("more of my own")))
    #expect(!seen.contains(b.state.conversation.transcript.messages.last?.id ?? -1))
    seen.formUnion(b.state.conversation.transcript.messages.map(\.id))
    b.open()
    b.act(.session(.note("of another")))
    check()
  }
}
