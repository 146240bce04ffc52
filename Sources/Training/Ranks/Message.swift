import CMPI
import Foundation

/// Bytes on their way from one rank to another.
final class Message {
  private let ranks: Ranks
  private let bytes: UnsafeMutableRawBufferPointer
  /// nil once nothing is on its way, and where there was no memory for it.
  private var work: OpaquePointer?
  /// Whether the library may still read or write the bytes.
  private var isOut: Bool

  init(_ data: Data, to rank: Int, _ ranks: Ranks) {
    self.ranks = ranks
    bytes = .allocate(byteCount: data.count, alignment: 16)
    data.copyBytes(to: bytes)
    work = vugen_mpi_send_begin(bytes.baseAddress, bytes.count, Int32(rank))
    isOut = work != nil
  }

  init(of count: Int, from rank: Int, _ ranks: Ranks) {
    self.ranks = ranks
    bytes = .allocate(byteCount: count, alignment: 16)
    work = vugen_mpi_receive_begin(bytes.baseAddress, count, Int32(rank))
    isOut = work != nil
  }

  deinit { if !isOut { bytes.deallocate() } }

  /// Whether `end` has nothing to wait for. Every look moves on all that is on its way.
  var isThere: Bool { work.map { vugen_mpi_work_help($0) } ?? true }

  /// The bytes, once they are there, or the other has taken them.
  func end() throws -> Data {
    ranks.perform { work.map { vugen_mpi_work_end($0) } ?? VUGEN_MPI_FAILED }
    work = nil
    try ranks.check()
    isOut = false
    return Data(bytes)
  }
}

/// What one other rank sends of its part of a row, as the first one takes it: see `InOrder`.
///
/// A result is two messages: its place and its length, and then its bytes. Behind the last one comes `end` with no bytes, or
/// with the reason why it is the last.
final class IncomingResults {
  enum Head {
    case result(place: Int, Data)
    case end(reason: String?)
  }

  /// In the place of a place.
  private static let end: Int64 = -1
  private static let headerSize = 2 * MemoryLayout<Int64>.size

  private let rank: Int
  private let ranks: Ranks
  private var head: Head?
  private var header: (place: Int64, size: Int)?
  private var coming: Message?

  init(from rank: Int, _ ranks: Ranks) { (self.rank, self.ranks) = (rank, ranks) }

  /// Whether nothing more comes.
  var hasEnded: Bool { if case .end = head { true } else { false } }

  /// The first result that was not let go; nil where it is not there yet.
  ///
  /// - Parameter waits: whether it is waited for.
  func first(waits: Bool) throws -> Head? {
    while head == nil {
      let message = coming ?? Message(of: header?.size ?? Self.headerSize, from: rank, ranks)
      coming = message
      guard waits || message.isThere else { return nil }
      let data = try message.end()
      coming = nil
      take(data)
    }
    return head
  }

  private func take(_ data: Data) {
    guard let header else {
      let numbers = data.withUnsafeBytes { bytes in
        (0..<2).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
      }
      header = (numbers[0], Int(numbers[1]))
      if numbers[1] == 0 { take(Data()) }
      return
    }
    self.header = nil
    let reason = data.isEmpty ? nil : String(decoding: data, as: UTF8.self)
    head = header.place == Self.end ? .end(reason: reason) : .result(place: Int(header.place), data)
  }

  /// Lets go of the first result; an end stays.
  func drop() { if !hasEnded { head = nil } }

  /// What is sent of a result; of the end where there is no place.
  static func messages(place: Int?, _ data: Data, to rank: Int, _ ranks: Ranks) -> [Message] {
    let numbers = [place.map(Int64.init) ?? end, Int64(data.count)]
    let header = numbers.withUnsafeBytes { Data($0) }
    return [Message(header, to: rank, ranks)] + (data.isEmpty ? [] : [Message(data, to: rank, ranks)])
  }
}
