import Testing
import Training

struct ProgressPaceTests {
  @Test func aLineIsDueEveryHalfMinute() {
    var pace = ProgressPace(from: 100)
    let due = (100...220).filter { pace.isDue(at: Double($0)) }
    #expect(due == [130, 160, 190, 220])
    // After a long pause one line, not all that were missed.
    #expect(pace.isDue(at: 1000) && !pace.isDue(at: 1001))
  }
}
