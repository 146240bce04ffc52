import Frames
import Requests

extension StudioState {
  mutating func performInspector(_ command: Command) -> [Effect] {
    guard let row = inspector.row else {
      if command == .goToInspector {
        if hasRoomForInspector { inspector.isHidden = false }
        inspector.row = 0
      }
      return []
    }
    if command == .eraseDigit { return enter(String(inspector.entry.dropLast()), row) }
    inspector.entry = ""
    switch command {
    case .rowUp: inspector.row = max(0, row - 1)
    case .rowDown: inspector.row = min(InspectorState.rows.count - 1, row + 1)
    case .leaveInspector: inspector.row = nil
    case .less: return turn(row, -1)
    case .more: return turn(row, 1)
    case .lessByTen: return turn(row, -10)
    case .moreByTen: return turn(row, 10)
    case .classGuidance: return row == 0 ? setGuidance(1.8) : []
    case .descriptionGuidance: return row == 0 ? setGuidance(5) : []
    default: break
    }
    return []
  }

  /// Digits typed at a row are its value, as far as it can have it.
  mutating func enter(_ text: String, _ row: Int) -> [Effect] {
    let entry = String(text.prefix(20))
    inspector.entry = entry
    guard let value = Double(entry) else { return [] }
    if row == 0 { return setGuidance(Float(value)) }
    inspector.controls.set(row, to: value, seed: UInt64(entry) ?? .max)
    return []
  }

  private mutating func turn(_ row: Int, _ by: Int) -> [Effect] {
    if row == 0 { return setGuidance(inspector.controls.guidance + Float(by) / 10) }
    inspector.controls.turn(row, by, lastSeed: conversation.lastDrawing?.seed)
    return []
  }
}

extension Controls {
  /// A row below the slider takes a number, as far as it can have it.
  fileprivate mutating func set(_ row: Int, to value: Double, seed: UInt64) {
    let whole = Format.whole(value)
    switch row {
    case 1: steps = whole.clamped(to: DrawingLimits.steps)
    case 2: self.seed = seed
    case 3: count = whole.clamped(to: DrawingLimits.count)
    case 4: decoderSteps = whole.clamped(to: DrawingLimits.shownDecoderSteps)
    default: temperature = Float(value).clamped(to: 0...2)
    }
  }

  /// A row below the slider goes up or down by so many steps of its own.
  fileprivate mutating func turn(_ row: Int, _ by: Int, lastSeed: UInt64?) {
    func moved(_ value: Int, _ range: ClosedRange<Int>) -> Int { (value + by).clamped(to: range) }
    switch row {
    case 1: steps = moved(steps, DrawingLimits.steps)
    case 2:
      if let seed {
        let far = UInt64(by.magnitude)
        self.seed = by > 0 ? seed + min(far, .max - seed) : seed < far ? nil : seed - far
      } else if by > 0 {
        seed = lastSeed ?? 0
      }
    case 3: count = moved(count, DrawingLimits.count)
    case 4: decoderSteps = moved(decoderSteps, DrawingLimits.shownDecoderSteps)
    default: temperature = Float(max(0, min(20, Int((temperature * 10).rounded()) + by))) / 10
    }
  }
}
