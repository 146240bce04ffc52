import Digests
import Files
import Foundation
import Pictures
import Requests
import SessionLog
import Studio
import TestSupport
import Testing

/// Sessions as files that others read.
struct SessionExportTests {
  private let store: SessionStore
  private let id = "20260101-000000-aaaa"
  /// SHA-256 of the bytes 1, 2, 3: a picture of another content is left out.
  private static let hash = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"

  init() throws {
    store = SessionStore(folder: temporaryPath())
    let file = try SessionFile(store, id: id)
    file.keep(Data([1, 2, 3]), as: Self.hash)
    var settings = ImageSettings(prompt: "a *red* <apple>")
    settings.seed = 7
    for (i, event) in [
      SessionEvent.asked(
        request: 1, text: "What is\u{1B}[2J this?", pictures: [.hash(Self.hash)], sampling: .init()),
      .answered(request: 1, text: "- a cat", tokens: 3, seconds: 0.2, isPartial: false),
      .drawingAsked(request: 2, settings: settings, count: 1, parent: nil),
    ].enumerated() {
      file.append(SessionEntry(time: Double(i), event: event))
    }
  }

  private func written(_ format: String) throws -> (text: String, folder: String) {
    let folder = try temporaryFolder(), path = folder + "/out." + format
    #expect(try SessionExport(store, id).write(format, to: path) == path)
    return (try String(contentsOfFile: path, encoding: .utf8), folder)
  }

  /// Every format says what a picture was drawn with beside the defaults.
  @Test(arguments: SessionExport.formats) func settingsAreExported(format: String) throws {
    var settings = ImageSettings(prompt: "a cat", negative: "fog", seed: 5, steps: 9)
    (settings.solver, settings.guidanceStart, settings.guidanceEnd) = (.heun, 0.2, 0.8)
    let file = try SessionFile(store, id: "20260101-000000-bbbb")
    for event in [
      SessionEvent.drawingAsked(request: 1, settings: settings, count: 1, parent: nil),
      .drawn(
        request: 1, picture: .hash(Self.hash), origin: PictureOrigin(settings, stepsDone: 9), seconds: 1,
        isPartial: false),
    ] { file.append(SessionEntry(time: 1, event: event)) }
    let path = try temporaryFolder() + "/out." + format
    _ = try SessionExport(store, "20260101-000000-bbbb").write(format, to: path)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let told =
      format == "json"
      ? ["\"heun\"", "\"fog\"", "guidanceStart"]
      : ["9 steps", "heun", "guided from 0.2 to 0.8", "without 'fog'"]
    #expect(told.allSatisfy(text.contains), "\(text)")
  }

  @Test func markdownLooksAsItWasSaid() throws {
    let (text, folder) = try written("md")
    #expect(text.contains("**You:** What is�\\[2J this?") && text.contains("\\- a cat"))
    #expect(text.contains(#"a \*red\* \<apple\>"#))
    let picture = "out-pictures/\(Self.hash).png"
    #expect(text.contains("](\(picture))"))
    #expect(FileManager.default.contents(atPath: "\(folder)/\(picture)") == Data([1, 2, 3]))
  }

