import Digests
import Files
import Foundation

/// The checksum that a safetensors file keeps of itself, so that numbers that were damaged and still are numbers do not pass
/// for those that were written.
///
/// It is SHA-256 over the whole file, header and data, with zeros in its own place, and stands among the header's metadata.
/// Zeros alone are none: where the system computes no digest, a file is written all the same.
enum SafetensorsSum {
  static let key = "vugen.sha256"
  private static let zeros = String(repeating: "0", count: 64)

  /// The metadata with room for it.
  static func blank(in metadata: [String: String]) -> [String: String] {
    metadata.merging([key: zeros]) { $1 }
  }

  /// Where it stands in a header, which has it between quotes behind its key; nil where it has none.
  static func place(in header: some BidirectionalCollection<UInt8>) -> Int? {
    let mark = Data("\"\(key)\":\"".utf8), header = Data(header)
    guard let found = header.range(of: mark), found.upperBound + 64 < header.endIndex,
      header[found.upperBound + 64] == UInt8(ascii: "\"")
    else { return nil }
    return found.upperBound - header.startIndex
  }

  /// The checksum of a file that is being written.
  final class Running {
    private let digest = RunningDigest(.sha256)
    private let place: Int?

    init(_ header: Data) { place = SafetensorsSum.place(in: header) }

    func add(_ bytes: UnsafeRawBufferPointer) { digest.add(bytes) }

    /// What is written in the place of the zeros. A run's work is worth more than its checksum.
    func filling() -> AtomicFile.Filling? {
      guard let place, let sum = try? digest.finish() else { return nil }
      return AtomicFile.Filling(at: 8 + place, Array(sum.utf8))
    }
  }
}

extension SafetensorsFile {
  /// Reads the whole file where it keeps a checksum of itself. Throws `ModelFileError` where it is not as it was written,
  /// `DigestError`, or what `progress` throws.
  ///
  /// - Parameter progress: called with the bytes that are read.
  public func checkSum(progress: (_ done: Int) throws -> Void = { _ in }) throws {
    guard let kept = header.metadata[SafetensorsSum.key], kept.contains(where: { $0 != "0" }) else { return }
    let sum = try withAllBytes { try Self.sum(of: $0, progress) }
    guard sum == kept else {
      throw ModelFileError(
        path,
        "its checksum is not that of what was written, so that its numbers are damaged; copy it again, or make it anew"
      )
    }
  }

  /// nil where the header is not as it is written.
  private static func sum(
    of bytes: UnsafeRawBufferPointer, _ progress: (_ done: Int) throws -> Void
  ) throws -> String? {
    let length = Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))), piece = 64 << 20
    guard let place = SafetensorsSum.place(in: bytes[8..<8 + length]) else { return nil }
    let digest = RunningDigest(.sha256), start = 8 + place + 64
    digest.add(UnsafeRawBufferPointer(rebasing: bytes[..<(8 + place)]))
    Array(repeating: UInt8(ascii: "0"), count: 64).withUnsafeBytes { digest.add($0) }
    for begin in stride(from: start, to: bytes.count, by: piece) {
      try progress(begin)
      digest.add(UnsafeRawBufferPointer(rebasing: bytes[begin..<min(bytes.count, begin + piece)]))
    }
    return try digest.finish()
  }
}

extension ModelFolder {
  /// Reads the weights that keep a checksum of themselves: those that this program wrote. Throws `ModelFileError` for the first
  /// file that is not as it was written, `DigestError`, or what `progress` throws.
  ///
  /// - Parameter progress: called with the bytes that are read and all of them.
  public static func checkSums(
    _ folder: String, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws {
    let names = try list(folder).filter { $0.hasSuffix(".safetensors") }.sorted()
    let all = names.reduce(0) { $0 + Int(FileName.status("\(folder)/\($1)")?.st_size ?? 0) }
    var done = 0
    for name in names {
      try SafetensorsFile(path: "\(folder)/\(name)").checkSum { try progress(done + $0, all) }
      done += Int(FileName.status("\(folder)/\(name)")?.st_size ?? 0)
    }
  }
}
