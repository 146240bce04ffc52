import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// What strangers found in the studio.
@Suite struct StrangersTests {
  private func texts(_ b: Bench) -> [String] {
    b.state.conversation.transcript.messages.map { message in
      message.text.isEmpty ? message.pictures.map(\.short).joined() : message.text
    }
  }

  private func drawn(_ request: Int, _ picture: PictureID, _ prompt: String) -> Action {
    let origin = PictureOrigin(ImageSettings(prompt: prompt, seed: 1), stepsDone: 50)
    return .session(
      .drawn(request: request, picture: picture, origin: origin, seconds: 1, isPartial: false))
  }

  private func asked(_ request: Int, _ prompt: String) -> Action {
    let settings = ImageSettings(prompt: prompt, seed: 1)
    return .session(.drawingAsked(request: request, settings: settings, count: 1, parent: nil))
  }

  // MARK: Results and their requests

  /// A result stands under its request, whatever was asked meanwhile; a note stays where it was said.
  @Test func resultsStandUnderTheirRequests() {
    var b = Bench()
    b.act(asked(1, "a cat"))
    b.act(.session(.note("a note")))
    b.act(asked(2, "a dog"))
    b.act(.session(.cancelled(request: 2)))
    b.act(.session(.asked(request: 3, text: "why?", pictures: [], sampling: .init())))
    b.act(drawn(1, "c1", "a cat"))
    b.act(.session(.answered(request: 3, text: "so", tokens: 1, seconds: 1, isPartial: false)))
    let all = ["a cat", "a note", "c1", "a dog", "cancelled", "why?", "so"]
    #expect(texts(b) == all)
    b.act(.session(.undone(request: 1)))
    #expect(texts(b) == ["a note", "a dog", "cancelled", "why?", "so"])
    b.act(.session(.redone(request: 1)))
    #expect(texts(b) == all, "it comes back at its old place")
  }

  /// Whoever leaves with a queue finds the partial picture under its own prompt.
  @Test func whatIsLeftStandsUnderItsRequest() {
    var b = Bench()
    for text in ["a cat", "a dog"] { b.send(text) }
    b.press(.control("d"), .control("d"))
    b.finish("c1", partial: true)
    #expect(texts(b) == ["a cat", "c1", UnfinishedRequests.cutOff])
    let told = [UnfinishedRequests.cutOff, "a dog", UnfinishedRequests.notBegun]
    #expect(texts(UnfinishedTests.reopened(b)) == ["a cat", "c1"] + told)
  }

  /// A result is by the model that was asked, not by one that was opened since.
  @Test func resultsAreByTheModelThatWasAsked() {
    var b = Bench(Size(80, 24))
    b.act(.session(.opened(model: "first", modelHash: "h", program: "p")))
    b.act(asked(1, "a cat"))
    b.act(.session(.opened(model: "second", modelHash: "i", program: "p")))
    b.act(drawn(1, "c1", "a cat"))
    #expect(b.shows("first") && !b.shows("second"))
  }

  /// The model follows on no question that was cut off or taken back: the next one brings its picture along.
  @Test(arguments: [false, true]) func picturesComeAlongBehindWhatWasCutOff(_ isUndone: Bool) {
    var b = Bench()
    b.act(drawn(1, "c1", "a cat"))
    b.press(.tab)
    b.send("what is it?")
    if isUndone {
      b.answer("a cat")
      b.send("/undo")
    } else {
      b.happen(.answered(text: "a", tokens: 1, seconds: 1, isPartial: true))
      b.happen(.cancelled)
      b.happen(.ended)
    }
    #expect(b.effects.contains(.forgetTurns) == isUndone)
    b.send("what colour is it?")
    guard case .ask(let question) = b.state.work.running?.request else {
      Issue.record("no question runs")
      return
    }
    #expect(question.pictures == ["c1"])
  }

  // MARK: Another model

  private func ready(_ b: inout Bench, _ name: String, _ canDraw: Bool) {
    b.act(.modelReady(name: name, parameters: 1, bytes: 1, canDraw: canDraw))
  }

