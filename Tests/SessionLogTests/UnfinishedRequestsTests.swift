import Foundation
import Requests
import SessionLog
import TestSupport
import Testing

/// What a studio leaves that is killed: requests that were not done, and those that waited.
@Suite struct UnfinishedRequestsTests {
  private func asked(_ request: Int) -> SessionEvent {
    .asked(request: request, text: "\(request)?", pictures: [], sampling: .init())
  }

  private func drawing(_ request: Int, count: Int = 1, sweep: Int? = nil) -> SessionEvent {
    .drawingAsked(
      request: request, settings: ImageSettings(prompt: "a cat", seed: 7), count: count, parent: nil,
      sweep: sweep)
  }

  private func drawn(_ request: Int, partial: Bool = false) -> SessionEvent {
    let origin = PictureOrigin(ImageSettings(prompt: "a cat"), stepsDone: 1)
    return .drawn(request: request, picture: .hash("aa"), origin: origin, seconds: 1, isPartial: partial)
  }

  private func answered(_ request: Int) -> SessionEvent {
    .answered(request: request, text: "yes", tokens: 1, seconds: 1, isPartial: false)
  }

  private func cut(_ request: Int) -> SessionEvent {
    .failed(request: request, reason: UnfinishedRequests.cutOff)
  }

  private func waited(_ request: Int) -> SessionEvent {
    .failed(request: request, reason: UnfinishedRequests.notBegun)
  }

  private func left(_ events: [SessionEvent]) -> UnfinishedRequests {
    UnfinishedRequests(events.map { SessionEntry(time: 1, event: $0) })
  }

  /// A log in which all came to its end stays as it is, whatever the way.
  @Test func whatEndedIsNoMatter() throws {
    let events = [
      asked(1), answered(1), drawing(2, count: 2), drawn(2), drawn(2), drawing(3, count: 4),
      drawn(3, partial: true),
      asked(4), .cancelled(request: 4), drawing(5), .failed(request: 5, reason: "x"), asked(6),
      .undone(request: 6), drawing(7, sweep: 7), drawn(7), drawing(8, sweep: 7), drawn(8),
    ]
    let found = left(events)
    #expect(found.entries.map(\.event) == events && found.owed.isEmpty && found.again.isEmpty)
  }

