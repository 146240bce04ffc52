import Frames
import Requests

/// A message as lines of a certain width.
struct LaidMessage {
  enum Look { case text, dim, user, model, studio, error }

  var lines: [(text: String, look: Look)] = []
  /// Pictures: first line, column, cells.
  private(set) var pictures: [(name: PictureID, line: Int, x: Int, cells: Size)] = []
  private(set) var isStrip = false

  init(_ message: Message, width: Int, _ state: StudioState) {
    switch message.speaker {
    case .person: lines.append(("you", .user))
    case .model: lines.append((message.model.isEmpty ? state.modelName : message.model.oneLine, .model))
    case .studio: break
    }
    let look: Look = message.isError ? .error : message.speaker == .studio ? .studio : .text
    if !message.text.isEmpty {
      lines += TextWidth.wrapped(Self.readable(message.text), max(1, width - 2)).map { ("  " + $0, look) }
    }
    if !message.pictures.isEmpty { add(message, width, state) }
    if let told = Self.deletion(message, state) {
      lines += TextWidth.wrapped(told, max(1, width - 2)).map { ("  " + $0, .dim) }
    }
    if !message.facts.isEmpty {
      lines += TextWidth.wrapped(message.facts, max(1, width - 2)).map { ("  " + $0, .dim) }
    }
    lines.append(("", .text))
  }

  /// In the place of pictures that were deleted.
  private static func deletion(_ message: Message, _ state: StudioState) -> String? {
    let count = message.allPictures.count - message.pictures.count
    guard count > 0 else { return nil }
    if message.isRepeated || state.conversation.isReadOnly || state.conversation.replay != nil {
      return count == 1 ? "(deleted)" : "(\(Format.number(count, "picture")) deleted)"
    }
    let what = message.allPictures.count == 1 ? "deleted" : "\(Format.number(count, "picture")) deleted"
    return "(\(what); /redo or z in the gallery restores \(count == 1 ? "it" : "the last"))"
  }

  /// A text as far as anybody reads it: a log from anywhere may hold one of many megabytes.
  private static func readable(_ text: String) -> String {
    let most = 200_000, bytes = text.utf8.count
    guard bytes > 2 * most else { return text }
    let size = bytes < 1_000_000 ? "\(bytes / 1000) kB" : "\(bytes / 1_000_000) MB"
    return "\(text.prefix(most))\n… cut here; all of it, \(size), is in the session's log"
  }

  /// Pictures side by side, as many as fit into a row, each with its label below it.
  private mutating func add(_ message: Message, _ width: Int, _ state: StudioState) {
    let names = message.pictures
    isStrip = message.isStrip
    guard state.terminal.hasPictures else {
      lines += names.map { name in
        let label = message.labels[name].map { " \($0)" } ?? ""
        return (
          "  [picture \(name.short)\(label)\(state.album.missing.contains(name) ? " is missing" : "")]", .dim
        )
      }
      return
    }
    let most = state.room(for: message, width: width)
    var row: [(name: PictureID, x: Int, cells: Size)] = [], x = 2
    for name in names {
      let cells = state.cells(of: name, within: most)
      // Labels need their room, too.
      let tile = max(cells.width, message.isStrip ? min(most.width, 13) : 0)
      if x > 2, x + tile > width {
        endRow(row, message, width)
        (row, x) = ([], 2)
      }
      row.append((name, x, cells))
      x += tile + 1
    }
    endRow(row, message, width)
  }

  private mutating func endRow(
    _ row: [(name: PictureID, x: Int, cells: Size)], _ message: Message, _ width: Int
  ) {
    pictures += row.map { ($0.name, lines.count, $0.x, $0.cells) }
    lines += [(String, Look)](repeating: ("", .text), count: row.map(\.cells.height).max() ?? 0)
    guard row.contains(where: { message.labels[$0.name] != nil }) else { return }
    var line = ""
    for (i, tile) in row.enumerated() {
      let end = i + 1 < row.count ? row[i + 1].x - 1 : width
      line += String(repeating: " ", count: max(0, tile.x - TextWidth.columns(line)))
      line += Self.label(message.labels[tile.name] ?? "", min(20, end - tile.x, width - tile.x))
    }
    lines.append((line, .dim))
  }

