import Files
import Foundation
import GRDB
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
      return try index.read { database in
        let rows = try Row.fetchAll(
          database,
          sql: """
            SELECT entries.session, sessions.title, entries.text, entries.time FROM entries
            JOIN sessions ON sessions.id = entries.session
            WHERE entries MATCH ? ORDER BY entries.session DESC, entries.rowid LIMIT ?
            """, arguments: ["text : (\(pattern))", most])
        return rows.map { Hit(id: $0[0], title: $0[1], text: $0[2], time: $0[3]) }
      }
    } catch let error as DatabaseError {
      throw SessionError("\(path): the search index fails: \(error.message ?? "\(error)"); remove the file")
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

  private func openIndex() throws -> DatabaseQueue {
    for _ in 0..<2 {
      do {
        let folder = FileName.parent(of: path)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let index = try DatabaseQueue(path: path, configuration: Self.configuration)
        try Self.prepare(index)
        return index
      } catch let error as DatabaseError
        where [.SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR].contains(error.resultCode)
      {
        // Damaged, or of another program: it holds nothing that the logs do not.
        try? FileManager.default.removeItem(atPath: path)
      } catch {
        break
      }
    }
    let index = try DatabaseQueue()
    try Self.prepare(index)
    return index
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    // Another studio may be at it.
    configuration.busyMode = .timeout(2)
    return configuration
  }

  private static let version = 4

  private static func prepare(_ index: DatabaseQueue) throws {
    try index.write { database in
      let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
      if found == version { return }
      try database.execute(
        sql: """
          DROP TABLE IF EXISTS entries;
          DROP TABLE IF EXISTS sessions;
          CREATE TABLE sessions (id TEXT PRIMARY KEY, title TEXT, length INTEGER, changed REAL);
          CREATE VIRTUAL TABLE entries USING fts5(
            text, session UNINDEXED, time UNINDEXED, tokenize = 'unicode61 remove_diacritics 2');
          PRAGMA user_version = \(version);
          """)
    }
  }

  private func refresh(_ index: DatabaseQueue) throws {
    try index.write { database in
      var known: [String: (length: Int, changed: Double)] = [:]
      for row in try Row.fetchAll(database, sql: "SELECT id, length, changed FROM sessions") {
        known[row[0]] = (row[1], row[2])
      }
      for id in store.ids() {
        let state = stateOfLog(id), old = known.removeValue(forKey: id)
        if let old, old == state { continue }
        try add(id, state, to: database)
      }
      for id in known.keys { try Self.drop(id, from: database) }
    }
  }

  private func stateOfLog(_ id: String) -> (length: Int, changed: Double) {
    let facts = try? FileManager.default.attributesOfItem(atPath: "\(store.folder(of: id))/log.jsonl")
    return (facts?[.size] as? Int ?? 0, (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)
  }

  private static func drop(_ id: String, from database: Database) throws {
    try database.execute(sql: "DELETE FROM entries WHERE session = ?", arguments: [id])
    try database.execute(sql: "DELETE FROM sessions WHERE id = ?", arguments: [id])
  }

  private func add(_ id: String, _ state: (length: Int, changed: Double), to database: Database) throws {
    try Self.drop(id, from: database)
    guard let entries = try? store.read(id).entries, let summary = try? store.summary(of: id) else { return }
    try database.execute(
      sql: "INSERT INTO sessions VALUES (?, ?, ?, ?)",
      arguments: [id, summary.title, state.length, state.changed])
    let repeated = entries.repeatedPrompts
    let shown = entries.shown
    // Of its titles it has only the last.
    let title = shown.lastIndex { if case .renamed = $0.event { true } else { false } }
    for (i, entry) in shown.enumerated() {
      guard let text = entry.event.text else { continue }
      if case .renamed = entry.event, i != title { continue }
      if case .drawingAsked(let request, _, _, _, _) = entry.event, repeated.contains(request) { continue }
      try database.execute(
        sql: "INSERT INTO entries VALUES (?, ?, ?)", arguments: [text, id, entry.time])
    }
  }
}
