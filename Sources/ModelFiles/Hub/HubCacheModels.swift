import Files
import Foundation

/// One state of a model that lies in a hub's cache.
public struct CachedModel: Sendable, Equatable {
  /// Organization and name, without a revision.
  public let name: HubName
  /// 40 hexadecimal digits.
  public let commit: String
  /// Branches and tags that are this commit.
  public let revisions: [String]
  /// Where its files, which are links, lie.
  public let folder: String
  /// Of its files, whatever else uses them, and of what a download left unfinished.
  public let bytes: Int
}

extension HubCache {
  /// Every state of every model in the cache, by name.
  public func models() -> [CachedModel] {
    Self.names(folder).sorted().compactMap { HubName(folderName: $0) }.flatMap(states)
  }

  /// `ORG/NAME` of each model in the cache; reads one folder.
  public func names() -> [String] {
    Self.names(folder).sorted().compactMap { HubName(folderName: $0)?.repository }
  }

  private func states(of name: HubName) -> [CachedModel] {
    let references = Self.files(root(name) + "/refs").compactMap { path -> (String, String)? in
      let text = (try? MappedFile.contents(of: "\(root(name))/refs/\(path)")).map { $0.prefix(64) }
      return text.map {
        (path, String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
    return Self.names(root(name) + "/snapshots").filter(HubName.isCommit).sorted().map { commit in
      let folder = snapshot(name, commit)
      let bytes = Self.files(folder).reduce(0) { $0 + Self.size("\(folder)/\($1)") }
      return CachedModel(
        name: name, commit: commit, revisions: references.filter { $0.1 == commit }.map(\.0).sorted(),
        folder: folder, bytes: bytes)
    }
  }

  /// Removes a model from the cache, or one state of it with what only that uses.
  ///
  /// Returns the bytes that are free now. Throws `HubError` where it is not there or is being fetched.
  public func remove(_ name: HubName) throws -> Int {
    let states = states(of: name), root = root(name)
    guard access(root, F_OK) == 0 else {
      throw HubError(
        .missing, "\(name.repository) is not in the cache, \(folder); vugen model list shows what is")
    }
    try checkIdle(name)
    guard name.revision != nil else { return try removeAll(root, name) }
    guard let commit = commit(of: name), let state = states.first(where: { $0.commit == commit }) else {
      let known = states.flatMap { $0.revisions.isEmpty ? [$0.commit] : $0.revisions }.joined(separator: ", ")
      throw HubError(.missing, "\(name) is not in the cache; of \(name.repository) there is: \(known)")
    }
    if states.count == 1 { return try removeAll(root, name) }
    let kept = Set(states.filter { $0 != state }.flatMap { Self.blobs($0.folder) })
    let blobs = Set(Self.blobs(state.folder)).subtracting(kept).filter { $0.hasPrefix(root + "/blobs/") }
    let own = Self.files(state.folder).map { "\(state.folder)/\($0)" }.filter { !Self.isLink($0) }
    let freed = (blobs + own).reduce(0) { $0 + Self.size($1) }
    for revision in state.revisions { unlink("\(root)/refs/\(revision)") }
    try Self.delete(state.folder)
    for blob in blobs { unlink(blob) }
    return freed
  }

  private func removeAll(_ root: String, _ name: HubName) throws -> Int {
    let freed = Self.files(root).map { "\(root)/\($0)" }.filter { !Self.isLink($0) }.reduce(0) {
      $0 + Self.size($1)
    }
    try Self.delete(root)
    try? FileManager.default.removeItem(atPath: locks(name))
    return freed
  }

  /// Throws where somebody holds a lock.
  private func checkIdle(_ name: HubName) throws {
    for lock in Self.names(locks(name)) where lock.hasSuffix(".lock") {
      _ = try FileLock("\(locks(name))/\(lock)") {
        throw HubError(.room, "\(name.repository) is being fetched; wait for that, or stop it")
      }
    }
  }

  // MARK: Files

  private static func delete(_ path: String) throws {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw ModelFileError(path, "cannot be removed; look at its permissions")
    }
  }

  /// The contents that a snapshot's links lead to.
  private static func blobs(_ snapshot: String) -> [String] {
    files(snapshot).compactMap { path in
      let link = "\(snapshot)/\(path)"
      guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else { return nil }
      let folder = (link as NSString).deletingLastPathComponent
      return URL(fileURLWithPath: target.hasPrefix("/") ? target : "\(folder)/\(target)").standardizedFileURL
        .path
    }
  }

  private static func names(_ folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  /// Paths of files and links below a folder, which are not followed.
  private static func files(_ folder: String) -> [String] {
    names(folder).flatMap { name -> [String] in
      var status = stat()
      guard lstat("\(folder)/\(name)", &status) == 0 else { return [] }
      guard status.st_mode & S_IFMT == S_IFDIR else { return [name] }
      return files("\(folder)/\(name)").map { "\(name)/\($0)" }
    }
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