  private func loads(_ b: Bench) -> [Effect] {
    b.effects.filter { if case .loadModel = $0 { true } else { false } }
  }

  /// What was asked of a model is done by it, before another one takes over; what is asked then waits for that.
  @Test func queuedDrawingsAreDrawnByTheirModel() {
    var b = Bench()
    for text in ["a cat", "a dog", "/model reader", "a cow"] { b.send(text) }
    #expect(loads(b).isEmpty && b.queued == ["a dog", "a cow"])
    b.finish("c1")
    #expect(b.drawings.last?.prompt == "a dog")
    b.finish("d1")
    #expect(loads(b) == [.loadModel("reader")] && b.state.work.running == nil && b.queued == ["a cow"])
    ready(&b, "reader", false)
    let told = b.state.toast?.text ?? ""
    #expect(told.contains("'a cow' is out of the queue") && told.contains("/redo"), "\(told)")
    #expect(b.state.work.queue.isEmpty)
    b.send("/model nano")
    #expect(loads(b).count == 2, "nothing is waited for")
    ready(&b, "nano", true)
    b.send("/redo")
    #expect(b.drawings.map(\.prompt) == ["a cat", "a dog", "a cow"])
  }

  /// The person is told what is waited for; whoever does not want to wait drops it.
  @Test func anotherModelSaysWhatItWaitsFor() {
    var b = Bench()
    for text in ["a cat", "a dog", "/model big"] { b.send(text) }
    #expect(b.state.toast?.text.contains("when the 2 requests before it are done") == true)
    b.send("/model reader")
    b.finish("c1")
    #expect(loads(b).isEmpty)
    b.finish("d1")
    #expect(loads(b) == [.loadModel("reader")], "the one that was wanted last")
    b.act(.modelFailed("reader: no such folder"))
    #expect(b.state.toast?.text.contains("nano stays") == true)
    b.send("a hen")
    #expect(b.drawings.last?.prompt == "a hen")
    // Behind a model that does not load nothing is waited for.
    var c = Bench(isReady: false)
    for text in ["a cat", "/model other"] { c.send(text) }
    #expect(loads(c).isEmpty)
    c.act(.modelFailed("nano: damaged"))
    #expect(loads(c) == [.loadModel("other")])
    ready(&c, "other", true)
    #expect(c.drawings.map(\.prompt) == ["a cat"])
  }

  /// A question about a picture that goes on, part by part, is asked of one model.
  @Test func aCritiqueIsByOneModel() {
    var b = Bench()
    b.send("a cat and a dog")
    b.finish("c1")
    b.send("/critique")
    b.send("/model other")
    b.answer("yes")
    #expect(loads(b).isEmpty && b.questions.count == 2)
    b.answer("yes")
    b.act(.tick(1))
    #expect(b.shows("2 of 2 parts correct") && loads(b) == [.loadModel("other")])
  }

  // MARK: Undo and redo

  /// What was cut off by /undo is drawn anew by /redo, once, whether the model had stopped by then or not.
  @Test(arguments: [true, false]) func whatWasCutOffIsDrawnAnew(_ hasStopped: Bool) {
    var b = Bench()
    b.send("a cat")
    let first = b.drawings[0]
    b.send("/undo")
    func stop() {
      b.act(.request(1, .drawn("part", first, stepsDone: 3, seconds: 1, isPartial: true)))
      b.act(.request(1, .cancelled))
      b.act(.request(1, .ended))
    }
    if hasStopped { stop() }
    b.send("/redo")
    if !hasStopped { stop() }
    #expect(b.drawings == [first, first])
    b.finish("c1")
    #expect(texts(b) == ["a cat", "c1"] && b.state.work.queue.isEmpty && b.state.work.running == nil)
    #expect(b.state.conversation.transcript.gallery == ["c1"])
    b.send("/undo")
    #expect(texts(b).isEmpty)
    b.send("/redo")
    #expect(texts(b) == ["a cat", "c1"] && b.drawings.count == 2)
    b.send("/redo")
    #expect(b.state.toast?.text == "there is nothing to bring back")
  }

