import Files
import Foundation
import SessionLog

/// Full-text search over all sessions: an SQLite FTS5 index beside the logs' truth.
///
/// The index follows the logs: a session whose log has another length or time than when it was read is read
/// again, one that is gone is dropped, and an index that cannot be read is made anew. Where the folder of the
/// index cannot be written, the index lives in memory for one search.
public struct SessionIndex: Sendable {
  /// A place in a session where the words were found.
  public struct Hit: Codable, Sendable, Equatable {
    /// The session's id and title, and the text that holds the words.
    public var id, title, text: String
    /// Seconds since 1970.
    public var time: Double
  }

  /// A session in which the words were found.
  public struct Found: Sendable, Equatable {
    /// The session's id, and the first text that holds the words.
    public var id, text: String
    /// How many texts hold them.
    public var count: Int
  }

  private let store: SessionStore
  private let path: String

  /// - Parameter index: the index's file.
  public init(_ store: SessionStore, index: String = Paths.cache() + "/sessions.sqlite") {
    (self.store, path) = (store, index)
  }

  /// Entries that hold every word, or a word that begins so, the newest session first. Throws `SessionError`.
  public func find(_ text: String, most: Int = 100) throws -> [Hit] {
    let words = Self.words(text)
    guard !words.isEmpty else { return [] }
    do {
      let index = try openIndex()
      try refresh(index)
      let pattern = words.map { "\"\($0)\"*" }.joined(separator: " ")
      let rows = try index.rows(
        """
        SELECT entries.session, sessions.title, entries.text, entries.time FROM entries
        JOIN sessions ON sessions.id = entries.session
        WHERE entries MATCH ? ORDER BY entries.session DESC, entries.rowid LIMIT ?
        """, [.text("text : (\(pattern))"), .integer(most)])
      return rows.map { Hit(id: $0[0].text, title: $0[1].text, text: $0[2].text, time: $0[3].real) }
    } catch let error as DatabaseError {
      throw SessionError("\(path): the search index fails: \(error.message); remove the file")
    }
  }

  /// The same by sessions, in the order of their first hits.
  public static func bySession(_ hits: [Hit]) -> [Found] {
    var found: [Found] = [], places: [String: Int] = [:]
    for hit in hits {
      if let place = places[hit.id] {
        found[place].count += 1
      } else {
        places[hit.id] = found.count
        found.append(Found(id: hit.id, text: hit.text, count: 1))
      }
    }
    return found
  }

  /// What FTS5 takes for words: its own signs never reach it.
  private static func words(_ text: String) -> [String] {
    text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  // MARK: The index

  private func openIndex() throws -> Database {
    for _ in 0..<2 {
      do {
        let folder = FileName.parent(of: path)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let index = try Database(path: path)
        try Self.prepare(index)
        return index
      } catch let error as DatabaseError where error.isOfFile {
        // Damaged, or of another program: it holds nothing that the logs do not.
        try? FileManager.default.removeItem(atPath: path)
      } catch {
        break
      }
    }
    let index = try Database()
    try Self.prepare(index)
    return index
  }

  private static let version = 4

  private static func prepare(_ index: Database) throws {
    try index.transaction {
      if try index.rows("PRAGMA user_version").first?[0].integer == version { return }
      try index.execute(
        """
        DROP TABLE IF EXISTS entries;
        DROP TABLE IF EXISTS sessions;
        CREATE TABLE sessions (id TEXT PRIMARY KEY, title TEXT, length INTEGER, changed REAL);
        CREATE VIRTUAL TABLE entries USING fts5(
          text, session UNINDEXED, time UNINDEXED, tokenize = 'unicode61 remove_diacritics 2');
        PRAGMA user_version = \(version);
        """)
    }
  }

  private func refresh(_ index: Database) throws {
    try index.transaction {
      var known: [String: (length: Int, changed: Double)] = [:]
      for row in try index.rows("SELECT id, length, changed FROM sessions") {
        known[row[0].text] = (row[1].integer, row[2].real)
      }
      for id in store.ids() {
        let state = stateOfLog(id), old = known.removeValue(forKey: id)
        if let old, old == state { continue }
        try add(id, state, to: index)
      }
      for id in known.keys { try Self.drop(id, from: index) }
    }
  }

  private func stateOfLog(_ id: String) -> (length: Int, changed: Double) {
    let facts = try? FileManager.default.attributesOfItem(atPath: "\(store.folder(of: id))/log.jsonl")
    return (facts?[.size] as? Int ?? 0, (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)
  }

  private static func drop(_ id: String, from database: Database) throws {
    try database.rows("DELETE FROM entries WHERE session = ?", [.text(id)])
    try database.rows("DELETE FROM sessions WHERE id = ?", [.text(id)])
  }

  private func add(_ id: String, _ state: (length: Int, changed: Double), to database: Database) throws {
    try Self.drop(id, from: database)
    guard let entries = try? store.read(id).entries, let summary = try? store.summary(of: id) else { return }
    try database.rows(
      "INSERT INTO sessions VALUES (?, ?, ?, ?)",
      [.text(id), .text(summary.title), .integer(state.length), .real(state.changed)])
    let repeated = entries.repeatedPrompts
    let shown = entries.shown
    // Of its titles it has only the last.
    let title = shown.lastIndex { if case .renamed(let name) = $0.event { !name.isEmpty } else { false } }
    for (i, entry) in shown.enumerated() {
      guard let text = entry.event.text else { continue }
      if case .renamed = entry.event, i != title { continue }
      if case .drawingAsked(let request, _, _, _, _) = entry.event, repeated.contains(request) { continue }
      try database.rows("INSERT INTO entries VALUES (?, ?, ?)", [.text(text), .text(id), .real(entry.time)])
    }
  }
}
