import Files

/// The pictures that a person names, files and folders of them, in the order in which they are named.
public struct PictureList: Sendable {
  /// A picture, or what keeps it, or a folder of some, from being read.
  public struct Entry: Sendable {
    /// As it was named, or as it was found in a folder.
    public var path: String
    /// nil where it may be read.
    public var obstacle: FileAccessError?
  }

  /// All of them.
  public private(set) var entries: [Entry] = []
  /// Folders without any picture.
  public private(set) var empty: [String] = []

  /// Files of other kinds in the folders, by folder.
  public private(set) var others: [(folder: String, files: OtherFiles)] = []

  /// Throws `Patience.Ended` where it is interrupted while it looks through folders.
  ///
  /// - Parameter names: of files and folders; `-` is standard input.
  public init(_ names: [String]) throws {
    for name in names {
      guard name != "-", FileName.isFolder(name) else {
        let isThere = name == "-" || FileName.exists(name)
        entries.append(
          Entry(path: name, obstacle: isThere ? nil : FileAccessError(name, FileName.absence(name))))
        continue
      }
      do {
        let folder = try PictureFolder(name)
        let found = folder.pictures.map { Entry(path: $0) }
        entries += (found + folder.locked.map { Entry(path: $0.path, obstacle: $0) }).sorted {
          $0.path < $1.path
        }
        if folder.pictures.isEmpty, folder.locked.isEmpty { empty.append(name) }
        var passed = OtherFiles()
        for path in folder.others + folder.lists { passed.add(path) }
        if passed.line != nil { others.append((name, passed)) }
      } catch let error as Patience.Ended {
        throw error
      } catch {
        entries.append(
          Entry(path: name, obstacle: error as? FileAccessError ?? FileAccessError(name, "\(error)")))
      }
    }
  }
}
