import Files
import Foundation
import Layers
import ModelFiles
import Tensors
import TestSupport
import Testing

/// Folders as downloads, clones and other programs leave them.
@NumericActor
struct ModelFolderTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func reason(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private var weights: String { reason { _ = try ModelWeights(folder: folder.path) } }
  private var configuration: String { reason { try ModelFolder.checkConfiguration(folder.path) } }

  private func write(_ name: String, _ text: String = "x") throws {
    _ = try folder.write(name, Array(text.utf8))
  }

  private func index(_ shards: [String]) throws {
    let map = shards.enumerated().map { "\"t\($0)\":\"\($1)\"" }.joined(separator: ",")
    try write("model.safetensors.index.json", "{\"weight_map\":{\(map)}}")
  }

  @Test func anUnfinishedDownloadSaysWhatIsMissing() throws {
    let names = (1...7).map { "model-0000\($0)-of-00007.safetensors" }
    try index(names)
    try SafetensorsWriter.write(["t1": Tensor([1])], to: "\(folder.path)/\(names[1])")
    #expect(
      weights.hasPrefix("\(folder.path): incomplete download: 1 of 7 files are here; missing \(names[0]), "))
    #expect(weights.contains("and 2 more; download them from"), "\(weights)")
    try FileManager.default.removeItem(atPath: folder.path + "/model.safetensors.index.json")
    #expect(
      weights.contains("1 of 7 files are here, and model.safetensors.index.json is missing"), "\(weights)")
    try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[1])")
    try write("model.safetensors.incomplete")
    #expect(weights.contains("model.safetensors.incomplete is not finished"), "\(weights)")
  }

  /// The reference takes the whole file, too.
  @Test func aWholeFileComesBeforeAnOldIndex() throws {
    try index(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    try SafetensorsWriter.write(["a": Tensor([4])], to: folder.path + "/model.safetensors")
    #expect(try ModelWeights(folder: folder.path).allTensors().mapValues { $0.item() } == ["a": 4])
  }

  @Test func othersWeightsAreNamed() throws {
    for (name, text) in [
      ("q4.gguf", "GGUF's (q4.gguf)"), ("pytorch_model.bin", "PyTorch's (pytorch_model.bin)"),
      ("model.onnx", "ONNX's"),
    ] {
      try write(name)
      #expect(weights.contains(text) && configuration.contains(text), "\(weights) \(configuration)")
      try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
    }
    try write("other.safetensors")
    #expect(weights.contains("(only other.safetensors)"), "\(weights)")
  }

  @Test func whatStandsInAFilesPlaceIsNamed() throws {
    let path = folder.path + "/model.safetensors"
    let texts: [(String, String)] = [
      ("version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n", "a Git LFS pointer"),
      ("GGUF\u{3}\0\0\0\0\0", "a GGUF file"), ("PK\u{3}\u{4}archive/data.pkl", "a PyTorch checkpoint"),
      ("<!DOCTYPE html><html><title>401", "a web page"), ("", "the file is empty"),
      ("{\"error\":1}", "the file is cut off or no safetensors file"),
    ]
    for (text, answer) in texts {
      try write("model.safetensors", text)
      #expect(weights.hasPrefix(path + ": ") && weights.contains(answer), "\(weights)")
      if answer.hasPrefix("a ") {
        #expect(reason { _ = try Tokenizer(json: path) }.contains(answer))
      }
    }
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "../../blobs/abc")
    #expect(weights.contains("this links to ../../blobs/abc, which is not there"), "\(weights)")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/tokenizer.json", withDestinationPath: "nowhere")
    #expect(reason { _ = try Tokenizer(folder: folder.path) }.contains("links to nowhere"))
  }

  @Test func jsonFilesHaveALineForEachFault() throws {
    struct File: Decodable {
      let name: String
      let inner: [String: Int]
    }
    let deep = String(repeating: "[", count: 100_000)
    let texts: [(String, String)] = [
      ("", "the file is empty"), ("{\"name\": ", "not JSON, or it is cut off"), (deep, "not JSON"),
      ("{\"name\":" + deep, "not JSON"), ("[1]", "this is no thing"), ("{}", "'name' is missing"),
      ("{\"name\":\"x\",\"inner\":{\"a\":\"b\"}}", "'inner.a' must be a whole number"),
      ("{\"name\":\"x\",\"inner\":{\"a\":1e400}}", "copy the file"),
      ("{\"name\":\"x\",\"inner\":{\"a\":1.5}}", "not a whole one, such as 'inner.a' (1.5)"),
      ("{\"name\":null,\"inner\":{}}", "'name'"),
    ]
    let wide: [UInt8] = [0x7B, 0, 0x7D, 0], marks: [UInt8] = [0xFF, 0xFE]
    var faults: [([UInt8], String)] = texts.map { (Array($0.0.utf8), $0.1) }
    faults += [(marks + wide, "UTF-16"), (wide, "UTF-16"), ([0x80, 0x81, 0xFF], "not JSON")]
    for count in [1, 4, 700] {
      faults.append(([UInt8](repeating: 0, count: count), "holds zero bytes alone"))
    }
    faults.append(([0, 0, 0, 7, 65, 66], "not JSON"))
    for (bytes, answer) in faults {
      let path = try folder.write("a.json", bytes)
      let found = reason { _ = try ModelJSON.read(File.self, at: path, kind: "thing") }
      #expect(found.hasPrefix(path) && found.contains(answer) && !found.contains("\n"), "\(answer): \(found)")
    }
    let marked = try folder.write("a.json", [0xEF, 0xBB, 0xBF] + Array("{\"name\":\"x\",\"inner\":{}}".utf8))
    #expect(try ModelJSON.read(File.self, at: marked, kind: "thing").name == "x")
  }

  @Test func aHubsCacheStandsForItsSnapshot() throws {
    let root = folder.path + "/models--org--Small-1B", commit = String(repeating: "a1", count: 20)
    #expect(ModelFolder.located(root) == root)
    for part in ["refs", "blobs", "snapshots/\(commit)", "snapshots/older"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(part)", withIntermediateDirectories: true)
    }
    try write("models--org--Small-1B/refs/main", commit)
    #expect(ModelFolder.located(root) == "\(root)/snapshots/\(commit)")
    #expect(ModelFolder.located(root + "/snapshots") == "\(root)/snapshots/\(commit)")
    #expect(
      ModelFolder.name(of: ModelFolder.located(root)) == "Small-1B"
        && ModelFolder.name(of: "/a/nano/") == "nano")
    // A reference cannot lead elsewhere.
    try write("models--org--Small-1B/refs/main", "../../../etc")
    #expect(ModelFolder.located(root).hasPrefix("\(root)/snapshots/"))
    try FileManager.default.removeItem(atPath: root + "/snapshots")
    try FileManager.default.createDirectory(atPath: root + "/snapshots", withIntermediateDirectories: true)
    #expect(reason { try ModelFolder.checkConfiguration(root) }.contains("without a snapshot"))
    #expect(configuration.contains("name one of them, such as \(root)"), "\(configuration)")
  }

  @Test func aFolderThatIsNoneIsNamed() throws {
    #expect(configuration.contains("the folder is empty"))
    try write("adapter_config.json", "{}")
    #expect(configuration.contains("an adapter (LoRA)"))
    try FileManager.default.removeItem(atPath: folder.path + "/adapter_config.json")
    try FileManager.default.createDirectory(atPath: folder.path + "/inner", withIntermediateDirectories: true)
    try write("inner/config.json", "{}")
    #expect(configuration.contains("but in inner; name that folder: \(folder.path)/inner"))
    try write("a.safetensors")
    #expect(
      reason { try ModelFolder.checkConfiguration(folder.path + "/a.safetensors") }
        .hasSuffix("one file of a model; name its folder: \(folder.path)"))
    #expect(reason { try ModelFolder.checkConfiguration(folder.path + "/none") }.contains("no such folder"))
    #expect(reason { try ModelFolder.checkConfiguration("/dev/null") }.contains("/dev/null: this is"))
    mkfifo(folder.path + "/model.safetensors", 0o600)
    #expect(weights.contains("not a plain file"))
  }

  @Test func wholeNumbersAreNoWeights() throws {
    let path = folder.path + "/a.safetensors"
    try SafetensorsWriter.write(["w": Tensor(indices: [1, 2])], to: path)
    #expect(
      reason { _ = try SafetensorsFile(path: path).weights() }.contains("tensor 'w': whole numbers (I32)"))
  }

  /// Larger than a piece, so that pieces meet.
  @Test func copiesAreTheSameBytes() throws {
    let path = folder.path + "/a", piece = 64 << 20
    try AtomicFile.write(Data((0..<64).map { UInt8($0) }), to: path)
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seek(toOffset: UInt64(piece - 2))
    file.write(Data([9, 8, 7, 6]))
    try file.truncate(atOffset: UInt64(piece + 1001))
    try ModelFolder.copy(path, to: path + "2")
    #expect(FileManager.default.contentsEqual(atPath: path, andPath: path + "2"))
    try AtomicFile.write(Data(), to: path)
    try ModelFolder.copy(path, to: path + "2")
    #expect(FileManager.default.contentsEqual(atPath: path, andPath: path + "2"))
  }
}