  /// Of a sweep that is half done, what is there comes back, and the rest is drawn.
  @Test(arguments: [0, 1]) func aSweepThatWasCutOffIsDrawnToItsEnd(_ done: Int) {
    var b = Bench()
    b.send("a cat")
    b.finish("c0")
    b.send("/sweep 1..3")
    for number in 0..<done { b.finish("s\(number)") }
    // What waits, then what runs with what is done.
    for _ in 0..<2 { b.send("/undo") }
    b.happen(.cancelled)
    b.happen(.ended)
    #expect(b.state.conversation.transcript.gallery == ["c0"] && b.state.work.queue.isEmpty)
    for _ in 0..<2 { b.send("/redo") }
    for number in done..<3 { b.finish("s\(number)") }
    let transcript = b.state.conversation.transcript
    #expect(transcript.gallery == ["c0", "s0", "s1", "s2"] && transcript.messages.count == 4, "\(texts(b))")
    #expect(transcript.messages.last?.pictures == ["s0", "s1", "s2"] && b.state.work.running == nil)
    b.send("/undo")
    #expect(b.state.conversation.transcript.messages.count == 2, "it goes as a whole")
    b.send("/redo")
    let back = b.state.conversation.transcript
    #expect(back.messages == transcript.messages && back.gallery == transcript.gallery)
  }

  /// A question that was cut off is asked anew, about the same picture.
  @Test func aQuestionThatWasCutOffIsAskedAnew() {
    var b = Bench()
    b.send("a cat")
    b.finish("c1")
    b.press(.tab)
    for text in ["what is it?", "/undo"] { b.send(text) }
    b.happen(.cancelled)
    b.happen(.ended)
    b.send("/redo")
    #expect(b.questions.map(\.pictures) == [["c1"], ["c1"]])
    b.answer("a cat")
    #expect(texts(b) == ["a cat", "c1", "what is it?", "a cat"])
  }

  // MARK: Questions

  @Test(arguments: [
    "what is in this picture?", "how many cats are there", "What colour is the car", "is there a dog",
    "where is the apple", "Who is this", "what's on the left", "are the two apples red",
    "describe this picture", "which animal is it?", "can you see a cat", "tell me what this is",
    "does it have a hat", "a cat, right?",
  ])
  func aQuestionIsDrawnAndSaidToBeOne(_ text: String) {
    var b = Bench()
    b.send(text)
    #expect(b.drawings.map(\.prompt) == [text])
    #expect(b.state.toast?.text.contains("Tab switches to Ask") == true && b.shows("looks like a question"))
    var c = Bench()
    c.press(.tab)
    c.send(text)
    #expect(c.questions.map(\.text) == [text] && c.state.toast?.text.contains("looks like") != true)
  }

  @Test(arguments: [
    "a red car on a white background", "a can of beans", "can of beans", "do not disturb sign",
    "what a day", "island in the sea", "how to train a dragon", "two whales",
    "a sign that says is this art", "which craft", "count dracula", "tell tale heart", "?",
    "whatever is left",
  ])
  func aPromptIsNoQuestion(_ text: String) {
    var b = Bench()
    b.send(text)
    #expect(b.drawings.count == 1 && b.state.toast == nil, "\(b.state.toast?.text ?? "")")
  }

  /// The person's own words are in the transcript and in the log; the model is asked about its picture.
  @Test func aQuestionKeepsItsWords() throws {
    let text = "what is in @cat.png?"
    var b = Bench()
    b.send(text)
    guard case .attachMentioned(let mentions)? = b.effects.last else {
      Issue.record("\(b.effects)")
      return
    }
    b.act(.mentionsFound(mentions, [0: .init(picture: "p1", name: "cat.png")]))
    #expect(b.questions.map(\.text) == ["what is in the picture?"] && b.shows(text))
    #expect(
      b.records.last
        == .asked(
          request: 1, text: "what is in the picture?", pictures: ["p1"], sampling: .init(), written: text))
    b.answer("a cat")
    b.send("/retry")
    #expect(b.questions.count == 2 && b.questions[0] == b.questions[1])
    b.answer("a cat")
    b.send("/edit")
    #expect(b.state.prompt.editor.string == text)
  }
}
