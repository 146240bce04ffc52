import Files
import Foundation

/// The pictures of a folder and those below it, as every command that is given a folder reads it.
///
/// They are found by their endings and stand in the order of their paths. What is hidden is left out, and links to folders
/// are not followed.
public struct PictureFolder: Sendable {
  /// Paths, in their order.
  public private(set) var pictures: [String] = []
  /// Lists of captions that a folder brings along, as the layout `imagefolder` has them: `metadata.jsonl` and others of
  /// that name.
  public private(set) var lists: [String] = []
  /// Files of other kinds, which nobody has asked for.
  public private(set) var others: [String] = []
  /// Folders below that cannot be read, and pipes, sockets and devices by a picture's name: they are read where a person
  /// names them.
  public private(set) var locked: [FileAccessError] = []

  /// Throws `FileAccessError` where the folder itself cannot be read, or `Patience.Ended`.
  public init(_ folder: String) throws {
    let start = folder.hasSuffix("/") ? folder : folder + "/"
    var locked: [FileAccessError] = []
    let names = try FileName.filesBelow(
      folder, hidden: false, endsEarly: true, onLocked: { locked.append($0) })
    for (i, name) in names.enumerated() {
      if i % 64 == 0, Patience.isEnded { throw Patience.Ended() }
      let ending = (name as NSString).pathExtension.lowercased()
      if PictureFormat.extensions.contains(ending) {
        if FileName.isSpecial(start + name) {
          locked.append(FileAccessError(start + name, "this is not a plain file; name it to have it read"))
        } else {
          pictures.append(start + name)
        }
      } else if FileName.last(of: name).lowercased() == "metadata.\(ending)",
        Self.listEndings.contains(ending)
      {
        lists.append(start + name)
      } else if !FileName.isFolder(start + name) {
        others.append(start + name)
      }
    }
    self.locked = locked.sorted { $0.path < $1.path }
  }

  private static let listEndings: Set<String> = ["jsonl", "csv", "parquet"]
}
