import Files
import Foundation

/// A run's figures and sheets as TensorBoard reads them: `events.out.tfevents.vugen` in its folder.
///
/// The file is a row of records, each a message `Event`; a run that is resumed appends to it, and tells readers by a message
/// `SessionLog` which steps come again.
///
///     record = length u64 | masked CRC of the length u32 | message | masked CRC of the message u32
///
/// Source: TensorFlow's `record_writer.h`, `event.proto` and `summary.proto`.
public final class EventFile {
  /// A number or a picture by its name.
  package enum Value {
    case number(String, Float)
    case picture(String, width: Int, height: Int, png: [UInt8])
  }

  /// What a record may hold, as this program writes it.
  package enum Content {
    case version
    case values([Value])
    /// From this step on what was written before counts no more.
    case restart
  }

  private let handle: FileHandle
  private let now: () -> Double

  /// Where a run's events lie.
  public static func path(in folder: String) -> String { folder + "/events.out.tfevents.vugen" }

  /// Opens the file of a run that has taken `step` steps, or makes it. A half-written last record is cut off. Throws
  /// `FileAccessError`.
  ///
  /// - Parameter now: seconds since 1970.
  public init(
    path: String, after step: Int, now: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    self.now = now
    let descriptor = FileName.open(path, O_RDWR | O_CREAT, 0o644)
    guard descriptor >= 0 else { throw FileAccessError(path, "cannot be written: " + FileName.systemReason) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let whole = try EventRecord.wholeLength(of: MappedFile.contents(of: path))
    try handle.truncate(atOffset: UInt64(whole))
    try write(whole == 0 ? .version : .restart, step: whole == 0 ? 0 : step + 1)
  }

  /// Adds what a step came to. Throws where the disk does not take it.
  public func append(_ line: MetricsLog.Line) throws {
    var values: [Value] = [.number("loss/total", line.loss)]
    values += line.terms.sorted { $0.key < $1.key }.map { .number("loss/\($0.key)", $0.value) }
    if let loss = line.validationLoss { values.append(.number("loss/validation", Float(loss))) }
    values += [
      .number("run/gradient norm", line.gradientNorm), .number("run/rate", line.rate),
      .number("run/pictures per second", Float(line.picturesPerSecond)),
    ]
    try write(.values(values), step: line.step)
  }

  /// Adds a sheet of samples, a PNG. Throws where it cannot be read, or the disk does not take it.
  public func append(sheet path: String, step: Int) throws {
    let png = [UInt8](try MappedFile.contents(of: path))
    // The header's numbers stand behind the signature and the first chunk's length and name.
    guard png.count >= 24 else { throw FileAccessError(path, "is no PNG") }
    func number(_ start: Int) -> Int { png[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    try write(
      .values([.picture("samples", width: number(16), height: number(20), png: png)]), step: step)
  }

  private func write(_ content: Content, step: Int) throws {
    try handle.seekToEnd()
    try handle.write(contentsOf: EventRecord.bytes(content, step: step, seconds: now()))
  }
}

/// Events as bytes.
package enum EventRecord {
  /// One record.
  package static func bytes(_ content: EventFile.Content, step: Int, seconds: Double) -> [UInt8] {
    var event = Message()
    event.double(1, seconds)
    event.int(2, step)
    switch content {
    case .version: event.data(3, Array("brain.Event:2".utf8))
    case .values(let values):
      var summary = Message()
      for value in values { summary.data(1, message(of: value)) }
      event.data(5, summary.bytes)
    case .restart:
      var log = Message()
      log.int(1, 1)
      event.data(7, log.bytes)
    }
    return framed(event.bytes)
  }

  private static func message(of value: EventFile.Value) -> [UInt8] {
    var message = Message()
    switch value {
    case .number(let name, let number):
      message.data(1, Array(name.utf8))
      message.float(2, number)
    case .picture(let name, let width, let height, let png):
      var picture = Message()
      picture.int(1, height)
      picture.int(2, width)
      // RGB.
      picture.int(3, 3)
      picture.data(4, png)
      message.data(1, Array(name.utf8))
      message.data(4, picture.bytes)
    }
    return message.bytes
  }

  private static func framed(_ message: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(masked(length[...])) + message + littleEndian(masked(message[...]))
  }

  /// The bytes of the whole records that a file begins with.
  static func wholeLength(of file: Data) -> Int {
    file.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      var place = 0
      func number<Value: FixedWidthInteger>(_ start: Int) -> Value {
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Value.self))
      }
      while place + 16 <= bytes.count {
        let length: UInt64 = number(place)
        guard length <= UInt64(bytes.count - place - 16),
          number(place + 8) == masked(bytes[place..<place + 8])
        else { break }
        let end = place + 12 + Int(length)
        guard number(end) == masked(bytes[place + 12..<end]) else { break }
        place = end + 4
      }
      return place
    }
  }

  private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  /// A checksum as records have it.
  private static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let sum = CRC32C.sum(of: bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }

  /// A protobuf message in the making; fields that are 0 are left out.
  private struct Message {
    private(set) var bytes: [UInt8] = []

    private mutating func variable(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }

    mutating func int(_ field: UInt64, _ value: Int) {
      guard value != 0 else { return }
      variable(field << 3)
      variable(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ field: UInt64, _ value: Double) {
      variable(field << 3 | 1)
      bytes += EventRecord.littleEndian(value.bitPattern)
    }

    /// One of several fields, of which it tells which it is: written in any case.
    mutating func float(_ field: UInt64, _ value: Float) {
      variable(field << 3 | 5)
      bytes += EventRecord.littleEndian(value.bitPattern)
    }

    mutating func data(_ field: UInt64, _ value: [UInt8]) {
      variable(field << 3 | 2)
      variable(UInt64(value.count))
      bytes += value
    }
  }
}

/// The checksum of records: CRC-32C (Castagnoli), RFC 3720.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
  }

  static func sum(of bytes: some Sequence<UInt8>) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
    return ~sum
  }
}
