import Files
import Foundation
import Pictures

/// Samples as a recipe names them: a shard, a folder of shards, a pattern of these, or a folder whose folders hold the pictures
/// of a class each (ImageNet's layout).
public struct SampleSource: Sendable {
  /// A folder of pictures of one class.
  struct ClassFolder: Sendable {
    let path: String
    /// Of the pictures in it.
    let names: [String]
  }

  /// As it was named.
  public let name: String
  let shards: [String]
  let classes: [ClassFolder]

  /// Shards by their files.
  init(files: [String]) { (name, shards, classes) = (files.first ?? "", files, []) }

  /// Throws `DataSetError` where there is no such file, or nothing to read.
  ///
  /// - Parameters:
  ///   - name: with `{000000..000123}` and `{a,b}` for several, and `*`, `?` and `[…]` as a shell has them.
  ///   - isTraining: whether a folder's shards are read that are not called after validation or tests, where there are some.
  public init(_ name: String, isTraining: Bool = true) throws {
    self.name = name
    var shards: [String] = [], classes: [ClassFolder] = []
    for place in try Self.places(name) {
      if let found = try Self.classFolders(of: place) {
        classes += found
      } else {
        shards += try isTraining ? Shards.trainingFiles(at: place) : Shards.files(at: place)
      }
    }
    (self.shards, self.classes) = (shards, classes)
  }

  /// What a person should know of it, in a line; nil for shards.
  public var note: String? {
    guard !classes.isEmpty else { return nil }
    let pictures = classes.reduce(0) { $0 + $1.names.count }
    return "\(name): \(classes.count) folders are taken for classes, with \(pictures) pictures"
  }

  // MARK: Patterns

  /// What a name stands for. A file that is really called so is itself.
  static func places(_ name: String) throws -> [String] {
    if FileName.exists(name) { return [name] }
    var places: [String] = [], missing: [String] = []
    for one in try expanded(name) {
      if FileName.exists(one) {
        places.append(one)
      } else if one.contains(where: { "*?[".contains($0) }) {
        let found = matches(one)
        guard !found.isEmpty else {
          throw DataSetError(one, "no file is called so; name shards, such as data/*.tar")
        }
        places += found
      } else {
        missing.append(one)
      }
    }
    if let first = missing.first, missing.count < places.count + missing.count || missing.count > 1 {
      throw DataSetError(
        name, "\(missing.count) of \(places.count + missing.count) files are not there, such as \(first)")
    }
    return missing.isEmpty ? places : missing
  }

  /// Most files that braces may stand for.
  private static let most = 1_000_000

  /// All that braces stand for, as a shell has them. Throws `DataSetError` where that would be too many.
  package static func expanded(_ name: String) throws -> [String] {
    guard let open = name.firstIndex(of: "{"), let close = name[open...].firstIndex(of: "}") else {
      return [name]
    }
    let inner = String(name[name.index(after: open)..<close]), start = String(name[..<open])
    var choices = inner.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if let range = inner.wholeMatch(of: /(\d+)\.\.(\d+)/), let first = Int(range.1), let last = Int(range.2) {
      guard abs(last - first) < most else { throw DataSetError(name, "stands for more than \(most) files") }
      // As many digits as are written, where one of them begins with 0.
      let isPadded = [range.1, range.2].contains { $0.count > 1 && $0.hasPrefix("0") }
      let digits = isPadded ? max(range.1.count, range.2.count) : 1
      choices = stride(from: first, through: last, by: first <= last ? 1 : -1).map {
        Shards.padded($0, digits)
      }
    } else if choices.count == 1 {
      choices = ["{\(inner)}"]
    }
    let rests = try expanded(String(name[name.index(after: close)...]))
    guard choices.count * rests.count <= most else {
      throw DataSetError(name, "stands for more than \(most) files")
    }
    return choices.flatMap { choice in rests.map { start + choice + $0 } }
  }

  /// Files that a shell's pattern stands for, in the order of their names.
  private static func matches(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard FileName.withPath(pattern, { glob($0, 0, nil, &found) }) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { i in
      found.gl_pathv[i].map { path in
        FileName.text((0..<strlen(path)).map { UInt8(bitPattern: path[$0]) })
      }
    }
  }

  // MARK: Folders of classes

  /// Classes that are looked at to tell what a folder is.
  private static let looked = 3

  /// The folders of a folder that has no file of its own, each with pictures and no captions beside them; nil for anything
  /// else. Throws `DataSetError` where one of them cannot be read.
  private static func classFolders(of place: String) throws -> [ClassFolder]? {
    guard FileName.isFolder(place),
      let names = try? FileName.names(in: place).filter({ !$0.hasPrefix(".") }).sorted()
    else { return nil }
    let root = place.count > 1 && place.hasSuffix("/") ? String(place.dropLast()) : place
    let folders = names.filter { FileName.isFolder("\(root)/\($0)") }
    guard !folders.isEmpty, !names.contains(where: { isPicture($0) || $0.lowercased().hasSuffix(".tar") })
    else {
      return nil
    }
    for name in folders.prefix(looked) {
      let inner = (try? FileName.names(in: "\(root)/\(name)")) ?? []
      let isClass =
        inner.contains(where: isPicture)
        && !inner.contains { [".tar", ".txt", ".caption"].contains(where: $0.lowercased().hasSuffix) }
      guard isClass else { return nil }
    }
    return try folders.map { name in
      do {
        let inner = try FileName.filesBelow("\(root)/\(name)", hidden: false)
        return ClassFolder(
          path: "\(root)/\(name)", names: inner.filter { isPicture(FileName.last(of: $0)) }.sorted())
      } catch {
        throw DataSetError("\(root)/\(name)", (error as? FileAccessError)?.reason ?? "cannot be read")
      }
    }
  }

  private static func isPicture(_ name: String) -> Bool {
    !name.hasPrefix(".") && PictureFormat.extensions.contains((name as NSString).pathExtension.lowercased())
  }
}

/// How samples are read: which of their members says what is seen, and what class numbers are called.
public struct SampleReading: Sendable {
  /// Ending of the member that is a sample's text; empty for `.txt`, `.caption`, a caption in the `.json`, or the `.cls`.
  public var textKey: String
  /// Key of the caption in the `.json`; empty for a common one.
  public var jsonKey: String
  /// What classes are called; nil where a `.cls` is a text like others.
  public var classes: ClassNames?

  /// Each argument is the property of its name.
  public init(textKey: String = "", jsonKey: String = "", classes: ClassNames? = nil) {
    (self.textKey, self.jsonKey, self.classes) = (textKey.lowercased(), jsonKey, classes)
  }
}
