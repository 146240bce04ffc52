import Files
import Foundation

/// The lists of captions that lie among a folder's pictures: what they say of which picture.
///
/// Names in a list are taken from where it lies. A list that cannot be read is an entry of `Found.unreadable`, and
/// pictures that it names and that are not there are `missing`: neither passes without a word.
struct BroughtLists {
  private var entries: [[UInt8]: (name: String, list: String, captions: [String])] = [:]

  /// Throws `DataSetError` where more of a list's lines than `mostBad` of all say nothing of a picture.
  init(_ paths: [String], mostBad: Double, _ found: inout FolderImport.Found) throws {
    for path in paths {
      guard !path.lowercased().hasSuffix(".parquet") else {
        found.unreadable.append("\(path): Parquet is not read; write this list as metadata.jsonl")
        continue
      }
      let list: CaptionList
      do { list = try CaptionList(path: path) } catch {
        found.unreadable.append("\(error)")
        continue
      }
      try list.check(mostBad: mostBad)
      found.badLines += list.bad.map { "\(path): \($0)" }
      add(list.rows, of: path, &found)
    }
  }

  private mutating func add(
    _ rows: [CaptionList.Row], of list: String, _ found: inout FolderImport.Found
  ) {
    let folder = FileName.parent(of: list)
    for row in rows {
      let paths = row.names.map { $0.hasPrefix("/") || folder.isEmpty ? $0 : "\(folder)/\($0)" }
      guard let path = paths.first(where: FileName.exists) else {
        if found.missing.last != paths[0] { found.missing.append(paths[0]) }
        continue
      }
      entries[FolderImport.identity(path), default: (row.file, list, [])].captions.append(row.caption)
    }
  }

  /// Pictures that the lists name, that are there, and that are none of `pictures`, as the lists say them and in order.
  func elsewhere(than pictures: [String]) -> [String] {
    let own = Set(pictures.map(FolderImport.identity))
    return entries.filter { !own.contains($0.key) }.map { "\($0.value.name) (\($0.value.list))" }.sorted()
  }

  /// What is said of a picture, and where.
  func entry(of picture: String) -> (list: String, captions: [String])? {
    entries[FolderImport.identity(picture)].map { ($0.list, $0.captions) }
  }
}
