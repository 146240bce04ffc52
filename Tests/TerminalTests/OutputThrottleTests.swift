import Terminal
import Testing

@Suite struct LinePaceTests {
  @Test func aFastLineTakesEveryPreview() {
    var pace = LinePace()
    for i in 0..<20 {
      let now = Double(i) * 0.25
      #expect(pace.allowsPreview(at: now))
      let question = pace.sending(at: now)
      #expect(question == LinePace.question)
      pace.answered(at: now + 0.01)
    }
  }

  @Test func nothingPassesBehindAPictureOnItsWay() {
    var pace = LinePace()
    _ = pace.sending(at: 0)
    #expect(!pace.allowsPreview(at: 0.2))
    // It took two seconds: the line is left alone for six.
    pace.answered(at: 2)
    #expect(!pace.allowsPreview(at: 2.1) && !pace.allowsPreview(at: 7.9) && pace.allowsPreview(at: 8.1))
    // Two pictures are two answers.
    _ = pace.sending(at: 10)
    _ = pace.sending(at: 10.1)
    pace.answered(at: 10.2)
    #expect(!pace.allowsPreview(at: 10.3))
    pace.answered(at: 10.4)
    #expect(!pace.awaitsAnswer(at: 10.5) && pace.allowsPreview(at: 11.1))
  }

  @Test func aTerminalThatNeverAnswersIsNotWaitedFor() {
    var pace = LinePace()
    _ = pace.sending(at: 0)
    #expect(pace.awaitsAnswer(at: 2) && !pace.awaitsAnswer(at: 3.5))
    #expect(!pace.allowsPreview(at: 2) && pace.allowsPreview(at: 3.5))
    let question = pace.sending(at: 4)
    #expect(question.isEmpty && !pace.awaitsAnswer(at: 4))
    // An answer that nobody waits for is none.
    pace.answered(at: 5)
    let later = pace.sending(at: 6)
    #expect(!pace.awaitsAnswer(at: 5) && later.isEmpty)
  }
}
