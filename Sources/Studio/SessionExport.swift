import Files
import Foundation
import Pictures
import Requests
import SessionLog
import Terminal

/// A session as a file that others can read.
public struct SessionExport {
  private let store: SessionStore
  private let id: String
  /// As they were logged, and as a person reads them.
  let entries: [SessionEntry], read: [SessionEntry]
  private let repeated: Set<Int>
  let title: String
  /// The models that it was made with, and when it was begun.
  let origin: String
  /// What pictures' files were called, and what they were drawn from.
  let names: [PictureID: String], prompts: [PictureID: String]
  private let outcomes: RequestOutcomes
  /// Pictures that are left out.
  private let bad: Set<String>
  /// What of the session is damaged, each in a line: entries that cannot be read, and pictures that are missing or are not
  /// those that were made, which are left out.
  public let damage: [String]

  /// Throws `SessionError`. What a studio works on that has the session open now is told as running.
  public init(_ store: SessionStore, _ id: String) throws {
    self = try SessionExport(store, id) { store.runningRequest(of: id, $0) }
  }

  /// - Parameter running: the request that a model works on, of the entries.
  init(_ store: SessionStore, _ id: String, running: ([SessionEntry]) -> Int?) throws {
    (self.store, self.id) = (store, id)
    let found = try store.contents(of: id), (all, lost) = (found.entries, found.lost)
    let goesOn = found.isNewer || store.isOpen(id)
    entries = all.told(whileOpen: goesOn).shown
    read = entries.byRequest
    repeated = entries.repeatedPrompts
    let pictures = store.damagedPictures(entries, of: id)
    bad = Set(pictures.map(\.hash))
    damage =
      (lost > 0 ? ["\(lost) damaged \(lost == 1 ? "entry" : "entries") could not be read"] : [])
      + pictures.map { "\($0.reason) and is left out" }
    let summary = try store.summary(of: id)
    title = summary.title
    origin = (all.models + [summary.begunText]).joined(separator: " · ")
    (names, prompts) = (all.pictureNames, all.picturePrompts)
    outcomes = RequestOutcomes(all, whileOpen: goesOn, running: running(all))
  }

  /// As it was made; nil for one that is left out.
  func picture(_ hash: String) -> Data? {
    bad.contains(hash) ? nil : try? store.picture(hash, of: id)
  }

  /// What `write` can write, as names of files end.
  public static let formats = ["md", "html", "json", "cast"]

  /// The format that a file's name tells; nil for one that tells none.
  public static func format(ofName name: String) -> String? {
    let ending = (name as NSString).pathExtension.lowercased()
    let known = ["htm": "html", "markdown": "md"][ending] ?? ending
    return formats.contains(known) ? known : nil
  }

  /// How a cast shows pictures: players on the web know no sixel, terminals may.
  public enum CastPictures: String, CaseIterable, Sendable { case blocks, sixel }

  /// Writes the session; Markdown's pictures go into a folder beside it. Returns the path.
  ///
  /// - Parameters:
  ///   - format: one of `formats`.
  ///   - path: where to. `FileReservation` gives one that no other program gets at the same moment.
  public func write(_ format: String, to path: String, pictures: CastPictures = .blocks) throws -> String {
    let folder = FileName.parent(of: path)
    // Else a name that was mistyped would make folders.
    guard path == "-" || folder.isEmpty || FileName.isFolder(folder) else {
      throw FileAccessError(path, "cannot be written: there is no folder \(folder)")
    }
    guard format != "md" else {
      try writeMarkdown(to: path)
      return path
    }
    let text = format == "html" ? html() : format == "json" ? try json() : try cast(pictures)
    try AtomicFile.write(Data(text.utf8), to: path)
    return path
  }

  /// A name of the session's own.
  ///
  /// - Parameter folder: where; empty for the working folder.
  public func name(_ format: String, in folder: String = "") -> String {
    let name = "vugen-\(id).\(format)"
    return folder.isEmpty ? name : TypedPath.path(of: name, in: folder)
  }

  static func pictureFolder(beside path: String) -> String {
    let name = FileName.last(of: path), ending = "-pictures"
    let stem = FileName.fitting((name as NSString).deletingPathExtension, before: ending)
    return path.dropLast(name.count) + stem + ending
  }

  /// Where Markdown's pictures lie; nil where the session has none.
  public func pictureFolder(of path: String) -> String? {
    let folder = Self.pictureFolder(beside: path)
    return entries.flatMap(\.event.pictures).compactMap(\.stored).contains { picture($0) != nil }
      ? folder : nil
  }

  private func json() throws -> String {
    String(decoding: try JSONText.lines(entries), as: UTF8.self) + "\n"
  }

