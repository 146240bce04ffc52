import Frames
import Requests

/// A message as lines of a certain width.
struct LaidMessage {
  enum Look { case text, dim, user, model, studio, error }

  var lines: [(text: String, look: Look)] = []
  /// Pictures: first line, column, cells.
  var pictures: [(name: PictureID, line: Int, x: Int, cells: Size)] = []

  init(_ message: Message, width: Int, _ state: StudioState) {
    switch message.speaker {
    case .person: lines.append(("you", .user))
    case .model: lines.append((state.modelName, .model))
    case .studio: break
    }
    let look: Look = message.isError ? .error : message.speaker == .studio ? .studio : .text
    if !message.text.isEmpty {
      lines += TextWidth.wrapped(message.text, max(1, width - 2)).map { ("  " + $0, look) }
    }
    add(message.pictures, width, state)
    if !message.facts.isEmpty {
      lines += TextWidth.wrapped(message.facts, max(1, width - 2)).map { ("  " + $0, .dim) }
    }
    lines.append(("", .text))
  }

  /// Pictures side by side, as many as fit into a row.
  mutating func add(_ names: [PictureID], _ width: Int, _ state: StudioState) {
    guard state.terminal.hasPictures else {
      lines += names.map { name in
        ("  [picture \(name.short)\(state.album.missing.contains(name) ? " is missing" : "")]", .dim)
      }
      return
    }
    let most = Size(
      max(4, min(width - 4, names.count > 4 ? width / 5 : names.count > 1 ? width / 3 : width * 2 / 3)),
      max(3, min(state.transcriptHeight - 3, names.count > 4 ? 8 : names.count > 1 ? 10 : 14)))
    var x = 2, tallest = 0
    for name in names {
      let cells = state.cells(of: name, within: most)
      if x > 2, x + cells.width > width {
        lines += [(String, Look)](repeating: ("", .text), count: tallest)
        (x, tallest) = (2, 0)
      }
      pictures.append((name, lines.count, x, cells))
      x += cells.width + 1
      tallest = max(tallest, cells.height)
    }
    lines += [(String, Look)](repeating: ("", .text), count: tallest)
  }
}

/// Keeps messages' lines as long as all that they are made of stays the same: a long transcript is laid out once.
public final class LayoutCache {
  /// What a message's lines were made of. Compared by value: numbers that stand for it may come again.
  private struct Source {
    let message: Message
    let width, height: Int
    let cell: Size
    let sizes: [Size?]
    let isMissing: [Bool]
    let modelName: String
    let hasPictures: Bool

    init(_ message: Message, _ width: Int, _ state: StudioState) {
      (self.message, self.width, height) = (message, width, state.transcriptHeight)
      (cell, hasPictures, modelName) = (state.terminal.cell, state.terminal.hasPictures, state.modelName)
      sizes = message.pictures.map { state.album.sizes[$0] }
      isMissing = message.pictures.map(state.album.missing.contains)
    }

    /// Whether these are the message's lines now. Called for each message below the top of the screen, at each frame.
    func isStill(_ message: Message, _ width: Int, _ state: StudioState) -> Bool {
      guard self.width == width, self.message == message, modelName == state.modelName else { return false }
      return message.pictures.isEmpty
        || height == state.transcriptHeight && cell == state.terminal.cell
          && hasPictures == state.terminal.hasPictures
          && message.pictures.indices.allSatisfy {
            sizes[$0] == state.album.sizes[message.pictures[$0]]
              && isMissing[$0] == state.album.missing.contains(message.pictures[$0])
          }
    }
  }

  private var kept: [Int: (source: Source, laid: LaidMessage)] = [:]
  /// How many messages were laid out, for tests of what that costs.
  public private(set) var laidOut = 0

  /// Nothing laid out yet.
  public init() {}

  func laid(_ message: Message, width: Int, _ state: StudioState) -> LaidMessage {
    if let old = kept[message.id], old.source.isStill(message, width, state) { return old.laid }
    let laid = LaidMessage(message, width: width, state)
    laidOut += 1
    if kept.count > 20_000 { kept.removeAll() }
    kept[message.id] = (Source(message, width, state), laid)
    return laid
  }
}

/// What of the transcript can be seen.
struct TranscriptLayout {
  /// First row on the screen of each visible message; it may be above the screen.
  var visible: [(laid: LaidMessage, top: Int)] = []
  /// Lines above the screen, as far as they were counted: scrolling stops at 0.
  var hasMore = false
  var scroll: Int

  init(_ state: StudioState, _ cache: LayoutCache) {
    // A column stays free on either side.
    let width = state.transcriptWidth - 2, height = state.transcriptHeight
    var blocks = state.runningMessage.map { [LaidMessage($0, width: width, state)] } ?? []
    var total = blocks.reduce(0) { $0 + $1.lines.count }
    var index = state.conversation.transcript.messages.count - 1
    // From the end upwards, until the screen is full.
    while index >= 0, total < height + state.conversation.scroll {
      let laid = cache.laid(state.conversation.transcript.messages[index], width: width, state)
      blocks.append(laid)
      total += laid.lines.count
      index -= 1
    }
    hasMore = index >= 0 || total > height + state.conversation.scroll
    scroll = max(0, min(state.conversation.scroll, total - height))
    // The last line stands at the bottom, or the first at the top where there is room.
    var bottom = total < height ? total : height + scroll
    for laid in blocks {
      bottom -= laid.lines.count
      if bottom < height, bottom + laid.lines.count > 0 { visible.append((laid, bottom)) }
    }
  }

  /// The picture at a cell of the screen.
  static func picture(at x: Int, _ y: Int, _ state: StudioState) -> PictureID? {
    guard y < state.transcriptHeight, x < state.transcriptWidth else { return nil }
    for (laid, top) in TranscriptLayout(state, LayoutCache()).visible {
      for picture in laid.pictures {
        if Rect(picture.x, top + picture.line, picture.cells.width, picture.cells.height).contains(x, y) {
          return picture.name
        }
      }
    }
    return nil
  }
}

extension StudioState {
  var modelName: String {
    if case .ready(let name, _, _, _) = work.model { return name }
    return "model"
  }

  /// What the running request has brought so far, as a message.
  var runningMessage: Message? {
    guard let running = work.running else { return nil }
    var message = Message(id: -1, .model, running.text)
    if running.isDrawing {
      if let preview = running.preview { message.pictures = [preview] }
      let which =
        running.count > 1 ? "picture \(min(running.picture + 1, running.count)) of \(running.count), " : ""
      message.facts = "\(which)step \(running.step) of \(running.steps)"
    } else if running.text.isEmpty {
      message.facts = "reading…"
    }
    return message
  }
}
