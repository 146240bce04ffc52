import Files
import Foundation

/// Where the pictures lie that a list names, decided for the list as a whole.
///
/// A name may be there in two places. All are taken from the one folder from which most of them are there, never each
/// from where it happens to be found: a caption would stand under another picture. Of folders from which as many are
/// there, that one counts from which more lie in the folder of pictures.
struct ListReading {
  /// The picture of each row, where it is there.
  private(set) var paths: [String?]
  /// Whether it lies in the folder of pictures, or below it.
  let isInside: (String) -> Bool

  /// Throws `DataSetError` where two folders are as likely, and lead to other pictures.
  ///
  /// - Parameters:
  ///   - list: in which the rows stand. Where all names begin with the names of the folders in which it lies, as
  ///     `vugen caption` writes them, they are taken from where these lie, too.
  ///   - bases: folders from which names may be taken; empty for the working folder.
  ///   - folder: of pictures.
  init(_ rows: [CaptionList.Row], of list: String, from bases: [String], in folder: String) throws {
    isInside = Self.containment(folder)
    var known: Set<[UInt8]> = []
    let bases = (bases + Self.above(list, rows)).filter {
      known.insert(FolderImport.identity($0.isEmpty ? "." : $0)).inserted
    }
    let readings = bases.map { base in rows.map { Self.path(of: $0, from: base) } }
    let counts = readings.map { $0.count { $0 != nil } }, most = counts.max() ?? 0
    var likely = bases.indices.filter { counts[$0] == most }
    paths = likely.first.map { readings[$0] } ?? []
    guard most > 0, likely.count > 1 else { return }
    let inside = readings.map { $0.count { $0.map(isInside) ?? false } }
    let mostInside = likely.map { inside[$0] }.max()
    likely = likely.filter { inside[$0] == mostInside }
    paths = readings[likely[0]]
    let chosen = paths.map { $0.map(FolderImport.identity) }
    for other in likely.dropFirst() {
      let found = readings[other].map { $0.map(FolderImport.identity) }
      guard let row = rows.indices.first(where: { found[$0] != chosen[$0] }) else { continue }
      let (one, two) = (Self.name(bases[likely[0]]), Self.name(bases[other]))
      throw DataSetError(
        list,
        "its names may be taken from \(one) or from \(two), where they mean other pictures; the first is '\(rows[row].file)': write them in full, from / on"
      )
    }
  }

  private static func name(_ base: String) -> String { base.isEmpty ? "the working folder" : base }

  /// A row's picture, from a folder; nil where none is there.
  private static func path(of row: CaptionList.Row, from base: String) -> String? {
    let start = base.isEmpty || base.hasSuffix("/") ? base : base + "/"
    return row.names.lazy.map { $0.hasPrefix("/") ? $0 : start + $0 }.first { path in
      FileName.status(path).map { $0.st_mode & S_IFMT != S_IFDIR } ?? false
    }
  }

  /// The folders above a list's own from which all of its names lead into it.
  private static func above(_ list: String, _ rows: [CaptionList.Row]) -> [String] {
    let own = FileName.parent(of: list)
    var folder = URL(fileURLWithPath: own.isEmpty ? "." : own).standardizedFileURL.path
    var beginning = "", found: [String] = []
    while folder != "/", !folder.isEmpty {
      beginning = FileName.last(of: folder) + "/" + beginning
      folder = FileName.parent(of: folder)
      let start = Array(beginning.utf8)
      let fits = rows.allSatisfy { row in
        row.names.contains { ($0.hasPrefix("./") ? $0.dropFirst(2) : $0[...]).utf8.starts(with: start) }
      }
      if fits { found.append(folder) }
    }
    return rows.isEmpty ? [] : found
  }

  /// Whether a path leads into a folder, however both are written.
  private static func containment(_ folder: String) -> (String) -> Bool {
    func start(_ path: String) -> [UInt8] {
      let bytes = FolderImport.identity(path)
      return bytes.last == 0x2F ? bytes : bytes + [0x2F]
    }
    func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
    let plain = start(folder), real = start(resolved(folder))
    return { path in
      FolderImport.identity(path).starts(with: plain)
        || FolderImport.identity(resolved(path)).starts(with: real)
    }
  }
}
