import Requests
import SessionLog

/// Commands that set something, or draw at several settings.
extension StudioState {
  /// Sets what a command names, and says what holds then.
  mutating func performSetting(_ command: Command, _ argument: String) -> [Effect] {
    if command == .cfg { return setGuidance(as: argument) }
    if let problem = inspector.controls.set(command, argument) { return fail(problem) }
    say(inspector.controls.said(command))
    return []
  }

  private mutating func setGuidance(as argument: String) -> [Effect] {
    guard let value = Controls.decimal(argument, in: Controls.guidanceRange) else {
      return fail("/cfg takes \(DrawingDefaults.guidanceLimits)")
    }
    let effects = setGuidance(value)
    // Another picture is meant only where the last thing was one.
    if case .imagine = conversation.lastRequest {} else { work.sliderDue = nil }
    let told = work.sliderDue == nil ? "" : "; the picture is drawn again"
    say("guidance \(Format.scale(inspector.controls.guidance))\(told)")
    return effects
  }

  /// "1..9", with a step behind a comma: "1..9,2"; "9..1" falls.
  mutating func sweep(_ argument: String) -> [Effect] {
    guard let settings = conversation.lastDrawing.map(asShown) ?? drawingFromPrompt() else {
      return fail("draw something first, then sweep")
    }
    let parts = (argument.isEmpty ? "1..9" : argument).split(
      separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= 2, let ends = Controls.ends(String(parts[0]), in: Controls.guidanceRange),
      ends.from != ends.to
    else { return fail("/sweep takes two scales from \(DrawingDefaults.guidanceLimits), as in /sweep 1..9") }
    let length = abs(ends.to - ends.from), sign: Float = ends.to < ends.from ? -1 : 1,
      least = Controls.leastScale, slack = least / 100
    guard length + slack >= least else {
      return fail("/sweep takes scales that are \(Format.scale(least)) apart or more, as in /sweep 1..9")
    }
    let told =
      parts.count == 2
      ? Controls.decimal(parts[1].trimmingCharacters(), in: Controls.guidanceRange)
      : max(min(1, length), length / 8)
    // 33 pictures at most.
    let shortest = max(least, (length / 32 * 10).rounded(.up) / 10)
    guard let step = told, shortest - slack <= step, step <= length + slack else {
      return fail(
        "/sweep takes a step of \(Format.shortScale(shortest)) to \(Format.shortScale(length)) there, as in "
          + "/sweep \(Format.shortScale(ends.from))..\(Format.shortScale(ends.to)),\(Format.shortScale(shortest))"
      )
    }
    var effects: [Effect] = []
    let first = work.nextRequest
    for scale in stride(from: ends.from, through: ends.to + sign * step / 100, by: sign * step) {
      var one = settings
      one.guidanceScale = sign > 0 ? min(scale, ends.to) : max(scale, ends.to)
      effects += submit(.imagine(one, count: 1, parent: nil), .init(sweep: first))
    }
    return effects
  }
}

extension Controls {
  /// Scales and times that are nearer to each other are shown alike.
  static let leastScale: Float = 0.1, leastTime: Float = 0.01

  /// Sets what a command names; returns what is wrong with the argument.
  fileprivate mutating func set(_ command: Command, _ argument: String) -> String? {
    func whole(_ range: ClosedRange<Int>) -> Int? {
      Int(argument).flatMap { range.contains($0) ? $0 : nil }
    }
    switch command {
    case .steps:
      guard let value = whole(DrawingLimits.steps) else { return "/steps takes 1 to 1000" }
      steps = value
    case .count:
      guard let value = whole(DrawingLimits.count) else { return "/count takes 1 to 16" }
      count = value
    case .seed:
      // −1 is what other programs call it.
      let isRandom = ["random", "", "-1"].contains(argument.lowercased())
      guard let value = isRandom ? 0 : UInt64(argument) else {
        return "/seed takes 0 to \(UInt64.max), or random (also -1)"
      }
      seed = isRandom ? nil : value
    // What nobody can see says nothing.
    case .negative: negative = argument.contains(where: \.isVisible) ? argument : ""
    case .solver:
      guard let solver = Solver(rawValue: argument.lowercased()) else { return "/solver takes euler or heun" }
      self.solver = solver
    default:
      let told = Self.ends(argument, in: 0...1)
      if let told, told.from > told.to {
        return "/interval takes the smaller time first, as in /interval "
          + "\(Format.decimal(Double(told.to), 2))..\(Format.decimal(Double(told.from), 2))"
      }
      guard let ends = told, ends.to - ends.from >= Self.leastTime - 1e-6 else {
        return
          "/interval takes two times from 0 to 1, \(Format.decimal(Double(Self.leastTime), 2)) apart or more, "
          + "as in /interval 0.2..0.8"
      }
      (guidanceStart, guidanceEnd) = ends
    }
    return nil
  }

  /// What a command has set, as it holds now, however it was typed.
  fileprivate func said(_ command: Command) -> String {
    func time(_ value: Float) -> String { Format.decimal(Double(value), 2) }
    let value =
      switch command {
      case .steps: "\(steps)"
      case .count: "\(count)"
      case .seed: seed.map { "\($0)" } ?? "random: a new one for each request"
      case .negative: negative.isEmpty ? "cleared" : negative
      case .solver: solver.rawValue
      default: "\(time(guidanceStart))..\(time(guidanceEnd))"
      }
    return "\(command.rawValue) \(value)"
  }

  /// A number as people write it: digits, and a point where it has a fraction. nil for one that is not in the range, by
  /// however little.
  fileprivate static func decimal(_ text: String, in range: ClosedRange<Float>) -> Float? {
    guard text.allSatisfy({ "0123456789.+-".contains($0) }), let value = Double(text),
      Double(range.lowerBound) <= value, value <= Double(range.upperBound)
    else { return nil }
    return Float(value)
  }

  /// The two numbers of "1..9".
  fileprivate static func ends(_ text: String, in range: ClosedRange<Float>) -> (from: Float, to: Float)? {
    let parts = text.replacing("..", with: "~").split(separator: "~", omittingEmptySubsequences: false)
    let ends = parts.compactMap { decimal($0.trimmingCharacters(), in: range) }
    return parts.count == 2 && ends.count == 2 ? (ends[0], ends[1]) : nil
  }
}
