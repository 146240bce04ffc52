import Foundation
import ProgramSupport
import TestSupport
import Testing

/// `vugen model pull`, `list` and `remove`, as a shell runs them, with a hub on the loopback.
@Suite(.serialized)
struct HubProgramTests {
  private let folder: String, server: HubServer
  private static let name = "org/Tiny", token = "hf_SecretOfThisTest"

  init() throws {
    folder = try temporaryFolder()
    server = try HubServer()
    let made = try run("V model init --shape tiny --output m")
    #expect(made.status == 0, "\(made.error)")
    var files: [String: [UInt8]] = ["README.md": [1]]
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
      files[name] = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/m/\(name)")))
    }
    server.repositories = [Self.name: .init(files, large: ["model.safetensors"])]
    try FileManager.default.removeItem(atPath: folder + "/m")
  }

  private func start(_ line: String) throws -> ChildProgram {
    try ChildProgram(
      ["/bin/sh", "-c", "P='\(try Session.program())'; V() { \"$P\" \"$@\"; }; \(line)"], in: folder,
      environment: [
        "PATH": "/usr/bin:/bin", "HOME": folder, "TERM": "xterm", "HF_ENDPOINT": server.address,
        "HF_TOKEN": Self.token,
      ])
  }

  private func run(_ line: String) throws -> (out: String, error: String, status: Int32) {
    let ended = try start(line).outcome()
    for text in [ended.output, ended.errors] {
      #expect(!text.contains(Self.token) && !text.contains("s3cret"))
    }
    return (ended.output, ended.errors, ended.status)
  }

  private var root: String { "\(folder)/.cache/huggingface/hub/models--org--Tiny" }
  private var snapshot: String { "\(root)/snapshots/\(HubServer.commit)" }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func aModelIsPulledUsedListedAndRemoved() throws {
    let before = try run("V ask hi --model \(Self.name)")
    #expect(
      before.status == 1 && before.error.contains("fetch it: vugen model pull \(Self.name)"), "\(before)")
    let pulled = try run("V model pull \(Self.name)")
    #expect(pulled.status == 0 && pulled.out == snapshot + "\n", "\(pulled)")
    // A line for each file, and nothing that moves a cursor.
    #expect(
      pulled.error.split(separator: "\n").count == 3 && pulled.error.contains("vugen: config.json, 0.0 MB\n"))
    #expect(!pulled.error.contains("\u{1B}"))
    let again = try object(try run("V model pull \(Self.name)@main --json").out)
    #expect(again["fetchedBytes"] as? Int == 0 && again["folder"] as? String == snapshot)
    #expect(again["commit"] as? String == HubServer.commit && again["files"] as? Int == 3)
    // The server is no longer needed.
    server.stop()
    try whatWasPulledIsUsed()
    try whatIsThereIsListed()
    let removed = try run("V model remove \(Self.name)")
    #expect(removed.status == 0 && removed.out.hasPrefix("removed \(Self.name), "), "\(removed)")
    #expect(try run("V model remove \(Self.name)").status == 1)
    #expect(try run("V model remove runs").error.contains("names no model in the hub's cache"))
    #expect(!FileManager.default.fileExists(atPath: root))
  }

  private func whatWasPulledIsUsed() throws {
    for command in [
      "ask hi --max-tokens 2", "score --image p.png --text x", "model info",
      "train decoder --output r --show-recipe",
    ] {
      if command.hasPrefix("score") { _ = try run("V imagine x --steps 1 --output p.png") }
      let option = command.hasPrefix("model info") ? "" : "--model "
      let used = try run("V \(command) \(option)\(Self.name)")
      #expect(used.status == 0, "\(command): \(used)")
    }
  }

  private func whatIsThereIsListed() throws {
    let list = try run("V model list")
    let lines = list.out.split(separator: "\n").map(String.init)
    #expect(lines.count == 2 && lines[0].hasPrefix("nano ") && lines[1].hasPrefix("\(Self.name) "), "\(list)")
    #expect(lines[0].contains("built-in") && lines[0].hasSuffix("ask, imagine, reconstruct"))
    #expect(lines[1].contains("cache") && lines[1].contains("perception_lm") && lines[1].hasSuffix("; ask"))
    _ = try run("V model init --shape tiny --output runs/mine")
    let models = try #require(try object(try run("V model list --json").out)["models"] as? [[String: Any]])
    #expect(models.compactMap { $0["name"] as? String } == ["nano", Self.name, "runs/mine"])
    #expect(models.compactMap { $0["source"] as? String } == ["built-in", "cache", "folder"])
    #expect(
      models[1]["bytes"] as? Int == models[2]["bytes"] as? Int && models[1]["can"] as? [String] == ["ask"])
  }

  @Test func onATerminalThereIsOneLine() throws {
    let pulled = try run(
      "(script -qec \"'$P' model pull \(Self.name)\" log >/dev/null)")
    let log = try String(contentsOfFile: folder + "/log", encoding: .utf8)
    #expect(pulled.status == 0 && log.contains("\r\u{1B}[KTiny: ") && log.contains("3 of 3 files"), "\(log)")
    #expect(!log.contains("vugen: ") && log.contains(snapshot))
    // What stays on the screen is the folder alone.
    let lines = log.split(whereSeparator: \.isNewline).filter { $0.contains(" of 3 files") }
    #expect(lines.allSatisfy { $0.contains("\u{1B}[K") })
  }

  @Test func failuresAreOneLineAndJSON() throws {
    server.answer { _, _ in
      HubServer.error(
        403, "GatedRepo", "Access is restricted \(Self.token). Visit http://hub/org/Tiny to ask for access.")
    }
    let refused = try run("V model pull \(Self.name)")
    #expect(refused.status == 1 && refused.error.split(separator: "\n").count == 1, "\(refused)")
    #expect(refused.error.contains("is gated") && refused.error.contains("Visit http://hub/org/Tiny"))
    let json = try run("V model pull \(Self.name) --json")
    let told = try object(json.out)["error"] as? String ?? ""
    #expect(json.status == 1 && json.error.isEmpty && told.contains("gated"))
    #expect(try run("V model pull Tiny").error.contains("write ORG/NAME"))
    #expect(try run("V model pull").status == 2)
    #expect(!FileManager.default.fileExists(atPath: root))
    // A limit on files stands in for a full disk.
    server.answer { $1 }
    let limited = try run("(ulimit -f 20; V model pull \(Self.name))")
    #expect(limited.status == 1 && limited.error.contains("cannot be written"), "\(limited)")
    #expect(try run("V model pull \(Self.name)").status == 0)
  }

  /// Ctrl-C and SIGTERM leave whole files and parts that are gone on with.
  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func aSignalLeavesWhatIsGoneOnWith(_ signal: Int32, _ status: Int32) throws {
    server.answer { request, response in
      var response = response
      if request.isToStore { response.stall = 50_000 }
      return response
    }
    let child = try start("exec \"$P\" model pull \(Self.name)")
    let blobs = root + "/blobs"
    var part: String?
    for _ in 0..<6000 where part == nil {
      usleep(10_000)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: blobs)) ?? []
      part = names.first { name in
        let size = try? FileManager.default.attributesOfItem(atPath: "\(blobs)/\(name)")[.size] as? Int
        return name.hasSuffix(".incomplete") && size == 50_000
      }
    }
    #expect(part != nil)
    kill(child.identifier, signal)
    let ended = try child.outcome(), said = ended.errors
    #expect(ended.status == status)
    #expect(said.hasSuffix("vugen: stopped; the same command goes on where this ended\n"), "\(said)")
    let left = try FileManager.default.contentsOfDirectory(atPath: snapshot)
    for name in left { #expect(FileManager.default.fileExists(atPath: "\(snapshot)/\(name)")) }
    #expect(!left.contains("model.safetensors"))
    let early = try run("V ask hi --model \(Self.name)")
    #expect(early.status == 1 && early.error.contains("vugen model pull \(Self.name)"), "\(early)")
    server.answer { $1 }
    server.forget()
    #expect(try run("V model pull \(Self.name)").status == 0)
    let ranges = server.requests.filter(\.isToStore).map { $0.headers["range"] }
    #expect(ranges == ["bytes=50000-"])
    #expect(try run("V ask hi --max-tokens 2 --model \(Self.name)").status == 0)
  }
}
