import Foundation
import ProgramSupport
import TestSupport
import Testing

/// `vugen caption` as a script runs it.
@Suite(.serialized)
struct CaptionProgramTests {
  /// A running program and what it writes.
  private struct Run {
    let child: ChildProgram

    init(_ arguments: [String]) throws { child = try ChildProgram([Session.program()] + arguments) }

    /// All lines, once it has ended.
    func end() throws -> (lines: [String], errors: String, status: Int32, signal: Int32?) {
      let ended = try child.outcome()
      return (ended.output.split(separator: "\n").map(String.init), ended.errors, ended.status, ended.signal)
    }
  }

  /// A folder with copies of a picture of one pixel, `bad` of them spoilt.
  private func folder(_ count: Int, bad: Set<Int> = []) throws -> String {
    let path = temporaryPath()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let pixel = try #require(
      Data(
        base64Encoded:
          "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
      ))
    for i in 0..<count {
      let name = path + "/" + String(1000 + i) + ".png"
      try (bad.contains(i) ? Data("no picture".utf8) : pixel).write(to: URL(fileURLWithPath: name))
    }
    return path
  }

  /// What a process has had of the processors, in seconds.
  private func processorSeconds(_ process: Int32) -> Double {
    let line = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
      / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private func file(_ line: String) throws -> String {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return try #require(object?["file"] as? String)
  }

  @Test func aBadFileFailsAloneAndOrderIsKept() throws {
    let folder = try folder(9, bad: [4])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let all = ["caption", folder, "--json", "--tokens", "--max-tokens", "12", "--batch"]
    let (lines, errors, status, _) = try Run(all + ["3"]).end()
    // A line a file, the bad one's in its place, and nothing elsewhere.
    let names = (0..<9).map { "\(folder)/\(1000 + $0).png" }
    #expect(try lines.prefix(9).map(file) == names && lines.count == 9 && status == 1)
    #expect(lines.indices.filter { lines[$0].contains("\"error\"") } == [4])
    #expect(errors.isEmpty)
    // The same captions, whatever the batch.
    func texts(_ lines: [String]) throws -> [String] {
      try lines.prefix(9).map {
        let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        return "\(object?["tokens"] ?? "")"
      }
    }
    #expect(try texts(lines) == texts(Run(all + ["1"]).end().lines))
  }

  @Test func interruptingKeepsWhatIsFinished() throws {
    let folder = try folder(600)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let list = folder + ".jsonl"
    defer { try? FileManager.default.removeItem(atPath: list) }
    for (output, number) in [
      ([], SIGINT), (["--output", list], SIGINT), (["--output", list], SIGTERM), ([], SIGHUP),
    ] {
      try? FileManager.default.removeItem(atPath: list)
      let run = try Run(["caption", folder, "--json", "--batch", "4"] + output)
      if output.isEmpty {
        // Lines come while it works.
        run.child.wait(forBytes: 1)
        #expect(run.child.isRunning)
      } else {
        // Nothing shows before the end: it has answered some once it has worked for a while.
        for _ in 0..<1200 where processorSeconds(run.child.identifier) < 0.6 {
          Thread.sleep(forTimeInterval: 0.05)
        }
      }
      #expect(kill(run.child.identifier, number) == 0)
      let (lines, _, status, signal) = try run.end()
      #expect(status == 128 + number && signal == nil)
      // What is finished is counted behind it.
      let told = try #require(lines.last)
      #expect(
        told.contains("\"error\":\"interrupted\"") && told.contains("\"status\":\(128 + number)}"), "\(told)")
      let kept =
        output.isEmpty
        ? lines.dropLast()
        : try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
      #expect(kept.count < 600 && (output.isEmpty || !kept.isEmpty))
      let names = try kept.map(file)
      #expect(names == names.sorted() && told.contains("\"pictures\":\(kept.count),"), "\(told)")
    }
  }

  @Test func batchesHaveLimits() throws {
    let run = try Run(["caption", "x.png", "--batch", "33"]).end()
    #expect(run.status == 2 && run.errors.contains("--batch"))
  }
}
