import Frames
import Requests
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
    // A command that was refused is still there.
    if state.prompt.editor.text.first == "/" { press(.control("u")) }
    type(text)
    press(.enter)
  }

  /// The number of the request that runs; 0 for none.
  var running: Int { state.work.running?.id ?? 0 }

  /// The requests that were handed to the model.
  var requests: [Request<PictureID>] {
    effects.compactMap { if case .start(_, let request) = $0 { request } else { nil } }
  }

  /// What waits to be drawn.
  var queued: [String] {
    state.work.queue.map { if case .imagine(let settings, _, _) = $0.request { settings.prompt } else { "" } }
  }

  var drawings: [ImageSettings] {
    requests.compactMap { if case .imagine(let settings, _, _) = $0 { settings } else { nil } }
  }

  var questions: [Question<PictureID>] {
    requests.compactMap { if case .ask(let question) = $0 { question } else { nil } }
  }

  /// What was to be written into the session.
  var records: [SessionEvent] {
    effects.compactMap { if case .record(let event) = $0 { event } else { nil } }
  }

  /// Something comes of the request that runs.
  mutating func happen(_ event: RequestEvent<PictureID>) { act(.request(running, event)) }

  mutating func finish(_ hash: String, partial: Bool = false) {
    guard case .imagine(let settings, _, _) = state.work.running?.request else { return }
    let done = partial ? 12 : settings.steps
    happen(.drawn(.hash(hash), settings, stepsDone: done, seconds: 0.5, isPartial: partial))
    happen(.ended)
  }

  mutating func answer(_ text: String) {
    happen(.answered(text: text, tokens: 1, seconds: 0.1, isPartial: false))
    happen(.ended)
  }

  /// Another session is opened.
  mutating func open(isReadOnly: Bool = false) {
    act(.sessionOpened(isReadOnly: isReadOnly, "opened", isError: false))
  }

  func rows() -> [String] {
    let frame = view(state, LayoutCache())
    return (0..<frame.size.height).map(frame.row)
  }

  func shows(_ text: String) -> Bool { rows().contains { $0.contains(text) } }
}

/// In tests a text is a stored picture's hash.
extension PictureID: ExpressibleByStringLiteral {
  public init(stringLiteral hash: String) { self = .hash(hash) }
}
