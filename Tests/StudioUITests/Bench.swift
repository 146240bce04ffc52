import Frames
import SessionLog
import StudioUI

/// A studio whose effects are kept, and whose recorded events come back as the program gives them back.
struct Bench {
  var state = StudioState()
  var effects: [Effect] = []

  init(_ size: Size = Size(120, 36), isReady: Bool = true) {
    act(.resized(size, cell: Size(9, 19)))
    if isReady { act(.modelReady(name: "nano", parameters: 10_000_000, bytes: 40 << 20, canDraw: true)) }
  }

  mutating func act(_ action: Action) {
    var waiting = [action]
    while !waiting.isEmpty {
      for effect in reduce(&state, waiting.removeFirst()) {
        effects.append(effect)
        if case .record(let event) = effect {
          waiting.append(.session(SessionEntry(time: 0, event: event).event))
        }
      }
    }
  }

  mutating func press(_ keys: Key...) { keys.forEach { act(.key($0)) } }
  mutating func type(_ text: String) { text.forEach { act(.key(.character($0))) } }
  mutating func send(_ text: String) {
    type(text)
    press(.enter)
  }

  /// The drawings that were asked of the model.
  var drawings: [DrawingSettings] {
    effects.compactMap { if case .draw(_, let settings, _, _) = $0 { settings } else { nil } }
  }

  mutating func finish(_ picture: String, partial: Bool = false) {
    guard let request = state.running?.request, let settings = drawings.last else { return }
    act(
      .session(
        .drawn(
          request: request, picture: picture,
          origin: .init(settings, stepsDone: partial ? 12 : settings.steps),
          seconds: 0.5, isPartial: partial)))
    act(.ended(request: request))
  }

  func rows() -> [String] {
    let frame = view(state, LayoutCache())
    return (0..<frame.size.height).map(frame.row)
  }

  func shows(_ text: String) -> Bool { rows().contains { $0.contains(text) } }
}
