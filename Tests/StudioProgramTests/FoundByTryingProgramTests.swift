import Files
import Foundation
import Pictures
import ProgramSupport
import Requests
import SessionLog
import TerminalProbe
import TestSupport
import Testing

/// What people found who tried the studio, in the real program.
@Suite(.serialized)
@SecondScreen
struct FoundByTryingProgramTests {
  private static func store(_ home: String) -> SessionStore {
    SessionStore(folder: home + "/.local/share/vugen/sessions")
  }

  /// As a terminal sends what is dropped.
  private static func drop(_ bytes: [UInt8], _ s: Session) {
    let all = Array("\u{1B}[200~".utf8) + bytes + Array("\u{1B}[201~".utf8)
    all.withUnsafeBufferPointer { probe_type(s.probe, $0.baseAddress, $0.count) }
  }

  /// Names that are no UTF-8, or of two lines, are dropped, listed, completed and asked about; and what is drawn when the
  /// studio is left is kept.
  @Test func oddNamesAndWorkThatIsLeft() throws {
    let home = try temporaryFolder(), latin: [UInt8] = Array("caf".utf8) + [0xE9] + Array(".png".utf8)
    let png = try Data(Picture(width: 32, height: 32, red: 200, green: 30, blue: 30).pngData())
    for name in [latin, Array("two\nlines.png".utf8)] {
      try AtomicFile.write(png, to: home + "/" + FileName.text(name))
    }
    let s = try Session(["studio", "--graphics", "none"], home: home)
    #expect(s.expect("VUGEN Studio") && s.expect("parameters"))
    Self.drop(Array("'\(home)/".utf8) + latin + Array("' ".utf8), s)
    #expect(s.expect(#"[Image #1] caf\xE9.png"#), "\(s.screen(36))")
    // A line break as terminals send it.
    Self.drop(Array("'\(home)/two\rlines.png'".utf8), s)
    #expect(s.expect(#"[Image #2] two\x0Alines.png"#), "\(s.screen(36))")
    s.type("\u{0F}")
    #expect(s.expect(#"caf\xE9.png "#) && s.expect(#"two\x0Alines.png "#), "\(s.screen(36))")
    s.type("xE9\r")
    #expect(s.expect("[Image #3]"), "\(s.screen(36))")
    s.type("what is @tw\t")
    #expect(s.expect(#"what is @two\x0Alines.png"#), "\(s.screen(36))")
    s.type("?\r")
    #expect(s.expect("tokens/s") && s.expect(#"what is @two\x0Alines.png?"#), "\(s.screen(36))")
    s.type("/image caf\t")
    #expect(s.expect(#"/image caf\xE9.png"#), "\(s.screen(36))")
    s.type("\r")
    #expect(s.expect(#"[Image #1] caf\xE9.png"#), "\(s.screen(36))")
    s.type("\u{15}\t/steps 400\r/imagine a red car\r/imagine a blue car\r")
    #expect(s.expect("step 1") && s.expect("1 in the queue"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.expect("the same again ends it and leaves"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0 && s.leftClean)
    try checkLog(Self.store(home))
  }

  private func checkLog(_ store: SessionStore) throws {
    let id = try #require(store.ids().first), entries = try store.read(id).entries
    #expect(entries.pictureNames.values.contains(#"two\x0Alines.png"#))
    let left = UnfinishedRequests(entries)
    #expect(left.again.compactMap(\.text) == ["a red car", "a blue car"], "both can be asked again")
    let partial = entries.compactMap { entry -> PictureID? in
      if case .drawn(_, let picture, _, _, true) = entry.event { picture } else { nil }
    }
    let picture = try #require(partial.last)
    #expect(try store.picture(picture.stored ?? "", of: id).count > 100)
  }

  /// A session that is only read is the current one of the list, and is exported under the name that is given.
  @Test func aSessionThatIsOnlyReadIsTheCurrentOne() throws {
    let home = try temporaryFolder(), store = Self.store(home)
    for (id, text) in [("20260101-000000-aaaa", "first words"), ("20260102-000000-bbbb", "second words")] {
      let file = try SessionFile(store, id: id)
      file.append(.init(time: 1, event: .asked(request: 1, text: text, pictures: [], sampling: .init())))
      #expect(file.end())
    }
    let held = try SessionFile(store, id: "20260101-000000-aaaa")
    let s = try Session(["studio", "aaaa", "--read-only", "--graphics", "none"], home: home)
    #expect(s.expect("first words"))
    s.type("/sessions\r")
    #expect(s.expect("● first words"), "\(s.screen(36))")
    s.type("\u{1B}[A\u{1B}[B\u{1B}[Hsecond\r")
    #expect(s.expect("opened") && s.expectGone("first words"), "\(s.screen(36))")
    s.type("/sessions\r")
    #expect(s.expect("● second words"), "\(s.screen(36))")
    // One that another studio has open.
    s.type("first\r")
    #expect(s.expect("read-only"), "\(s.screen(36))")
    s.type("/sessions\r")
    #expect(s.expect("● first words"), "\(s.screen(36))")
    s.type("\u{1B}/export notes.md md\r")
    #expect(s.expect("wrote notes.md"), "\(s.screen(36))")
    s.type("/export html notes.md\r")
    #expect(s.expect("a .md file holds no html"), "\(s.screen(36))")
    s.type("/export md notes.md\r")
    #expect(s.expect("notes.md already exists"), "\(s.screen(36))")
    s.type("\u{04}")
    #expect(s.end() == 0)
    #expect(
      try String(contentsOfFile: home + "/notes.md", encoding: .utf8).contains("first words (no result)"))
    // What another studio works on is told as running.
    held.append(.init(time: 2, event: .asked(request: 2, text: "and now", pictures: [], sampling: .init())))
    let show = try Session(["sessions", "show", "aaaa"], home: home)
    #expect(show.expect("and now (still running)") && show.end() == 0, "\(show.screen(36))")
    #expect(held.end())
    let over = try Session(["sessions", "show", "aaaa"], home: home)
    let told = "question: and now\nfailed: not finished: the studio ended before it was done"
    #expect(over.expect(told) && over.end() == 0, "\(over.screen(36))")
  }
}
