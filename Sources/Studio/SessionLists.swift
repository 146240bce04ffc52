import Foundation
import Requests
import SessionLog
import SessionSearch
import StudioUI

/// Sessions as a list shows them, and what can be done with them there.
extension SessionRecorder {
  func list() -> [Action] {
    var sizes: [Action] = []
    let choices = store.summaries().map { summary -> Choice in
      let when = HumanDate.text(summary.changed)
      var choice = Choice(title: summary.title, detail: "\(when) · \(summary.contents)", value: summary.id)
      choice.isCurrent = openID == summary.id
      choice.words = summary.words
      if let picture = summary.firstPicture {
        source.use(summary.id)
        choice.picture = picture
        sizes += announced(picture).map { [$0] } ?? []
      }
      return choice
    }
    return sizes + [.sessionsRead(choices)]
  }

  /// Gives a session another title.
  func rename(_ id: String, _ title: String) -> [Action] {
    do {
      let event = SessionEvent.renamed(title)
      var actions: [Action] = []
      if session?.id == id { actions = record(event) } else { try append(event, to: id) }
      return actions + list() + [.toast("renamed", isError: false)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  /// Lays a session aside.
  func delete(_ id: String) -> [Action] {
    do {
      // Not from under whoever writes it.
      let file = try SessionFile(existing: id, in: store)
      try store.delete(id)
      withExtendedLifetime(file) {}
      return list() + [.toast("deleted; Alt-Z brings it back", isError: false)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  /// Brings the session back that was deleted last.
  func undelete() -> [Action] {
    do {
      let id = try store.undelete(store.lastDeleted ?? "last")
      return list() + [.toast("undeleted '\(try store.summary(of: id).title)'", isError: false)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  func search(_ text: String) -> [Action] {
    guard text.count >= 2 else { return [.searched([])] }
    do {
      // What is said several times is told apart by its number.
      var numbers: [String: Int] = [:]
      let hits = try SessionIndex(store).find(text, most: 50).map { hit -> Choice in
        let key = hit.id + "\n" + hit.text
        var choice = Choice(
          title: hit.text.replacing("\n", with: " "), detail: "\(HumanDate.text(hit.time)) · \(hit.title)",
          value: hit.id)
        choice.isCurrent = openID == hit.id
        choice.place = SessionPlace(text: hit.text, number: numbers[key, default: 0])
        numbers[key, default: 0] += 1
        return choice
      }
      return [.searched(hits)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }
}

/// Times as people say them, in their own time zone.
enum HumanDate {
  /// "today 14:05", "yesterday 9:30", "3 Nov 14:05", "3 Nov 2025".
  static func text(_ seconds: Double, now: Date = Date(), calendar given: Calendar = .current) -> String {
    let date = Date(timeIntervalSince1970: seconds)
    var calendar = given
    calendar.locale = Locale(identifier: "en_GB")
    let formatter = DateFormatter()
    (formatter.calendar, formatter.locale, formatter.timeZone) = (
      calendar, calendar.locale, calendar.timeZone
    )
    formatter.dateFormat = "H:mm"
    let days = calendar.dateComponents(
      [.day], from: calendar.startOfDay(for: date), to: calendar.startOfDay(for: now)
    ).day
    if days == 0 { return "today \(formatter.string(from: date))" }
    if days == 1 { return "yesterday \(formatter.string(from: date))" }
    let isThisYear = calendar.component(.year, from: date) == calendar.component(.year, from: now)
    formatter.dateFormat = isThisYear ? "d MMM H:mm" : "d MMM yyyy"
    return formatter.string(from: date)
  }
}
