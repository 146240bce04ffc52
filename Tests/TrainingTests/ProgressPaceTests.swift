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

struct SheetPaceTests {
  /// Sheets that take ten seconds each, where one is wanted every minute: they take a twentieth of the time.
  @Test func sheetsTakeATwentiethOfTheTimeAtMost() {
    for (cost, minutes, most) in [(10.0, 1.0, 0.0500001), (1, 1, 0.0170), (100, 0, 0.0500001)] {
      var pace = SheetPace(minutes: minutes), time = 0.0, spent = 0.0, sheets = 0
      while time < 20_000 {
        time += 0.5
        guard pace.isDue(at: time) else { continue }
        (time, spent, sheets) = (time + cost, spent + cost, sheets + 1)
        pace.note(drawn: cost, at: time)
        // Behind the first, whose cost nobody knew.
        if sheets > 1 { #expect((spent - cost) / time <= most, "\(cost) \(minutes)") }
      }
      #expect(sheets >= 9, "\(cost) \(minutes): \(sheets)")
    }
    #expect(!SheetPace(minutes: nil).isDue(at: 1e12))
  }

  /// None takes longer than its share of what has passed, the first and the last neither; half a minute is nobody's loss.
  @Test func oneSheetIsLimited() {
    var pace = SheetPace(minutes: 10)
    #expect(pace.limit(at: 1) == 30 && pace.limit(at: 10_000) == 500)
    pace.note(drawn: 500, at: 10_500)
    #expect(pace.limit(at: 10_600) == 30 && pace.limit(at: 20_500) == 500)
  }
}

struct ProgressTextTests {
  /// Step, losses, what is held out, pictures a second now and on average, memory, time left.
  @Test func aLineSaysHowARunGoes() {
    let report = Trainer.Report(
      step: 120, loss: 1.96749, terms: [("text", 1.785), ("flow", 0.25)], gradientNorm: 3, rate: 1e-4)
    let pace = TrainingLoop.Pace(picturesPerSecond: 5.84, secondsLeft: 2 * 3600 + 65)
    var text = ProgressText(steps: 500)
    #expect(
      text.whole(report, pace, recent: 12.4, bytes: nil)
        == "step 120/500  loss 1.967  text 1.785  flow 0.250  12 pictures/s (on average 5.8)  2 h 1 min left")
    text.validation = (Validation(step: 100, loss: 2.5), true)
    #expect(
      text.whole(report, pace, recent: 6.25, bytes: 1_540_000_000)
        == "step 120/500  loss 1.967  text 1.785  flow 0.250  validation 2.500 at step 100, the lowest  6.2 pictures/s (on average 5.8)  1.5 GB in use  2 h 1 min left"
    )
    text.validation = (Validation(step: 110, loss: 2.75), false)
    #expect(
      text.brief(report, TrainingLoop.Pace(picturesPerSecond: 10, secondsLeft: .infinity))
        == "step 120/500  loss 1.967  text 1.785  flow 0.250  validation 2.750 at step 110  10 pictures/s  277777 h 46 min left"
    )
  }
}
