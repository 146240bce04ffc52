import Files
import Foundation

/// The lists of captions that lie among a folder's pictures: what they say of which picture.
///
/// Names in a list are taken from where it lies, or, where all begin with the names of the folders in which it lies, from
/// where these do: see `ListReading`. A list that cannot be read is an entry of `Found.unreadable`, and
/// pictures that it names and that are not there are `missing`: neither passes without a word.
struct BroughtLists {
  private var entries: [[UInt8]: (name: String, list: String, captions: [String])] = [:]
  /// A list of whose pictures none is there, and its first name.
  private(set) var misfit: (list: String, name: String)?

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
    let folder = FileName.parent(of: list), reading: ListReading
    do {
      reading = try ListReading(rows, of: list, from: [folder], in: folder.isEmpty ? "." : folder)
    } catch {
      found.unreadable.append("\(error)")
      return
    }
    if misfit == nil, reading.paths.allSatisfy({ $0 == nil }), let first = rows.first {
      misfit = (list, first.file)
    }
    for (row, path) in zip(rows, reading.paths) {
      guard let path else {
        let name = row.names[0], missing = name.hasPrefix("/") || folder.isEmpty ? name : "\(folder)/\(name)"
        if found.missing.last != missing { found.missing.append(missing) }
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
