import Digests
import Files
import Foundation

/// A folder of a person's own that a model is fetched into, with the notes that the hub's own client leaves there:
/// `.cache/huggingface/download/PATH.metadata` holds commit, checksum and time.
struct HubLocalFolder {
  let folder: String

  private var notes: String { "\(folder)/.cache/huggingface/download" }
  private func note(of path: String) -> String { "\(notes)/\(path).metadata" }

  func path(_ file: HubFile) -> String { "\(folder)/\(file.path)" }

  func place(_ file: HubFile) -> HubPlace {
    HubPlace(
      partial: "\(notes)/\(file.path).\(file.etag).incomplete", whole: path(file),
      lock: "\(notes)/\(file.path).lock")
  }

  /// Throws `ModelFileError` where one of these files is there and is another, of a model that was trained here, say: only
  /// what was fetched is written over.
  func checkReplaceable(_ files: [HubFile], check: () throws -> Void) throws {
    for file in files where access(path(file), F_OK) == 0 && noted(file.path) == nil {
      guard try !holds(file, check: check) else { continue }
      throw ModelFileError(
        path(file), "already exists and is not the hub's; name another folder, or remove it")
    }
  }

  func prepare() throws {
    try HubCache.makeFolder(notes)
    let ignored = "\(folder)/.cache/huggingface/.gitignore"
    if access(ignored, F_OK) != 0 { try AtomicFile.write(Data("*".utf8), to: ignored) }
  }

  /// Whether a file is the one that is meant: noted as such and not changed since, or found to be by its checksum.
  func holds(_ file: HubFile, check: () throws -> Void) throws -> Bool {
    let path = path(file)
    guard HubCache.holds(path, file) else { return false }
    if let (etag, time) = noted(file.path), etag == file.etag {
      var status = stat()
      if stat(path, &status) == 0, Double(status.st_mtim.tv_sec) <= time + 1 { return true }
    }
    let bytes = try MappedFile(path: path), digest = RunningDigest(file.digest)
    try withExtendedLifetime(bytes) {
      for start in stride(from: 0, to: bytes.bytes.count, by: 1 << 22) {
        try check()
        let part = bytes.bytes[start..<min(bytes.bytes.count, start + (1 << 22))]
        digest.add(UnsafeRawBufferPointer(rebasing: part))
      }
    }
    return try digest.finish() == file.etag
  }

  private func noted(_ path: String) -> (etag: String, time: Double)? {
    guard let text = try? String(contentsOfFile: note(of: path), encoding: .utf8) else { return nil }
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    guard lines.count >= 3, let time = Double(lines[2]), time.isFinite else { return nil }
    return (lines[1], time)
  }

  func note(_ file: HubFile, _ commit: String) throws {
    let text = "\(commit)\n\(file.etag)\n\(Date().timeIntervalSince1970)\n"
    try AtomicFile.write(Data(text.utf8), to: note(of: file.path))
  }
}