  /// What was worked on says that it was cut off, where it stands, and is asked again as far as it was not done; one of
  /// long ago says so, too.
  @Test func whatWasCutOffSaysSo() {
    let found = left([asked(1), .note("x"), drawing(2, count: 4), drawn(2), .renamed("y")])
    #expect(
      found.entries.map(\.event)
        == [asked(1), cut(1), .note("x"), drawing(2, count: 4), drawn(2), cut(2), .renamed("y")])
    var rest = ImageSettings(prompt: "a cat", seed: 7)
    rest.seed = 8
    #expect(found.again == [.drawingAsked(request: 2, settings: rest, count: 3, parent: nil)])
    #expect(found.owed.map(\.event) == [cut(1), cut(2), .queued(found.again)])
    // A number that came again.
    let again = left([drawing(1), .opened(model: "m", modelHash: "h", program: "p"), drawing(1), drawn(1)])
    #expect(again.entries.map(\.event).prefix(2) == [drawing(1), cut(1)] && again.owed.isEmpty)
  }

  /// What waited and was neither begun nor taken back was waiting; of a sweep it is said once.
  @Test func whatWaitedSaysSo() {
    let found = left([
      drawing(1), .queued([asked(2), drawing(3)]), .queued([drawing(4, sweep: 4), drawing(5, sweep: 4)]),
      drawn(1),
      .unqueued([3]), asked(2),
    ])
    let end = [drawing(4, sweep: 4), waited(4)]
    #expect(found.entries.map(\.event) == [drawing(1), drawn(1), asked(2), cut(2)] + end)
    #expect(found.again == [asked(2), drawing(4, sweep: 4), drawing(5, sweep: 4)])
    #expect(found.owed.map(\.event) == [cut(2)] + end + [.unqueued([5]), .queued(found.again)])
    // Behind a part of a sweep that was drawn the sweep was cut off.
    let queue = SessionEvent.queued([drawing(2, sweep: 1), drawing(3, sweep: 1)])
    let part = left([drawing(1, sweep: 1), queue, drawn(1)])
    #expect(part.entries.map(\.event) == [drawing(1, sweep: 1), drawn(1), drawing(2, sweep: 1), cut(2)])
    #expect(part.again == [drawing(2, sweep: 1), drawing(3, sweep: 1)])
    let cutPart = left([drawing(1, sweep: 1), queue])
    #expect(
      cutPart.owed.map(\.event) == [cut(1), .unqueued([2]), .unqueued([3]), .queued(cutPart.again)]
        && cutPart.again.count == 3)
  }

  /// What was set after the last thing that was sent holds when the log is completed.
  @Test func settingsHoldOn() {
    let settings = SessionEvent.settings(
      SessionSettings(.init(prompt: "", steps: 33), seed: 1, count: 1, temperature: 0))
    let found = left([drawing(1), .queued([drawing(2)]), settings])
    #expect(found.entries.map(\.event) == [drawing(1), cut(1), drawing(2), waited(2), settings])
    let again = SessionEvent.queued([drawing(1), drawing(2)])
    #expect(found.owed.map(\.event) == [cut(1), drawing(2), waited(2), settings, again])
    #expect(
      left([drawing(1), settings, .queued([drawing(2)]), drawn(1)]).owed.dropLast().last?.event == settings)
  }

  /// The log says it itself once something is done in the session, and it is not said again after that.
  @Test func theLogIsCompletedWithTheNextThing() throws {
    let store = SessionStore(folder: temporaryPath()), id = "20260101-000000-aaaa"
    do {
      let file = try SessionFile(store, id: id)
      for event in [asked(1), .queued([drawing(2)])] { file.append(.init(time: 5, event: event)) }
    }
    let before = try store.contents(of: id).entries, found = UnfinishedRequests(before)
    do {
      let file = try SessionFile(store, id: id)
      file.owe(found.owed)
      #expect(file.append(.init(time: 9, event: .opened(model: "m", modelHash: "h", program: "p"))))
    }
    #expect(try store.contents(of: id).entries == before, "nothing was done in it")
    let file = try SessionFile(store, id: id)
    file.owe(found.owed)
    file.append(.init(time: 9, event: asked(3)))
    let after = try store.contents(of: id).entries
    let waits = SessionEvent.queued([drawing(2)]), again = SessionEvent.queued([asked(1), drawing(2)])
    #expect(after.map(\.event) == [asked(1), waits, cut(1), drawing(2), waited(2), again, asked(3)])
    #expect(UnfinishedRequests(after).again == [asked(1), drawing(2), asked(3)])
  }

  /// What was left can be asked again though other things were done since, and after another end of that kind; what was
  /// asked again or taken back is over, a sweep as a whole.
  @Test func whatWasLeftStays() {
    let first = [drawing(1, sweep: 1), .queued([drawing(2, sweep: 1), drawing(3, sweep: 1), asked(4)])]
    let log = first + left(first).owed.map(\.event), all = [1, 2, 3, 4]
    func again(_ events: [SessionEvent]) -> [Int?] { left(log + events).again.map(\.request) }
    #expect(again([]) == all && left(log).owed.isEmpty && left(log).waiting.isEmpty)
    #expect(again([asked(5), answered(5)]) == all && again([asked(5)]) == all + [5])
    #expect(left(log + [asked(5)]).owed.map(\.event).last == .queued(left(log + [asked(5)]).again))
    #expect(again([.unqueued([1, 2, 3, 4])]).isEmpty)
    #expect(again([.undone(request: 1)]) == [4])
    let back = SessionEvent.queued(left(log).again)
    #expect(again([.undone(request: 1), .redone(request: 1), back]) == all)
    // It is listed once.
    #expect(left(log).entries.filter { $0.event == drawing(1, sweep: 1) }.count == 1)
  }

  /// A model that was to take over waits, too, until it does; where nothing is asked of it, nobody needs it.
  @Test func aModelWaits() {
    let tiny = SessionEvent.opened(model: "tiny", modelHash: "", program: "")
    let nano = SessionEvent.opened(model: "nano", modelHash: "n", program: "p")
    let log = [nano, drawing(1), .queued([tiny]), .queued([asked(2)])]
    let found = left(log)
    #expect(found.again == [drawing(1), tiny, asked(2)] && found.model?.name == "nano")
    #expect(found.waiting == [asked(2)] && found.entries.map(\.event).filter { $0 == tiny }.isEmpty)
    #expect(left(log + found.owed.map(\.event)).again == found.again)
    let loaded = left(log + [drawn(1), .opened(model: "tiny", modelHash: "t", program: "p"), asked(2)])
    #expect(loaded.again == [asked(2)] && loaded.model?.name == "tiny")
    #expect(left([drawing(1), .queued([tiny]), .unqueued([])]).again == [drawing(1)])
    #expect(left([drawing(1), .queued([tiny]), .cancelled(request: 1)]).again.isEmpty)
  }

  /// A sweep that went on is printed as that.
  @Test func aSweepThatWentOnIsNotCutOff() {
    let log = [drawing(1, sweep: 1), cut(1), drawing(2, sweep: 1), drawn(2)]
    func printed(_ events: [SessionEvent]) -> [SessionEvent] {
      events.map { SessionEntry(time: 1, event: $0) }.told(whileOpen: true).map(\.event)
    }
    #expect(printed(log) == [log[0], log[2], log[3]])
    #expect(printed(Array(log.prefix(2))) == Array(log.prefix(2)))
  }

  private func label(_ events: [SessionEvent], _ request: Int, whileOpen isOpen: Bool = false) -> String {
    let entries = events.map { SessionEntry(time: 1, event: $0) }
    return RequestOutcomes(entries, whileOpen: isOpen).label(of: request)
  }

  /// Of several pictures it is told how many there are, for as long as the others can be had: of a request and of a sweep,
  /// before a studio takes the session up and behind that.
  @Test func whatIsMissingIsCounted() throws {
    let grid = [drawing(1, count: 4), drawn(1), drawn(1), drawn(1)]
    let sweep: [SessionEvent] =
      [.queued([drawing(2, sweep: 1)]), drawing(1, sweep: 1), drawn(1), drawing(2, sweep: 1)]
      + [.queued((3...9).map { drawing($0, sweep: 1) })]
    for (events, told) in [(grid, " (3 of 4 pictures)"), (sweep, " (1 of 9 pictures)")] {
      #expect(label(events, 1) == told && label(events, 1, whileOpen: true) == "")
      let left = left(events), resumed = events + left.owed.map(\.event)
      #expect(label(resumed, 1) == told)
      let entries = events.map { SessionEntry(time: 1, event: $0) }
      let shown = entries.told(whileOpen: false).map(\.event)
      #expect(shown.filter { $0 == cut(1) || $0 == cut(2) }.count == 1, "\(shown)")
      let later = resumed.map { SessionEntry(time: 1, event: $0) }.told(whileOpen: false).map(\.event)
      #expect(shown == later, "what is told is the same behind that")
      #expect(left.promptsLeft == 1 && label(resumed + [.unqueued(Array(1...9))], 1) == "")
    }
    #expect(label([drawing(1)], 1) == "" && label([drawing(1), .cancelled(request: 1)], 1) == " (cancelled)")
  }

  /// A list says it, too, as long as no studio works on the session.
  @Test func aListTellsWhatWasLeft() throws {
    let store = SessionStore(folder: temporaryPath()), id = "20260101-000000-aaaa"
    do {
      let file = try SessionFile(store, id: id)
      for event in [drawing(1, count: 4), drawn(1), .queued([asked(2)])] {
        file.append(.init(time: 5, event: event))
      }
      #expect(try store.summary(of: id).unfinished == 0)
      withExtendedLifetime(file) {}
    }
    let summary = try store.summary(of: id)
    #expect(summary.contents == "2 prompts, 1 picture, unfinished: 2 prompts, missing: 1 picture")
    let json = try #require(
      JSONSerialization.jsonObject(with: JSONEncoder().encode(summary)) as? [String: Any])
    #expect(json["unfinished"] as? Int == 2)
  }

  /// What still waits is a prompt of its session for whoever lists or prints it.
  @Test func whatWaitsIsListed() throws {
    let store = SessionStore(folder: temporaryPath()), id = "20260101-000000-aaaa"
    let file = try SessionFile(store, id: id)
    file.append(.init(time: 5, event: .queued([drawing(2)])))
    let summary = try store.summary(of: id), entries = try store.contents(of: id).entries
    #expect(summary.title == "a cat" && summary.messages == 1 && summary.pictures == 0)
    #expect(RequestOutcomes(entries, whileOpen: true).label(of: 2) == " (not begun)")
    #expect(entries.told(whileOpen: true).map(\.event) == [drawing(2)])
  }

  /// Logs of old have no such entries, and read as they did; what a program of then does with these is count them.
  @Test func theFormatStays() throws {
    let line = try JSONEncoder().encode(SessionEntry(time: 1, event: .queued([asked(2)])))
    let found = SessionContents(line)
    #expect(found.entries.map(\.event) == [.queued([asked(2)])] && found.newestVersion == 1 && !found.isNewer)
    // An event of any other kind is nothing that waits, and numbers are as large as they can be.
    let odd =
      #"{"event":{"queued":{"_0":[{"note":{"_0":"x"}},{"asked":{"request":9223372036854775807,"text":"?","pictures":[],"sampling":{"temperature":0,"seed":0}}}]}},"time":1,"version":1}"#
    guard case .queued(let waiting)? = SessionContents(Data(odd.utf8)).entries.first?.event else {
      Issue.record("\(SessionContents(Data(odd.utf8)))")
      return
    }
    #expect(waiting.count == 1 && waiting[0].request == 1 << 48)
  }
}

