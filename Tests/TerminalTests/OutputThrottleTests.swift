import Terminal
import Testing

@Suite struct OutputThrottleTests {
  @Test func aFastLineTakesEveryPreview() {
    var throttle = OutputThrottle()
    for i in 0..<20 {
      let now = Double(i) * 0.25
      #expect(throttle.allowsPreview(at: now))
      let question = throttle.sending(at: now)
      #expect(question == OutputThrottle.question)
      throttle.answered(at: now + 0.01)
    }
  }

  @Test func nothingPassesBehindAPictureOnItsWay() {
    var throttle = OutputThrottle()
    _ = throttle.sending(at: 0)
    #expect(!throttle.allowsPreview(at: 0.2))
    // It took two seconds: the line is left alone for six.
    throttle.answered(at: 2)
    #expect(
      !throttle.allowsPreview(at: 2.1) && !throttle.allowsPreview(at: 7.9) && throttle.allowsPreview(at: 8.1))
    // Two pictures are two answers.
    _ = throttle.sending(at: 10)
    _ = throttle.sending(at: 10.1)
    throttle.answered(at: 10.2)
    #expect(!throttle.allowsPreview(at: 10.3))
    throttle.answered(at: 10.4)
    #expect(!throttle.awaitsAnswer(at: 10.5) && throttle.allowsPreview(at: 11.1))
  }

  @Test func aTerminalThatNeverAnswersIsNotWaitedFor() {
    var throttle = OutputThrottle()
    _ = throttle.sending(at: 0)
    #expect(throttle.awaitsAnswer(at: 2) && !throttle.awaitsAnswer(at: 3.5))
    #expect(!throttle.allowsPreview(at: 2) && throttle.allowsPreview(at: 3.5))
    let question = throttle.sending(at: 4)
    #expect(question.isEmpty && !throttle.awaitsAnswer(at: 4))
    // An answer that nobody waits for is none.
    throttle.answered(at: 5)
    let later = throttle.sending(at: 6)
    #expect(!throttle.awaitsAnswer(at: 5) && later.isEmpty)
  }
}
