import CSQLite

/// What SQLite says of a statement that failed.
struct DatabaseError: Error {
  /// The primary result code (https://sqlite.org/rescode.html).
  let code: Int32
  let message: String

  /// Whether a file is damaged, or no database of ours.
  var isOfFile: Bool { [SQLITE_NOTADB, SQLITE_CORRUPT, SQLITE_ERROR].contains(code) }
}

/// A connection to an SQLite database, for one thread at a time.
final class Database {
  /// What a column holds, or a `?` in a statement stands for.
  enum Value {
    case null, integer(Int), real(Double), text(String)

    var text: String { if case .text(let value) = self { value } else { "" } }
    var integer: Int { if case .integer(let value) = self { value } else { 0 } }
    /// A whole number is one, too.
    var real: Double { if case .real(let value) = self { value } else { Double(integer) } }
  }

  private let connection: OpaquePointer

  /// Opens a file, which is made where there is none; one that another process writes is waited for.
  ///
  /// - Parameter path: nil for a database in memory.
  init(path: String? = nil, waitingMilliseconds: Int32 = 2000) throws {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    let code = sqlite3_open_v2(path ?? ":memory:", &opened, flags, nil)
    guard let opened else { throw DatabaseError(code: SQLITE_NOMEM, message: "out of memory") }
    guard code == SQLITE_OK else {
      defer { sqlite3_close_v2(opened) }
      throw Self.error(of: opened)
    }
    connection = opened
    sqlite3_busy_timeout(connection, waitingMilliseconds)
  }

  deinit { sqlite3_close_v2(connection) }

  private static func error(of connection: OpaquePointer) -> DatabaseError {
    DatabaseError(
      code: sqlite3_errcode(connection) & 0xff, message: String(cString: sqlite3_errmsg(connection)))
  }

  /// Runs statements, one behind the other, whose results do not matter. Throws `DatabaseError`.
  func execute(_ statements: String) throws {
    guard sqlite3_exec(connection, statements, nil, nil, nil) == SQLITE_OK else {
      throw Self.error(of: connection)
    }
  }

  /// Runs one statement. Throws `DatabaseError`.
  ///
  /// - Parameter values: what its question marks stand for.
  /// - Returns: its rows; none of a statement that changes something.
  @discardableResult
  func rows(_ statement: String, _ values: [Value] = []) throws -> [[Value]] {
    var prepared: OpaquePointer?
    guard sqlite3_prepare_v2(connection, statement, -1, &prepared, nil) == SQLITE_OK else {
      throw Self.error(of: connection)
    }
    defer { sqlite3_finalize(prepared) }
    for (i, value) in values.enumerated() {
      guard Self.bind(value, to: prepared, at: Int32(i + 1)) == SQLITE_OK else {
        throw Self.error(of: connection)
      }
    }
    var rows: [[Value]] = []
    while true {
      switch sqlite3_step(prepared) {
      case SQLITE_ROW: rows.append((0..<sqlite3_column_count(prepared)).map { Self.column($0, of: prepared) })
      case SQLITE_DONE: return rows
      default: throw Self.error(of: connection)
      }
    }
  }

  /// All of it, or nothing where `body` throws.
  func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try execute("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // What failed may have ended it already.
      try? execute("ROLLBACK")
      throw error
    }
  }

  /// SQLite's word for "copy this before you return".
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private static func bind(_ value: Value, to statement: OpaquePointer?, at place: Int32) -> Int32 {
    switch value {
    case .null: return sqlite3_bind_null(statement, place)
    case .integer(let number): return sqlite3_bind_int64(statement, place, Int64(number))
    case .real(let number): return sqlite3_bind_double(statement, place, number)
    case .text(var text):
      return text.withUTF8 {
        // A nil address would be NULL, not an empty text.
        $0.withMemoryRebound(to: CChar.self) {
          sqlite3_bind_text64(
            statement, place, $0.baseAddress ?? emptyText, UInt64($0.count), copied, UInt8(SQLITE_UTF8))
        }
      }
    }
  }

  private nonisolated(unsafe) static let emptyText: UnsafePointer<CChar> = {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    text.initialize(to: 0)
    return UnsafePointer(text)
  }()

  private static func column(_ i: Int32, of statement: OpaquePointer?) -> Value {
    switch sqlite3_column_type(statement, i) {
    case SQLITE_INTEGER: return .integer(Int(sqlite3_column_int64(statement, i)))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, i))
    case SQLITE_TEXT:
      guard let text = sqlite3_column_text(statement, i) else { return .text("") }
      let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, i)))
      return .text(String(decoding: bytes, as: UTF8.self))
    default: return .null
    }
  }
}
