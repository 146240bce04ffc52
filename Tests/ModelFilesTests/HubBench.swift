import Foundation
import ModelFiles
import TestSupport
import Testing

/// A server and an empty cache, for one test.
struct HubBench: Sendable {
  let server: HubServer
  /// Nothing may be written beside the cache in it.
  let folder: String
  static let name = "org/Tiny-1.5_B"
  static let token = "hf_SecretOfThisTest"

  /// Bytes that no two files share, long enough to come in many parts.
  static func weights(_ count: Int = 3_000_000, _ seed: UInt8 = 1) -> [UInt8] {
    // By hand: in tests, which are not optimised, `map` takes a second for this.
    [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      var i = 0
      while i < count {
        bytes[i] = UInt8(truncatingIfNeeded: i &* 131 &+ i >> 9) ^ seed
        i += 1
      }
      filled = count
    }
  }

  static let files: [String: [UInt8]] = [
    "config.json": Array("{\"model_type\":\"x\"}".utf8), "tokenizer.json": Array("{}".utf8),
    "tokenizer_config.json": [], "model.safetensors": weights(), "README.md": Array("read".utf8),
    "pytorch_model.bin": [1, 2], "onnx/model.onnx": [3], ".gitattributes": [4], "training_args.bin": [5],
    "vocab.json": Array("{ }".utf8),
  ]

  init(_ files: [String: [UInt8]] = files) throws {
    server = try HubServer()
    folder = try temporaryFolder()
    let large = Set(files.keys.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".bin") })
    server.repositories = [Self.name: .init(files, large: large)]
  }

  var cache: String { folder + "/hub" }
  var root: String { "\(cache)/models--org--Tiny-1.5_B" }
  var snapshot: String { "\(root)/snapshots/\(HubServer.commit)" }

  func settings(_ variables: [String: String] = [:]) throws -> HubSettings {
    var all = ["HF_ENDPOINT": server.address, "HF_HUB_CACHE": cache, "HF_TOKEN": Self.token, "HOME": folder]
    all.merge(variables) { $1 }
    var settings = try HubSettings(all)
    settings.retryPause = .milliseconds(2)
    return settings
  }

  @discardableResult
  func pull(
    _ name: String = name, _ variables: [String: String] = [:], to folder: String? = nil,
    isStopped: @escaping @Sendable () -> Bool = { false }, onEvent: @escaping (HubEvent) -> Void = { _ in }
  ) throws -> HubPulled {
    try HubPull(#require(HubName(name)), settings(variables), folder: folder, isStopped: isStopped)
      .run(onEvent: onEvent)
  }

  /// Kind and text of what a pull throws. It is one line, and never names the token.
  func failure(_ name: String = name, _ variables: [String: String] = [:], to folder: String? = nil) -> (
    kind: HubError.Kind?, text: String
  ) {
    do {
      try pull(name, variables, to: folder)
      return (nil, "no error")
    } catch {
      let text = "\(error)"
      #expect(!text.contains(Self.token) && !text.contains("s3cret"), "\(text)")
      #expect(text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }, "\(text)")
      return ((error as? HubError)?.kind, text)
    }
  }

  func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

  func paths(_ folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: folder)?.allObjects.compactMap { $0 as? String } ?? []).sorted()
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// What the hub and its store were asked for, such as `GET config.json`.
  var asked: [String] {
    server.requests.map { request in
      let name = (request.path as NSString).lastPathComponent
      return
        "\(request.method) \(request.isToStore ? "store" : name)\(request.headers["range"].map { " \($0)" } ?? "")"
    }
  }

  var blob: String {
    root + "/blobs/"
      + HubServer.etag(server.repositories[Self.name]?.files["model.safetensors"] ?? [], isLarge: true)
  }
}

/// A number that closures on other threads count up.
final class Count: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0

  var now: Int { lock.withLock { value } }

  /// The number before.
  @discardableResult
  func next() -> Int {
    lock.withLock {
      value += 1
      return value - 1
    }
  }
}

/// Names that closures on other threads have met.
final class Names: @unchecked Sendable {
  private let lock = NSLock()
  private var known: Set<String> = []

  func isNew(_ name: String) -> Bool { lock.withLock { known.insert(name).inserted } }
}
