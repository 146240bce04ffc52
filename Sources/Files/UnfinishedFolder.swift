import Foundation

/// Where long work for an output folder keeps what it has finished, whatever ends it: beside the folder, under its name and
/// `.partial`. It holds what is to become the folder, and the work's account of what that was made of.
public struct UnfinishedFolder: Sendable {
  /// The account's name, and that of the folder to come.
  private static let (account, contents) = ("made.jsonl", "shards")

  /// What a person calls it.
  public let shown: String
  private let path: String

  /// What the work writes to say what is finished, and reads to go on.
  public var account: String { path.joined(Self.account) }
  /// What becomes the output folder.
  var contents: String { path.joined(Self.contents) }

  /// nil where something of this name is not what such work leaves, or nothing can be made there.
  ///
  /// - Parameters:
  ///   - place: the output folder.
  ///   - folder: what a person calls that.
  init?(beside place: String, _ folder: String) {
    let name = FileName.last(of: place)
    guard !name.isEmpty else { return nil }
    path = FileName.parent(of: place).joined(FileName.fitting(name, before: ".partial") + ".partial")
    let beside = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let isNamedAlike = URL(fileURLWithPath: beside + ".partial").resolvingSymlinksInPath().path == path
    shown = isNamedAlike ? beside + ".partial" : path
    do {
      if FileName.isTaken(path) {
        guard isOurs else { return nil }
      } else {
        // Stays where something is in it.
        try PartialOutput.makeFolder(path)
      }
      try PartialOutput.makeFolder(contents)
    } catch { return nil }
  }

  /// Whether it holds nothing but what such work leaves.
  private var isOurs: Bool {
    guard !FileName.isLink(path), let names = try? FileName.names(in: path),
      names.allSatisfy({ [Self.account, Self.contents].contains($0) || LeftPartials.isOne($0) })
    else { return false }
    guard names.contains(Self.contents) else { return true }
    guard !FileName.isLink(contents), let made = try? FileName.filesBelow(contents) else { return false }
    return made.allSatisfy { OutputFolder.isOurs($0) } && (made.isEmpty || names.contains(Self.account))
  }

  /// When the work has ended: what is finished stays if there is an account of it.
  func end() {
    let isKept = FileName.exists(account) && !((try? FileName.names(in: contents)) ?? []).isEmpty
    if !isKept { FileName.remove(path) }
  }

  /// Whether something is kept, once the work has ended.
  public var isKept: Bool { FileName.exists(account) }
}

/// A folder that is made beside the place which it is for.
struct FolderInTheMaking {
  let path: String
  let unfinished: UnfinishedFolder?
  private let care: PartialOutput?

  /// Throws `FileAccessError`.
  ///
  /// - Parameter keeps: whether what is finished stays, where it can.
  init(beside place: String, _ folder: String, keeps: Bool) throws {
    unfinished = keeps ? UnfinishedFolder(beside: place, folder) : nil
    guard unfinished == nil else {
      (path, care) = (unfinished?.contents ?? "", nil)
      return
    }
    path = FolderMark.path(.partial, of: place)
    care = PartialOutput(path)
    do { try FileName.makeFolder(path) } catch {
      care?.forget()
      throw error
    }
  }

  /// Whether it has got its place or not.
  func end() {
    if let unfinished { unfinished.end() } else { FileName.remove(path) }
    care?.forget()
  }
}
