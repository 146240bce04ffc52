import Digests
import Files
import Foundation
import ModelFiles
import Tensors
import TestSupport
import Testing

/// A folder that is removed at the end.
final class ScratchFolder {
  let path = temporaryPath()

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }
}

/// Bytes of a file with the given header and data.
private func file(_ header: String, data: Int = 0) -> [UInt8] {
  let json = Array(header.utf8)
  return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
    + [UInt8](repeating: 0, count: data)
}

private func reason(_ bytes: [UInt8]) -> String? {
  do {
    _ = try bytes.withUnsafeBytes { try SafetensorsHeader(bytes: $0, path: "m.safetensors") }
    return nil
  } catch {
    return "\(error)"
  }
}

@Suite(.serialized)
@NumericActor
struct SafetensorsTests {
  @Test func tensorsAreListed() throws {
    let folder = try ScratchFolder(), path = folder.path + "/model.safetensors"
    try SafetensorsWriter.write(
      ["b": .zeros([3, 5]), "a": Tensor.zeros([7]).cast(to: .bf16)], to: path)
    for place in [path, folder.path] {
      let listing = try TensorListing(place)
      #expect(listing.tensors.map(\.name) == ["a", "b"] && listing.tensors[1].shape == [3, 5])
      #expect(listing.tensors.map(\.type) == ["BF16", "F32"])
      #expect(listing.parameters == 22 && listing.bytes == 14 + 60)
    }
    #expect(throws: ModelFileError.self) { try TensorListing(folder.path + "/nothing") }
    // Other parts may have tensors of the same names.
    try SafetensorsWriter.write(["a": .zeros([2])], to: folder.path + "/part.safetensors")
    let whole = try TensorListing(folder.path, others: ["part.safetensors", "none.safetensors"])
    #expect(
      whole.tensors.map { "\($0.name) \($0.file)" } == [
        "a model.safetensors", "a part.safetensors", "b model.safetensors",
      ])
    #expect(whole.parameters == 24 && whole.bytes == 82)
  }

  /// Of several tensors that a cut file lacks, the first one in it, each time.
  @Test func theFirstMissingTensorIsNamed() {
    let order = ["z", "m", "a", "q", "b", "y", "c", "x"]
    let entries = order.enumerated().map {
      "\"\($1)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(4 * $0),\(4 * $0 + 4)]}"
    }
    let header = "{\(entries.sorted().joined(separator: ","))}"
    for (data, name) in [(0, "z"), (6, "m"), (15, "q"), (31, "x")] {
      #expect(reason(file(header, data: data))?.contains("tensor '\(name)': bytes") == true, "\(data)")
    }
  }

  @Test func writesWhatItReads() throws {
    let folder = try ScratchFolder(), path = folder.path + "/a.safetensors"
    var random = Philox(seed: 1)
    let tensors = [
      "weights.ä\"\\": Tensor.normal([3, 5], using: &random),
      "half": Tensor.normal([7], type: .bf16, using: &random),
      "ids": Tensor(indices: [-4, 9], shape: [2, 1]), "scalar": Tensor(scalar: 2.5),
      "empty": Tensor.zeros([0, 4]),
    ]
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: path)
    let file = try SafetensorsFile(path: path)
    #expect(file.names == tensors.keys.sorted() && file.header.metadata == ["format": "pt"])
    for (name, tensor) in tensors {
      let found = try file.tensor(name)
      #expect(found.shape == tensor.shape && found.type == tensor.type)
      #expect(tensor.withBytes { Array($0) } == found.withBytes { Array($0) })
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.safetensors"])
    #expect(throws: ModelFileError.self) { try file.tensor("nothing") }
  }

  /// The sum is of the whole file; what is no plain file keeps none.
  @Test func aSummedFileKnowsWhetherItIsAsWritten() throws {
    let folder = try ScratchFolder(), path = folder.path + "/a.safetensors"
    let tensors = ["x": Tensor(scalar: 2.5), "y": Tensor.zeros([3, 5])]
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], summed: true, to: path)
    let kept = try #require(try SafetensorsFile(path: path).header.metadata["vugen.sha256"])
    let whole = try #require(FileManager.default.contents(atPath: path))
    try SafetensorsFile(path: path).checkSum()
    // As anybody can compute it: the file with zeros in the sum's place.
    let place = try #require(whole.range(of: Data(kept.utf8)))
    var blank = whole
    blank.replaceSubrange(place, with: Data(repeating: UInt8(ascii: "0"), count: 64))
    #expect(try Digest.sha256(blank) == kept)
    for i in [whole.count - 1, whole.count - 30, 8 + 3, place.lowerBound] {
      var bytes = whole
      bytes[i] ^= i < 100 ? 32 : 1
      try bytes.write(to: URL(fileURLWithPath: path))
      guard let file = try? SafetensorsFile(path: path) else { continue }
      let error = #expect(throws: ModelFileError.self) { try file.checkSum() }
      #expect(error?.description.hasPrefix("\(path): its checksum is not that of what was written") == true)
    }
    // Zeros are none: the system computed no digest.
    blank[blank.count - 1] ^= 1
    try blank.write(to: URL(fileURLWithPath: path))
    try SafetensorsFile(path: path).checkSum()
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    // Open at both ends, it holds what is written without anybody beside it who reads.
    let held = open(pipe, O_RDWR)
    defer { close(held) }
    try SafetensorsWriter.write(tensors, summed: true, to: pipe)
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(held, &bytes, bytes.count)
    #expect(count > 0 && !String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).contains("sha256"))
  }

  @Test func readsEveryType() throws {
    let folder = try ScratchFolder()
    func one(_ type: String, _ bytes: [UInt8]) throws -> Tensor {
      let header = "{\"x\":{\"dtype\":\"\(type)\",\"shape\":[1],\"data_offsets\":[0,\(bytes.count)]}}"
      return try SafetensorsFile(path: try folder.write("x.safetensors", Array(file(header)) + bytes)).tensor(
        "x")
    }
    func little<T>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
    #expect(try one("F32", little(Float(1.5))).item() == 1.5)
    #expect(try one("F64", little(1.5)).item() == 1.5)
    #expect(try one("F16", [0x00, 0x3E]).item() == 1.5)
    #expect(try one("BF16", [0xC0, 0x3F]).item() == 1.5)
    #expect(try one("BOOL", [1]).toIndices() == [1])
    #expect(try one("U8", [200]).toIndices() == [200])
    #expect(try one("I8", [0xFF]).toIndices() == [-1])
    #expect(try one("I16", [0xFE, 0xFF]).toIndices() == [-2])
    #expect(try one("U16", [0xFE, 0xFF]).toIndices() == [65534])
    #expect(try one("I32", little(Int32(-7))).toIndices() == [-7])
    #expect(try one("U32", little(UInt32(7))).toIndices() == [7])
    #expect(try one("I64", little(Int64(-9))).toIndices() == [-9])
    #expect(try one("U64", little(UInt64(9))).toIndices() == [9])
    #expect(throws: ModelFileError.self) { try one("I64", little(Int64.max)) }
  }

  @Test func namesWhatIsWrong() {
    let entry = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
    #expect(reason(file("{\"x\":\(entry)}", data: 8)) == nil)
    #expect(reason(file("{}")) == nil)
    #expect(reason([1, 2, 3])?.contains("too few") == true)
    #expect(reason(withUnsafeBytes(of: UInt64.max, Array.init))?.contains("header's length") == true)
    #expect(
      reason(Array(file("{\"x\":\(entry)}", data: 8).dropLast()))?.contains("tensor 'x': bytes 0…8 leave")
        == true)
    #expect(reason(file("{\"x\":\(entry)", data: 8))?.contains("no valid safetensors JSON") == true)
    #expect(reason(file("[1]", data: 8))?.contains("no valid safetensors JSON") == true)
    #expect(reason(file("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}"))?.contains("tensor 'x'") == true)
    #expect(reason(file("{\"x\":\(entry),\"x\":\(entry)}", data: 8))?.contains("names it twice") == true)
    #expect(
      reason(file("{\"x\":\(entry),\"\\u0078\":\(entry)}", data: 8))?.contains("names it twice") == true)
    #expect(
      reason(
        file("{\"x\":\(entry),\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", data: 8))?
        .contains("overlap") == true)
    let wrong: [(String, String)] = [
      ("\"F33\"|[2]|[0,8]", "unknown type 'F33'"), ("\"F32\"|[3]|[0,8]", "which needs 12"),
      ("\"F32\"|[-2]|[0,8]", "impossible shape"),
      ("\"F32\"|[4611686018427387904,8]|[0,8]", "impossible shape"),
      ("\"U8\"|[4611686018427387904,0]|[0,0]", "impossible shape"),
      ("\"U8\"|[0,0,0,0,0,0,0,0,0]|[0,0]", "9 sizes"),
      ("\"F32\"|[2]|[8,0]", "leave the file"), ("\"F32\"|[2]|[0,8,9]", "two numbers"),
      ("\"F32\"|[2]|[-8,0]", "leave the file"), ("\"F32\"|[2.5]|[0,8]", "cannot be read"),
      ("7|[2]|[0,8]", "tensor 'x'"),
    ]
    for (parts, expected) in wrong {
      let p = parts.split(separator: "|")
      let found = reason(
        file("{\"x\":{\"dtype\":\(p[0]),\"shape\":\(p[1]),\"data_offsets\":\(p[2])}}", data: 8))
      #expect(found?.contains(expected) == true, "\(parts): \(found ?? "no error")")
    }
  }

  @Test func readsShardsAndNamesTheMissingOne() throws {
    let folder = try ScratchFolder()
    func expectError(_ text: String) {
      let error = #expect(throws: ModelFileError.self) { try ModelWeights(folder: folder.path) }
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "none")")
    }
    expectError("neither model.safetensors nor")
    try SafetensorsWriter.write(["a": Tensor([1])], to: folder.path + "/one.safetensors")
    try SafetensorsWriter.write(["b": Tensor([2])], to: folder.path + "/two.safetensors")
    let index = "model.safetensors.index.json"
    _ = try folder.write(
      index, Array("{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}".utf8))
    #expect(try ModelWeights(folder: folder.path).allTensors().mapValues { $0.item() } == ["a": 1, "b": 2])
    _ = try folder.write(index, Array("{\"weight_map\":{\"c\":\"one.safetensors\"}}".utf8))
    expectError("tensor 'c': the index promises it")
    _ = try folder.write(index, Array("{\"weight_map\":{\"a\":\"three.safetensors\"}}".utf8))
    expectError("incomplete download: 0 of 1 files are here; missing three.safetensors; download it")
    _ = try folder.write(index, Array("{\"weight_map\":{\"a\":\"../one.safetensors\"}}".utf8))
    expectError("is no file name")
    _ = try folder.write(index, Array("{".utf8))
    expectError("index.json: this is not JSON, or it is cut off")
  }

  @Test func leavesNothingBehindWhenWritingFails() throws {
    let folder = try ScratchFolder()
    #expect(throws: FileAccessError.self) {
      try SafetensorsWriter.write(["a": Tensor([1])], to: folder.path + "/no/such/folder.safetensors")
    }
    #expect(throws: ModelFileError.self) {
      try SafetensorsWriter.write(
        [.init(name: "a", type: .f32, shape: [4])], to: folder.path + "/short.safetensors"
      ) { _, body in try [UInt8](repeating: 0, count: 3).withUnsafeBytes(body) }
    }
    // A full disk.
    let error = #expect(throws: FileAccessError.self) {
      try AtomicFile.write(to: "/dev/full/x") { try [UInt8(1)].withUnsafeBytes($0) }
    }
    #expect(error?.description.contains("cannot be written") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  /// 5 000 damaged files end in an error or in a header that keeps its promises. VUGEN_FUZZ sets the number.
  @Test func survivesDamage() throws {
    let folder = try ScratchFolder(), path = folder.path + "/a.safetensors"
    let tensors = [
      "layer.0.weight": Tensor.zeros([3, 4]), "layer.0.bias": Tensor.zeros([4]).cast(to: .bf16),
      "ids": Tensor(indices: [3]),
    ]
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: path)
    let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var random = Philox(seed: 17), failures = 0
    let rounds = damageRounds(5000)
    for _ in 0..<rounds {
      let bytes = damaged(original, &random)
      do {
        let header = try bytes.withUnsafeBytes { try SafetensorsHeader(bytes: $0, path: "damaged") }
        for entry in header.entries.values {
          #expect(
            entry.range.upperBound <= bytes.count
              && entry.range.count == entry.shape.reduce(entry.type.byteCount, *))
        }
      } catch {
        #expect(error is ModelFileError)
        failures += 1
      }
    }
    #expect(failures > rounds / 3)
  }
}
