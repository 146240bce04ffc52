/// How fast a terminal takes pictures in, by asking it after each whether it is there (CSI 5 n): its answer comes once
/// it has read what lies before the question.
///
/// Final pictures are always sent. Previews, of which another comes soon, are sent only where the line has room, so
/// that keys and answers never wait behind pictures that nobody will look at. Times in seconds.
package struct OutputThrottle {
  package static let question: [UInt8] = Array("\u{1B}[5n".utf8)
  /// A picture that takes longer than this to arrive is felt.
  private static let slow = 0.25
  /// After this long a terminal that never answered is not one that does.
  private static let patience = 3.0

  /// Answers that are still to come, and when the first of their questions was sent.
  private var outstanding = 0
  private var asked = 0.0
  private var hasAnswered = false
  private var isMute = false
  /// How long the last answer took, and when it came.
  private var delay = 0.0
  private var answeredAt = -Double.infinity

  package init() {}

  /// Pictures are about to be sent. Returns what is to be sent behind them.
  package mutating func sending(at now: Double) -> [UInt8] {
    if isForsaken(at: now) { (isMute, outstanding) = (true, 0) }
    guard !isMute else { return [] }
    if outstanding == 0 { asked = now }
    outstanding += 1
    return Self.question
  }

  package mutating func answered(at now: Double) {
    guard outstanding > 0 else { return }
    outstanding -= 1
    (hasAnswered, isMute) = (true, false)
    (delay, answeredAt) = (now - asked, now)
    // The next question was sent no later than now.
    asked = now
  }

  /// Whether a preview may go now. A line that is slow is given three times as long as a picture takes for other things.
  package func allowsPreview(at now: Double) -> Bool {
    if isMute || isForsaken(at: now) { return true }
    return outstanding == 0 && (delay < Self.slow || now - answeredAt >= 3 * delay)
  }

  /// Whether an answer is on its way, as far as this terminal gives any.
  package func awaitsAnswer(at now: Double) -> Bool { outstanding > 0 && !isForsaken(at: now) }

  private func isForsaken(at now: Double) -> Bool {
    outstanding > 0 && !hasAnswered && now - asked > Self.patience
  }
}