  private func html() -> String {
    func escaped(_ text: String) -> String {
      text.terminalSafe.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(
        ">", with: "&gt;"
      )
      .replacing("\n", with: "<br>")
    }
    func quoted(_ text: String) -> String { escaped(text.inOneLine).replacing("\"", with: "&quot;") }
    var body = ""
    for entry in read {
      if let line = line(entry.event) {
        body += "<p class=\"\(line.isPerson ? "you" : "model")\">\(escaped(line.text))</p>\n"
      }
      for picture in entry.event.pictures {
        guard let hash = picture.stored, let data = self.picture(hash) else { continue }
        let name = names[picture].map(quoted) ?? ""
        let alternative = name.isEmpty ? prompts[picture].map(quoted) ?? "a picture" : name
        let image = "<img alt=\"\(alternative)\" src=\"data:image/png;base64,\(data.base64EncodedString())\">"
        body += name.isEmpty ? image + "\n" : "<figure>\(image)<figcaption>\(name)</figcaption></figure>\n"
      }
    }
    return """
      <!doctype html>
      <html lang="en"><meta charset="utf-8"><title>\(escaped(title.inOneLine))</title>
      <style>
      body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif;
        color: #222; background: #fbfbfa; }
      .you { font-weight: 600; margin-top: 2rem; }
      figure { margin: 0; }
      .origin, figcaption { font-size: .85rem; opacity: .7; }
      img { width: 256px; image-rendering: pixelated; border-radius: 4px; margin-right: .5rem; }
      @media (prefers-color-scheme: dark) { body { color: #ddd; background: #17191d; } }
      </style>
      <h1>\(escaped(title))</h1>
      <p class="origin">\(escaped(origin.inOneLine))</p>
      \(body)</html>

      """
  }

  /// asciicast v3, with a marker at everything that the person said.
  private func cast(_ pictures: CastPictures) throws -> String {
    func quoted(_ text: String) throws -> String { String(decoding: try JSONText.line(text), as: UTF8.self) }
    var lines = [
      "{\"version\":3,\"term\":{\"cols\":80,\"rows\":30},\"timestamp\":\(Int(max(0, min(1e11, (entries.first?.time).flatMap { $0.isFinite ? $0 : nil } ?? 0)))),"
        + "\"title\":\(try quoted(title))}"
    ]
    var last = entries.first?.time ?? 0
    for entry in read {
      var output = ""
      if let line = line(entry.event) {
        output +=
          (line.isPerson ? "\r\n\u{1B}[1;33m› " : "\u{1B}[0m  ")
          + line.text.terminalSafe.replacing("\n", with: "\r\n  ") + "\u{1B}[0m\r\n"
        if line.isPerson { lines.append("[0,\"m\",\(try quoted(line.text.inOneLine))]") }
      }
      for shown in entry.event.pictures {
        if let name = names[shown] { output += "  \(name.oneLine)\r\n" }
        guard let hash = shown.stored, let data = picture(hash),
          let picture = try? Picture(bytes: [UInt8](data), name: hash)
        else { continue }
        if pictures == .sixel {
          output += "  " + String(decoding: picture.sixelData(), as: UTF8.self) + "\r\n"
          continue
        }
        let columns = 32, rows = max(1, min(columns * picture.height / picture.width / 2, 4 * columns))
        output += picture.halfBlocks(columns: columns, rows: rows).map { "  \($0)\r\n" }.joined()
      }
      guard !output.isEmpty else { continue }
      lines.append(
        "[\(String(format: "%.3f", max(0, min(3, entry.time - last)))),\"o\",\(try quoted(output))]")
      last = max(last, entry.time)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What an event says, and whether a person said it. What nothing came of says so.
  func line(_ event: SessionEvent) -> (text: String, isPerson: Bool)? {
    switch event {
    case .asked(let request, let text, _, _, let written):
      ((written ?? text) + outcomes.label(of: request), true)
    case .drawingAsked(let request, _, _, _, _) where repeated.contains(request): nil
    case .drawingAsked(let request, let settings, _, _, _):
      (settings.prompt + outcomes.label(of: request), true)
    case .answered(_, let text, _, _, let isPartial): (text + (isPartial ? " (cancelled here)" : ""), false)
    case .drawn(_, _, let origin, let seconds, let isPartial):
      (
        "seed \(origin.settings.seed), guidance \(origin.settings.guidanceScale), "
          + (isPartial ? "cancelled after " : "") + "\(origin.stepsDone) steps, "
          + origin.settings.unusual.map { "\($0.inOneLine), " }.joined() + String(format: "%.1f s", seconds),
        false
      )
    case .note(let text): (text, false)
    case .failed(_, let reason): ("failed: \(reason)", false)
    default: nil
    }
  }
}