  /// Markdown's pictures go through no link, and over nobody's file.
  @Test func picturesBesideMarkdownAreWrittenOverNothing() throws {
    let folder = try temporaryFolder(), path = folder + "/out.md", place = folder + "/out-pictures"
    try FileName.makeFolder(place)
    try Data([9]).write(to: URL(fileURLWithPath: folder + "/mine"))
    let name = "\(place)/\(Self.hash).png"
    try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: folder + "/mine")
    func refuses() -> Bool { (try? SessionExport(store, id).write("md", to: path)) == nil }
    #expect(refuses() && FileManager.default.contents(atPath: folder + "/mine") == Data([9]))
    try FileManager.default.removeItem(atPath: name)
    try Data([8]).write(to: URL(fileURLWithPath: name))
    #expect(refuses() && FileManager.default.contents(atPath: name) == Data([8]))
    try FileManager.default.removeItem(atPath: place)
    try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: folder)
    #expect(refuses() && !FileName.exists(path))
    try FileManager.default.removeItem(atPath: place)
    #expect(!refuses() && !refuses(), "the same pictures are there already")
  }

  @Test func htmlHoldsItsPictures() throws {
    let (text, folder) = try written("html")
    #expect(text.contains("a *red* &lt;apple&gt;") && !text.contains("\u{1B}"))
    #expect(text.contains("base64,\(Data([1, 2, 3]).base64EncodedString())"))
    #expect(try FileName.names(in: folder) == ["out.html"])
  }

  @Test func jsonIsTheEntries() throws {
    let (text, _) = try written("json")
    let entries = try JSONDecoder().decode([SessionEntry].self, from: Data(text.utf8))
    #expect(try entries == store.read(id).entries.told(whileOpen: false))
    #expect(
      entries.last?.event == .failed(request: 2, reason: UnfinishedRequests.cutOff), "nobody works on it")
  }

  /// Every line of a cast is JSON, and nothing in it moves a player's cursor but what was meant to.
  @Test func aCastIsLinesOfJSON() throws {
    let lines = try written("cast").text.split(separator: "\n")
    let head = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
    #expect(head?["version"] as? Int == 3 && lines.count > 4)
    for line in lines.dropFirst() {
      let entry = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any])
      #expect(entry.count == 3 && (entry[2] as? String)?.contains("\u{1B}[2J") == false)
    }
  }

  /// What a picture's file was called is said with it, and a request of which nothing came says so.
  @Test(arguments: ["md", "html", "cast"]) func namesAndOutcomesAreTold(_ format: String) throws {
    let store = SessionStore(folder: temporaryPath()), id = "20260101-000000-bbbb"
    let file = try SessionFile(store, id: id)
    let png = try Picture(width: 4, height: 4, rgb: [UInt8](repeating: 9, count: 48)).pngData()
    let hash = try Digest.sha256(png)
    file.keep(Data(png), as: hash)
    let settings = ImageSettings(prompt: "a star"), origin = PictureOrigin(settings, stepsDone: 12)
    for event in [
      SessionEvent.named(picture: .hash(hash), name: "my <cat>.png"),
      .asked(request: 1, text: "What is it?", pictures: [.hash(hash)], sampling: .init()),
      .cancelled(request: 1),
      .asked(request: 2, text: "And where?", pictures: [], sampling: .init()),
      .drawingAsked(request: 3, settings: settings, count: 1, parent: nil, sweep: 3),
      .drawingAsked(request: 4, settings: settings, count: 1, parent: nil, sweep: 3),
      .drawn(request: 3, picture: .hash("cd"), origin: origin, seconds: 1, isPartial: true),
      .cancelled(request: 4),
      .drawingAsked(request: 5, settings: .init(prompt: "a moon"), count: 1, parent: nil),
      .failed(request: 5, reason: "no memory"),
      .drawingAsked(request: 6, settings: .init(prompt: "a sun"), count: 1, parent: nil),
      .drawn(request: 6, picture: .hash("ef"), origin: origin, seconds: 1, isPartial: false),
      .deleted(picture: .hash("ef"), isDeleted: true),
    ] { file.append(SessionEntry(time: 0, event: event)) }
    let path = try temporaryFolder() + "/out." + format
    _ = try SessionExport(store, id).write(format, to: path)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let name = ["md": #"my \<cat\>.png"#, "html": "my &lt;cat&gt;.png"][format] ?? "my <cat>.png"
    #expect(text.contains(name), "\(text)")
    for told in [
      "What is it? (cancelled)", "And where? (no result)", "cancelled after 12 steps", "failed: no memory",
    ] {
      #expect(text.contains(told), "\(told):\n\(text)")
    }
    for bare in ["a star (", "a moon (", "a sun ("] { #expect(!text.contains(bare), "\(text)") }
  }

  /// What a studio works on that has the session open is told so, and what it began before is not.
  @Test func whatStillRunsIsTold() throws {
    let store = SessionStore(folder: temporaryPath()), id = "20260101-000000-cccc"
    let file = try SessionFile(store, id: id),
      opened = SessionEvent.opened(model: "m", modelHash: "h", program: "p")
    func text() throws -> String {
      let path = try temporaryFolder() + "/out.md"
      return try String(contentsOfFile: SessionExport(store, id).write("md", to: path), encoding: .utf8)
    }
    let origin = PictureOrigin(ImageSettings(prompt: "a moon"), stepsDone: 5)
    let first = SessionEvent.asked(request: 1, text: "What is it?", pictures: [], sampling: .init())
    for event in [opened, first] { file.append(SessionEntry(time: 0, event: event)) }
    #expect(try text().contains("What is it? (still running)"))
    file.append(SessionEntry(time: 0, event: opened))
    file.append(SessionEntry(time: 0, event: .renamed("x")))
    #expect(try text().contains("What is it? (no result)"), "the studio that asked is gone")
    for event in [
      SessionEvent.drawingAsked(request: 2, settings: origin.settings, count: 2, parent: nil),
      .drawn(request: 2, picture: .hash("ab"), origin: origin, seconds: 1, isPartial: false),
    ] { file.append(SessionEntry(time: 0, event: event)) }
    #expect(try text().contains("a moon (still running)"), "one of two is drawn")
    let last = SessionEvent.drawn(
      request: 2, picture: .hash("cd"), origin: origin, seconds: 1, isPartial: false)
    file.append(SessionEntry(time: 0, event: last))
    #expect(try !text().contains("still running"))
    file.append(
      SessionEntry(
        time: 0, event: .drawingAsked(request: 3, settings: .init(prompt: "a sun"), count: 1, parent: nil)))
    #expect(try text().contains("a sun (still running)"))
    #expect(file.end())
    let end = "a sun\n\nfailed: \(UnfinishedRequests.cutOff)\n"
    #expect(try text().hasSuffix(end))
  }

  /// What was asked while something was drawn stands below the picture of that; the model, the date and each picture's
  /// prompt are told.
  @Test(arguments: ["md", "html", "cast"]) func picturesStandUnderTheirPrompts(_ format: String) throws {
    let store = SessionStore(folder: temporaryPath()), id = "20260101-000000-dddd"
    let file = try SessionFile(store, id: id)
    let png = try Picture(width: 4, height: 4, rgb: [UInt8](repeating: 9, count: 48)).pngData()
    let hash = try Digest.sha256(png)
    file.keep(Data(png), as: hash)
    let settings = ImageSettings(prompt: "a \"red\" star", seed: 7)
    for (time, event) in [
      SessionEvent.opened(model: "nano", modelHash: "h", program: "p"),
      .drawingAsked(request: 1, settings: settings, count: 1, parent: nil),
      .asked(
        request: 2, text: "and the picture?", pictures: [], sampling: .init(), written: "and @cat.png?"),
      .drawn(
        request: 1, picture: .hash(hash), origin: .init(settings, stepsDone: 50), seconds: 1, isPartial: false
      ),
      .answered(request: 2, text: "a cat", tokens: 2, seconds: 1, isPartial: false),
    ].enumerated() { file.append(SessionEntry(time: 1_800_000_000 + Double(time), event: event)) }
    let path = try temporaryFolder() + "/out." + format
    _ = try SessionExport(store, id).write(format, to: path)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let places = ["red", "seed 7", "and @cat.png?", "a cat"].compactMap { text.range(of: $0)?.lowerBound }
    #expect(places.count == 4 && places == places.sorted(), "\(text)")
    #expect(!text.contains("and the picture?"))
    guard format != "cast" else { return }
    #expect(text.contains("nano · 2027-01-1"), "\(text)")
    let alternative = ["md": "![a \"red\" star](", "html": "alt=\"a &quot;red&quot; star\""][format] ?? ""
    #expect(text.contains(alternative), "\(text)")
  }

  @Test func namesTellFormats() {
    let names = ["a.htm", "b.HTML", "c.markdown", "d.md", "e.json", "f.cast", "g.txt", "html"]
    let formats = ["html", "html", "md", "md", "json", "cast", nil, nil]
    #expect(names.map(SessionExport.format(ofName:)) == formats)
  }

  @Test func noSuchSessionIsAnError() {
    #expect(throws: SessionError.self) { try SessionExport(store, "nothing") }
  }
}
