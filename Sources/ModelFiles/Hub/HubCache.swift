import Files
import Foundation

/// The folder in which the hub's own client, and this program, keep what they fetched:
///
///     models--ORG--NAME/refs/REVISION               the commit
///     models--ORG--NAME/blobs/ETAG                  contents
///     models--ORG--NAME/snapshots/COMMIT/PATH       links to them
///     .locks/models--ORG--NAME/ETAG.lock
public struct HubCache: Sendable {
  /// Absolute; laid out as the hub's own tools lay theirs out, so that both share it.
  public let folder: String

  /// The cache in a folder, which need not be there yet.
  public init(_ folder: String = HubSettings.cacheFolder()) { self.folder = folder }

  func root(_ name: HubName) -> String { "\(folder)/\(name.folderName)" }
  func locks(_ name: HubName) -> String { "\(folder)/.locks/\(name.folderName)" }
  func snapshot(_ name: HubName, _ commit: String) -> String { "\(root(name))/snapshots/\(commit)" }
  private func reference(_ name: HubName, _ branch: String) -> String { "\(root(name))/refs/\(branch)" }

  func place(_ file: HubFile, of name: HubName) -> HubPlace {
    let blob = "\(root(name))/blobs/\(file.etag)"
    return HubPlace(partial: blob + ".incomplete", whole: blob, lock: "\(locks(name))/\(file.etag).lock")
  }

  // MARK: Reading

  /// The folder that `--model ORG/NAME[@REVISION]` means; nil where the cache has none.
  public static func located(_ text: String) -> String? {
    HubName(text).flatMap { HubCache().located($0) }
  }

  /// The snapshot of a revision. Without one, where there is no main branch, whatever was fetched last.
  public func located(_ name: HubName) -> String? {
    if let commit = commit(of: name) { return existing(snapshot(name, commit)) }
    guard name.revision == nil, existing(root(name) + "/refs") == nil else { return nil }
    let found = ModelFolder.located(root(name))
    return found == root(name) ? nil : found
  }

  /// The commit that a revision was when it was last looked up; nil where it never was.
  func commit(of name: HubName) -> String? {
    if HubName.isCommit(name.branch) { return name.branch }
    guard let text = try? MappedFile.contents(of: reference(name, name.branch)) else { return nil }
    let commit = String(decoding: text.prefix(64), as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    return HubName.isCommit(commit) ? commit : nil
  }

  private func existing(_ path: String) -> String? { access(path, F_OK) == 0 ? path : nil }

  /// Whether a snapshot holds a whole model: what was asked for by a commit is then not asked for again.
  static func isWhole(_ snapshot: String) -> Bool {
    func has(_ name: String) -> Bool { access("\(snapshot)/\(name)", F_OK) == 0 }
    guard has("config.json"), has("tokenizer.json") || has("tokenizer.model") else { return false }
    return has(ModelFolder.whole) || ((try? ModelWeights(folder: snapshot)) != nil)
  }

  // MARK: Writing

  /// Notes which commit a revision is. Throws `ModelFileError`.
  func note(_ commit: String, of name: HubName) throws {
    guard name.branch != commit, self.commit(of: name) != commit else { return }
    let path = reference(name, name.branch)
    try Self.makeFolder((path as NSString).deletingLastPathComponent)
    try AtomicFile.write(Data(commit.utf8), to: path)
  }

  /// Puts a whole blob into a snapshot: as a link, or where links are not wanted or not possible, as the file itself.
  ///
  /// - Parameter isNew: whether nothing else can use the blob yet.
  func link(_ file: HubFile, of name: HubName, _ commit: String, byLink: Bool, isNew: Bool) throws {
    let path = "\(snapshot(name, commit))/\(file.path)", blob = place(file, of: name).whole
    guard !Self.holds(path, file) else { return }
    let temporary = "\(path).\(getpid()).partial"
    unlink(temporary)
    if byLink, symlink("../../blobs/\(file.etag)", temporary) == 0 {
      guard rename(temporary, path) == 0 else { throw Self.failure(path) }
    } else if isNew {
      guard rename(blob, path) == 0 else { throw Self.failure(path) }
    } else {
      try Self.copy(blob, to: temporary)
      guard rename(temporary, path) == 0 else { throw Self.failure(path) }
    }
  }

  /// Whether a file of that length is there, or a link that leads to one.
  static func holds(_ path: String, _ file: HubFile) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && Int(status.st_size) == file.size
  }

  /// Throws `ModelFileError`; half a copy is removed.
  static func copy(_ path: String, to other: String) throws {
    do {
      try FileManager.default.copyItem(atPath: path, toPath: other)
    } catch {
      unlink(other)
      throw ModelFileError(other, "cannot be written: there may be no room, or no permission")
    }
  }

  static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      var reason = String(cString: strerror(errno))
      let whole = error as NSError, inner = whole.userInfo[NSUnderlyingErrorKey] as? NSError
      if let inner, inner.domain == NSPOSIXErrorDomain {
        reason = String(cString: strerror(Int32(inner.code)))
      }
      throw ModelFileError(
        path, "cannot be made: \(reason); name another folder in HF_HUB_CACHE or with --local-dir")
    }
  }

  private static func failure(_ path: String) -> ModelFileError {
    ModelFileError(path, "cannot be written: " + FileName.systemReason)
  }
}
