import Foundation
import SessionLog
import TestSupport
import Testing

/// Names that mean no session, or several; and folders that cannot be.
@Suite struct SessionNameTests {
  /// A name of many is refused with a few of them, and says that there are more.
  @Test func aNameOfManyIsRefused() throws {
    let store = SessionStore(folder: try temporaryFolder())
    for n in 1...5 {
      #expect(try SessionFile(store, id: "u\(n)").append(.init(time: 1, event: .renamed("x"))))
      guard n >= 4 else { continue }
      let refused = #expect(throws: SessionError.self) { try store.resolve("u", byEnd: false) }
      let told = refused?.description ?? ""
      #expect(told.contains("matches \(n) sessions: u") && told.contains(", …;") == (n == 5), "\(told)")
    }
  }

  /// A deleted session that is not there is looked for where deleted ones are listed.
  @Test func deletedSessionsAreListedElsewhere() throws {
    let store = SessionStore(folder: try temporaryFolder())
    #expect(try SessionFile(store, id: "u1").append(.init(time: 1, event: .renamed("x"))))
    try store.delete("u1")
    let absent = #expect(throws: SessionError.self) { try store.undelete("nosuch") }
    #expect(
      absent?.description
        == "no deleted session has the id or the title 'nosuch'; vugen sessions undelete shows them all")
  }

  /// A session that another program has deleted this moment is not begun anew by whoever means to take it up.
  @Test func whatIsGoneIsNotBegunAnew() throws {
    let store = SessionStore(folder: try temporaryFolder())
    #expect(try SessionFile(store, id: "u1").append(.init(time: 1, event: .renamed("x"))))
    #expect(try SessionFile(existing: "u1", in: store).append(.init(time: 2, event: .note("y"))))
    try store.delete("u1")
    let gone = #expect(throws: SessionError.self) { try SessionFile(existing: "u1", in: store) }
    #expect(gone?.description.contains("there is no such session any more") == true, "\(gone as Any)")
    #expect(store.ids().isEmpty && store.deletedIDs() == ["u1"])
    #expect(try store.undelete("u1") == "u1" && store.read("u1").entries.count == 2)
  }

  /// A person calls a session by what lists show: its id or a part of it, or its title.
  @Test func titlesAreNames() throws {
    let store = SessionStore(folder: try temporaryFolder())
    for (id, title) in [("a1", "My balloons"), ("b2", "twice"), ("c3", "twice")] {
      let file = SessionFile(new: id, in: store)
      #expect(
        file.append(.init(time: 1, event: .note("x"))) && file.append(.init(time: 2, event: .renamed(title))))
    }
    #expect(try store.resolve("My balloons") == "a1" && store.resolve("b2") == "b2")
    #expect(throws: SessionError.self) { try store.resolve("twice") }
    #expect(throws: SessionError.self) { try store.resolve("My") }
  }

  /// A title is what can be seen of it, wherever it comes from; where nothing can, there is none.
  @Test(arguments: [
    "\u{200B}", "\u{FEFF}\u{2060}\u{AD}", "\u{200D}", "\u{202E}", "\u{2800}", "\u{3164}", "\u{7}", " \n",
  ])
  func noTitleIsInvisible(_ sign: String) throws {
    #expect(SessionTitle.cleaned(sign) == "" && SessionTitle.cleaned("\(sign)a b\(sign)") == "a b")
    let store = SessionStore(folder: try temporaryFolder())
    let file = try SessionFile(store, id: "u1")
    for event: SessionEvent in [
      .drawingAsked(request: 1, settings: .init(prompt: sign), count: 1, parent: nil),
      .asked(request: 2, text: "\(sign)what?", pictures: [], sampling: .init()), .renamed(sign),
    ] { #expect(file.append(.init(time: 1, event: event))) }
    #expect(try store.summary(of: "u1").title == "what?")
    #expect(file.append(.init(time: 1, event: .renamed("\(sign)name"))))
    #expect(try store.summary(of: "u1").title == "name" && store.resolve("name") == "u1")
  }

  /// What belongs to letters and signs that are seen stays.
  @Test(arguments: ["e\u{301}", "👨‍👩‍👧‍👦", "می‌خواهم", "❤️", "क्षत्रिय", "a  b"]) func titlesStayAsTheyAre(_ title: String)
  {
    #expect(SessionTitle.cleaned(title) == title)
    #expect(SessionEntry(time: 1, event: .renamed(title)).event == .renamed(title))
  }

  /// The reason is the system's own: what is looked at afterwards has no say in it.
  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/sys/kernel"), "needs sysfs, which takes no folder"))
  func theReasonIsTheFirst() {
    let reason = SessionStore(folder: "/sys/vugen-test").obstacle ?? ""
    #expect(reason.hasPrefix("/sys/vugen-test: cannot be made: ") && !reason.contains("No such"), "\(reason)")
  }
}