  /// What tells a picture from the one beside it. In little room that is the number alone, or its end: seeds that follow each
  /// other differ there.
  private static func label(_ text: String, _ width: Int) -> String {
    let words = text.split(separator: " ")
    guard TextWidth.columns(text) > width, width > 1, words.count > 1, let number = words.last else {
      return TextWidth.fitted(text, width)
    }
    return number.count <= width ? String(number) : "…" + number.suffix(width - 1)
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
    let pictureSize: Int

    init(_ message: Message, _ width: Int, _ state: StudioState) {
      (self.message, self.width, height) = (message, width, state.upperHeight)
      (cell, hasPictures, modelName) = (state.terminal.cell, state.terminal.hasPictures, state.modelName)
      pictureSize = state.terminal.pictureSize
      sizes = message.pictures.map { state.album.sizes[$0] }
      isMissing = message.pictures.map(state.album.missing.contains)
    }

    /// Whether these are the message's lines now. Called for each message below the top of the screen, at each frame.
    func isStill(_ message: Message, _ width: Int, _ state: StudioState) -> Bool {
      guard self.width == width, self.message == message, modelName == state.modelName else { return false }
      return message.pictures.isEmpty
        || height == state.upperHeight && cell == state.terminal.cell
          && hasPictures == state.terminal.hasPictures && pictureSize == state.terminal.pictureSize
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
  /// Where that is, put right: never beyond the first line or the last; nil at the end.
  private(set) var scroll: ScrollPlace?
  /// Messages that lie below the screen, one of which only the end is hidden among them.
  var hiddenMessages: Int { scroll.map { last - $0.message + ($0.below > 0 ? 1 : 0) } ?? 0 }

  private let state: StudioState
  private let cache: LayoutCache
  private let live: [Message]
  private let height: Int
  private var last: Int { state.conversation.transcript.messages.count + live.count - 1 }

  init(_ state: StudioState, _ cache: LayoutCache) { self.init(state, cache, at: state.conversation.scroll) }

  /// - Parameters:
  ///   - place: the line at the bottom of the screen.
  ///   - lines: so many further up, or down where they are less than nothing.
  init(_ state: StudioState, _ cache: LayoutCache, at place: ScrollPlace?, up lines: Int = 0) {
    (self.state, self.cache, live) = (state, cache, state.liveMessages)
    height = state.transcriptHeight
    scroll = moved(from: place ?? ScrollPlace(message: last, below: 0), up: lines)
    guard last >= 0 else { return }
    let place = scroll ?? ScrollPlace(message: last, below: 0)
    // From the bottom upwards, until the screen is full.
    var blocks: [LaidMessage] = [], index = place.message, total = -place.below
    while index >= 0, total < height {
      blocks.append(laid(index))
      total += blocks[blocks.count - 1].lines.count
      index -= 1
    }
    // The last line stands at the bottom, or the first at the top where there is room.
    var bottom = min(total, height) + place.below
    for laid in blocks {
      bottom -= laid.lines.count
      if bottom < height, bottom + laid.lines.count > 0 { visible.append((laid, bottom)) }
    }
  }

  /// A message's lines. What moves is laid out anew each time.
  private func laid(_ index: Int) -> LaidMessage {
    // A column stays free on either side.
    let width = state.transcriptWidth - 2, messages = state.conversation.transcript.messages
    return index < messages.count
      ? cache.laid(messages[index], width: width, state)
      : LaidMessage(live[index - messages.count], width: width, state)
  }

  /// So many lines further up; nil at the end.
  private func moved(from place: ScrollPlace, up lines: Int) -> ScrollPlace? {
    guard last >= 0 else { return nil }
    var index = place.message.clamped(to: 0...last), below = max(0, place.below) + lines
    while below < 0, index < last {
      index += 1
      below += laid(index).lines.count
    }
    while index > 0, below >= laid(index).lines.count {
      below -= laid(index).lines.count
      index -= 1
    }
    // A full screen stands above the place.
    var above = laid(index).lines.count - below, first = index
    while above < height, first > 0 {
      first -= 1
      above += laid(first).lines.count
    }
    below -= max(0, height - above)
    while below < 0, index < last {
      index += 1
      below += laid(index).lines.count
    }
    return index == last && below <= 0 ? nil : ScrollPlace(message: index, below: max(0, below))
  }

  /// The place at which a message's first line stands at the top of the screen.
  static func place(of message: Int, _ state: StudioState) -> ScrollPlace? {
    let layout = TranscriptLayout(state, LayoutCache())
    guard (0...max(0, layout.last)).contains(message), layout.last >= 0 else { return nil }
    let lines = layout.laid(message).lines.count
    return layout.moved(from: ScrollPlace(message: message, below: lines), up: -layout.height)
  }

  /// The picture at a cell of the screen, and the message that shows it.
  static func picture(at x: Int, _ y: Int, _ state: StudioState) -> (name: PictureID, isOfStrip: Bool)? {
    guard y < state.transcriptHeight, x < state.transcriptWidth else { return nil }
    for (laid, top) in TranscriptLayout(state, LayoutCache()).visible {
      for picture in laid.pictures {
        let rect = Rect(picture.x + 1, top + picture.line, picture.cells.width, picture.cells.height)
        if rect.contains(x, y) { return (picture.name, laid.isStrip) }
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

  /// What the running request has brought so far, and what waits, as messages below the others.
  var liveMessages: [Message] {
    guard let running = work.running else { return [waitingMessage ?? unfinishedMessage].compactMap(\.self) }
    // It goes on with what is there of it.
    let goesOn = conversation.transcript.hasAnswer(running.job.options.sweep ?? running.id)
    var message = Message(id: -1, goesOn ? .studio : .model, running.text)
    if running.isDrawing {
      message.isStrip = running.count > 1 || running.job.options.sweep != nil
      if let preview = running.preview { message.add(preview, isDeleted: false) }
      let which =
        running.count > 1 ? "picture \(min(running.picture + 1, running.count)) of \(running.count), " : ""
      message.facts = "\(which)step \(running.step) of \(running.steps)"
    } else if running.text.isEmpty {
      message.facts = "reading…"
    }
    return [message] + (waitingMessage.map { [$0] } ?? [])
  }

  /// What had not ended when the session was left, until it is asked again or dropped.
  private var unfinishedMessage: Message? {
    let count = conversation.promptsLeft
    guard count > 0, !conversation.isReadOnly, conversation.replay == nil else { return nil }
    let what = count == 1 ? "1 request was not finished" : "\(count) requests were not finished"
    let them = count == 1 ? "it" : "them"
    var text = "\(what); /retry asks \(them) again, /stop all drops \(them)"
    if case .ready(let name, _, _, _) = work.model, let own = conversation.unfinishedModel,
      conversation.unfinished[0].model == nil, !isUnfinishedModel
    {
      let (before, now) = (own.name.oneRow, name.oneRow)
      text +=
        conversation.lacksUnfinishedModel
        ? "\nthe model was \(before), which is not found here: /retry asks \(now), /model loads another"
        : "\nthe model was \(before), and is \(now) now: /retry goes back to \(before)"
    }
    return Message(id: -3, .studio, text)
  }

  /// Requests that wait, and models, a line each, as far as there is room; sweeps as one.
  private var waitingMessage: Message? {
    let groups = work.lines
    guard !groups.isEmpty else { return nil }
    var lines = groups.prefix(3).map { "next: \($0.title.oneRow)" }
    if groups.count > 3 { lines.append("and \(groups.count - 3) more; Ctrl-Q opens the queue") }
    return Message(id: -2, .studio, lines.joined(separator: "\n"))
  }
}
