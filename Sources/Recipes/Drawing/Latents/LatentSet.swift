import DataSets
import Files
import Foundation
import Tensors

/// A folder of latents that were worked out once: chunks (`LatentChunk`), of one model or of several, each found by what it
/// was made of. Any number of processes read it, and add to it, at once; none makes what another one is making (`claims`).
final class LatentSet {
  /// Where an entry lies.
  private struct Entry {
    let chunk, row: Int32
    let line: Range<Int>
  }

  let folder: String
  let head: LatentHead
  private let claims: WorkClaims
  private var chunks: [LatentChunk] = []
  private var known: Set<String> = []
  private var entries: [LatentKey: Entry] = [:]
  private var writer: LatentWriter?
  /// Damaged entries by chunk, damaged lines by their index, and indices that hold nothing.
  private var damaged: [String: Int] = [:], damagedLines: [String: Int] = [:], emptied: [String] = []

  /// Opens a folder, or makes it. Throws `FileAccessError`.
  init(_ folder: String, _ head: LatentHead) throws {
    (self.folder, self.head) = (folder, head)
    try FileName.makeFolder(folder)
    claims = try WorkClaims(folder + "/claims")
    refresh()
  }

  /// Entries of this model.
  var count: Int { entries.count }

  /// Takes in what has come since.
  func refresh() {
    for name in (try? FileName.names(in: folder)) ?? []
    where name.hasSuffix(".index") && known.insert(name).inserted {
      let chunk = LatentChunk("\(folder)/\(name.dropLast(6))", head)
      if chunk.isEmptied { emptied.append(chunk.index) }
      chunks.append(chunk)
    }
    for (number, chunk) in chunks.enumerated() {
      for line in chunk.newLines() {
        if line.isDamaged {
          damagedLines[chunk.index, default: 0] += 1
          chunk.strike(line.bytes)
        }
        guard let key = line.key else { continue }
        entries[key] = Entry(chunk: Int32(number), row: Int32(line.row), line: line.bytes)
      }
    }
  }

  func has(_ key: LatentKey) -> Bool { entries[key] != nil }

  /// Whether an entry is there, and as it was written; one that is not is struck out.
  func isSound(_ key: LatentKey) -> Bool {
    guard let entry = entries[key] else { return false }
    let chunk = chunks[Int(entry.chunk)]
    if let numbers = chunk.numbers(Int(entry.row)), let line = chunk.text(entry.line) {
      let check = line[(LatentKey.digits + 1)...].prefix(LatentChunk.checkDigits)
      let isSame = line[LatentChunk.captionsStart...].withUnsafeBytes {
        Array(NewLatents.check(numbers.bytes, captions: $0).utf8) == Array(check)
      }
      if isSame { return true }
    }
    chunk.strike(entry.line)
    entries[key] = nil
    damaged[chunk.latents, default: 0] += 1
    return false
  }

  /// What a person should know, a line each.
  var problems: [String] {
    let heads = chunks.filter { $0.state == .damaged }.map {
      "\($0.index): its first line is damaged, and its latents are made anew; remove the file"
    }
    return heads
      + emptied.sorted().map { "\($0): holds nothing any more, and its latents are made anew" }
      + damagedLines.sorted { $0.key < $1.key }.map { path, count in
        "\(path): \(count) of its lines \(count == 1 ? "is" : "are") damaged, and the latents of \(count == 1 ? "it" : "them") are made anew"
      }
      + damaged.sorted { $0.key < $1.key }.map { path, count in
        "\(path): \(count) of its entries \(count == 1 ? "is" : "are") damaged, and made anew"
      }
  }

  // MARK: Making

  /// Whether making an entry is this process's work now: nobody else is at it, nor has finished it.
  func claim(_ key: LatentKey) -> Bool { claims.claim(key.claim) }

  /// Others may make what was claimed and not added.
  func releaseClaims() { claims.releaseAll() }

  /// Writes entries. Throws `FileAccessError`; what was there stays.
  func add(_ new: [NewLatents]) throws {
    guard !new.isEmpty else { return }
    let open = try writer.flatMap { $0.isFull ? nil : $0 } ?? LatentWriter.open(in: folder, head)
    writer = open
    try open.append(new)
    refresh()
  }

  /// Lets others go on with the chunk that this one has written to.
  func finish() { writer = nil }

  // MARK: Reading

  /// The numbers of entries that are there, bf16 `[keys, patches, channels]`, from the mapped files. Throws `DataSetError`
  /// where somebody has taken them away.
  func latents(_ keys: [LatentKey]) throws -> Tensor {
    .concatenated(
      try keys.map { key in
        guard let entry = entries[key], let found = chunks[Int(entry.chunk)].numbers(Int(entry.row)) else {
          throw gone
        }
        return Tensor(
          borrowing: found.bytes, owner: found.owner, shape: [1, head.patches, head.channels], type: .bf16)
      })
  }

  /// The captions of an entry that is there, at least one. Throws as `latents` does.
  func captions(_ key: LatentKey) throws -> [String] {
    guard let entry = entries[key], let line = chunks[Int(entry.chunk)].text(entry.line),
      let found = try? JSONDecoder().decode(
        [String].self, from: Data(line[LatentChunk.captionsStart...])), !found.isEmpty
    else { throw gone }
    return found
  }

  private var gone: DataSetError {
    DataSetError(folder, "latents that were there are gone; resume the run, and they are made anew")
  }
}