/// A log that is taken from under its writer.
@Suite struct LostLogTests {
  private let store = SessionStore(folder: temporaryPath())

  private func note(_ text: String) -> SessionEntry { SessionEntry(time: 1, event: .note(text)) }

  /// Moved, its folder or itself: it goes on where it was with all that it had, its pictures among it, and says where the
  /// other is; once.
  @Test(arguments: [true, false]) func aMovedLogGoesOnWhereItWas(_ isFolder: Bool) throws {
    let file = try SessionFile(store, id: "a"), manager = FileManager.default
    file.append(note("one"))
    file.keep(Data([1]), as: "abcd")
    let other = isFolder ? store.folder + "/b" : file.folder + "/log.old"
    try manager.moveItem(atPath: isFolder ? file.folder : file.folder + "/log.jsonl", toPath: other)
    #expect(file.append(note("two")) && file.renewals == 1)
    #expect(file.renewal.contains(isFolder ? "moved to" : "log.old") && file.renewal.contains("written anew"))
    file.append(note("three"))
    #expect(file.renewals == 1)
    #expect(try store.read("a").entries.map(\.event) == [.note("one"), .note("two"), .note("three")])
    #expect(try store.picture("abcd", of: "a") == Data([1]))
    if isFolder { #expect(try store.read("b").entries.map(\.event) == [.note("one")]) }
  }

  /// Lists say where pictures' files are gone.
  @Test func missingPicturesAreCounted() throws {
    let file = try SessionFile(store, id: "20260101-000000-bbbb")
    for hash in ["aa", "bb"] {
      file.keep(Data([1]), as: hash)
      file.append(
        .init(time: 1, event: .attached(picture: .hash(hash), name: hash, settings: nil)))
    }
    #expect(try store.summary(of: file.id).contents == "0 prompts, 2 pictures")
    try FileManager.default.removeItem(atPath: file.folder + "/pictures/aa.png")
    #expect(try store.summary(of: file.id).contents == "0 prompts, 2 pictures, missing: 1 picture")
    #expect(try store.summary(of: file.id).missing == 1 && !store.holds("aa", of: file.id))
  }

  /// The pictures' folder alone is made anew, and what is drawn after that lies in it.
  @Test func thePicturesFolderIsMadeAnew() throws {
    let file = try SessionFile(store, id: "a")
    file.append(note("one"))
    file.keep(Data([1]), as: "abcd")
    try FileManager.default.removeItem(atPath: file.folder + "/pictures")
    file.keep(Data([2]), as: "bcde")
    #expect(file.append(note("two")) && file.waitingPictures.isEmpty && file.renewals == 1)
    #expect(try store.picture("bcde", of: "a") == Data([2]))
    #expect(file.renewal.contains("/pictures was removed") && file.renewal.contains("made anew"))
    #expect(file.append(note("three")) && file.renewals == 1)
  }

  /// What somebody put in its place stays theirs.
  @Test func whatIsInItsPlaceIsKept() throws {
    let file = try SessionFile(store, id: "a"), path = file.folder + "/log.jsonl"
    file.append(note("one"))
    try FileManager.default.removeItem(atPath: path)
    try Data("mine\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(file.append(note("two")) && file.renewal.contains(path + ".other"))
    #expect(try String(contentsOfFile: path + ".other", encoding: .utf8) == "mine\n")
    #expect(try store.read("a").entries.map(\.event) == [.note("one"), .note("two")])
  }
}
