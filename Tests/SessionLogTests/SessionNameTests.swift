import SessionLog
import TestSupport
import Testing

/// Names that mean no session, or several.
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
}
