import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// What `--json` prints: scripts rely on every field. Fields may be added, never renamed.
struct ReportTests {
  private enum Kind {
    case text, number, list, object
  }

  private func holds(_ value: Any?, _ kind: Kind) -> Bool {
    switch kind {
    case .text: value is String
    case .number: value is NSNumber
    case .list: value is [Any]
    case .object: value is [String: Any]
    }
  }

  private func object(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "no object: \(text)")
  }

  private static let answer: [(String, Kind)] = [
    ("text", .text), ("stopReason", .text), ("seconds", .number),
    ("tokensPerSecond", .number), ("model", .text),
  ]

  /// Each command, and the fields of its object; a path leads into objects and to the first of a list.
  private static let table: [(command: String, fields: [(String, Kind)])] = [
    ("ask 'What is this?' --image a.png --max-tokens 2", answer),
    ("caption a.png b.png --max-tokens 2", answer + [("file", .text)]),
    (
      "ask hi --tokens --max-tokens 2", answer + [("tokens", .list), ("promptTokens", .list)]
    ),
    (
      "score --image a.png --text 'a cat'",
      [("tokens", .list), ("texts", .list), ("logProbabilities", .list), ("sum", .number)]
    ),
    ("encode a.png --output f.safetensors", [("features", .list), ("projected", .list)]),
    (
      "imagine 'a cat' --negative x --steps 1 --seed 3 --output c.png",
      [
        ("images", .list), ("images.path", .text), ("images.prompt", .text), ("images.negative", .text),
        ("images.seed", .number), ("images.guidanceScale", .number), ("images.steps", .number),
        ("images.decoderSteps", .number), ("images.seconds", .number), ("images.sha256", .text),
      ]
    ),
    (
      "reconstruct a.png --decoder-steps 1 --output r.png",
      [("path", .text), ("psnr", .number), ("seconds", .number)]
    ),
    (
      "bench understanding --shape tiny --part encoder --repeats 1",
      [("machine", .object), ("results", .list), ("results.name", .text), ("results.seconds", .number)]
    ),
    ("evaluate reconstruction --scenes 1", [("samples", .number), ("psnr 1 step", .number)]),
    ("ask --model /nowhere x", [("error", .text)]), ("imagine x --steps 0", [("error", .text)]),
  ]

  @Test func everyCommandPrintsItsFields() throws {
    let folder = try temporaryFolder(), program = try Session.program()
    for name in ["a.png", "b.png"] {
      let picture = Picture(width: 40, height: 30, red: 200, green: 40, blue: 40)
      try Data(picture.pngData()).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    // One shell runs all of them.
    let script = Self.table.enumerated().map { i, row in
      "\"$P\" \(row.command) --json >\(i).json 2>\(i).error; echo $? >\(i).status"
    }
    _ = try ChildProgram.run(
      ["/bin/sh", "-c", "P='\(program)'; " + script.joined(separator: "\n")], in: folder,
      environment: ["PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8"])
    for (i, row) in Self.table.enumerated() {
      func text(_ ending: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(i).\(ending)", encoding: .utf8)
      }
      let isFailure = row.fields.first?.0 == "error"
      let status = try text("status"), said = try text("error")
      #expect((status == "0\n") != isFailure, "\(row.command): \(status) \(said)")
      let lines = try text("json").split(separator: "\n")
      // JSON lines of a caption a picture; one object of everything else.
      #expect(lines.count == (row.command.hasPrefix("caption") ? 2 : 1), "\(row.command): \(lines)")
      for line in lines { try check(line, row.fields, row.command) }
    }
  }

  private func check(_ line: some StringProtocol, _ fields: [(String, Kind)], _ command: String) throws {
    let report = try object(line)
    // A name, which means the same elsewhere, and no path of this machine; long lists only where they are asked for.
    #expect((report["model"] as? String)?.contains("/") != true, "\(command): \(line.prefix(400))")
    if fields.contains(where: { $0.0 == "stopReason" }), !command.contains("--tokens") {
      #expect(report["tokens"] == nil && report["promptTokens"] == nil)
    }
    for (path, kind) in fields {
      var value: Any? = report
      for name in path.split(separator: ".") {
        if let list = value as? [Any] { value = list.first }
        value = (value as? [String: Any])?[String(name)]
      }
      #expect(holds(value, kind), "\(command): '\(path)' in \(line.prefix(400))")
    }
  }

  /// A library that computes no digest, as an odd configuration of OpenSSL makes it, must not leave an empty one.
  @Test func aDigestThatIsNotComputedIsSaid() throws {
    let folder = try temporaryFolder(), program = try Session.program()
    let text = """
      openssl_conf = init
      [init]
      alg_section = algorithms
      [algorithms]
      default_properties = fips=yes

      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/openssl.cnf"))
    let ended = try ChildProgram.run(
      [program, "imagine", "x", "--steps", "1", "--output", "x.png", "--json"], in: folder,
      environment: ["OPENSSL_CONF": folder + "/openssl.cnf", "HOME": folder, "PATH": "/usr/bin:/bin"])
    let report = try object(ended.output)
    if ended.status == 0 {
      // Another libcrypto takes no notice.
      let images = try #require(report["images"] as? [[String: Any]])
      #expect((images.first?["sha256"] as? String)?.count == 64)
    } else {
      #expect(ended.status == 1 && (report["error"] as? String)?.contains("libcrypto") == true)
    }
  }
}
