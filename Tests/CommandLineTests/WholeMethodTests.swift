import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// The whole method by commands alone: a Perception Language Model in patches of 14 that has learnt nothing, photographs of
/// odd shapes, all stages in turn.
@FourthCommands
struct WholeMethodTests {
  private let shell: Shell

  init() throws {
    shell = try Shell()
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../VUGENTests/Fixtures").standardizedFileURL.path
    for (file, name) in [
      ("rounded/config.json", "config.json"), ("rounded/model.safetensors", "model.safetensors"),
      ("tokenizer.json", "tokenizer.json"),
    ] {
      let data = try #require(FileManager.default.contents(atPath: "\(fixtures)/\(file)"))
      try shell.write(data, "base/\(name)")
    }
  }

  /// A landscape of bands, of any shape.
  private func photograph(_ number: Int, _ width: Int, _ height: Int) throws -> Data {
    let rgb = (0..<width * height).flatMap { i -> [UInt8] in
      let (x, y) = (i % width, i / width), band = y * 4 / height
      return [UInt8((x * 3 + number * 40) % 256), UInt8(60 * band), UInt8((y * 5 + number * 7) % 256)]
    }
    return Data(try Picture(width: width, height: height, rgb: rgb).pngData())
  }

  /// Trains until there is something to resume from, is killed, and goes on to its end.
  private func killedAndResumed(_ stage: String, _ options: String, _ settings: [String]) throws {
    let set = settings.map { "--set \($0)" }.joined(separator: " ")
    let found = try shell.run(
      """
      "$P" train \(stage) -o \(stage) \(options) \(set) --set optimization.steps=100000 \
      --set run.checkpointMinutes=0.00001 >killed.log 2>&1 & p=$!
      \(Shell.until("[ -s \(stage)/checkpoint.safetensors ] && [ $(wc -l <\(stage)/metrics.jsonl) -ge 3 ]"))
      kill -9 $p; wait $p
      V train \(stage) -o \(stage) --resume --set optimization.steps=$(($(wc -l <\(stage)/metrics.jsonl) + 2)) 2>resumed.log
      echo $?; cat killed.log resumed.log >&2
      """)
    #expect(found.out.hasSuffix(", finished: the model is in \(stage)/model\n0\n"), "\(stage): \(found)")
    // Each step once, whatever was begun when it was killed.
    struct Line: Decodable { let step: Int, loss: Double }
    let lines = try String(contentsOfFile: "\(shell.folder)/\(stage)/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.map(\.step) == Array(1...max(1, lines.count)) && lines.allSatisfy(\.loss.isFinite))
  }

  @Test func photographsBecomeAModelThatDraws() throws {
    let shapes = [(91, 40), (37, 120), (64, 64), (150, 33), (57, 58), (30, 31)]
    let long = String(repeating: "a folder with a long name/", count: 5)
    for (i, (width, height)) in shapes.enumerated() {
      for folder in ["in", "pax/\(long)"] {
        try shell.write(try photograph(i, width, height), "\(folder)/photo\(i).png")
        try shell.write("a photograph of number \(i) in the evening", "\(folder)/photo\(i).txt")
      }
    }
    let built = try shell.run(
      "V data build folder in -o s && mkdir p && tar --format=pax --sort=name -C pax -cf p/any.tar . && V data inspect p"
    )
    #expect(built.status == 0 && built.out.hasPrefix("6 pictures in s\n"), "\(built)")
    try killedAndResumed(
      "understanding", "--from base", ["data.shards=s", "data.batch=2", "data.questions=1"])
    try killedAndResumed(
      "decoder", "--model understanding/model",
      ["data.shards=p", "data.batch=2", "model.outputSize=48", "run.sampleMinutes=0"])
    try killedAndResumed(
      "generator", "--model decoder/model --latents shared",
      [
        "data.shards=p", "data.batch=3", "data.crop=random", "data.views=3", "run.sampleMinutes=0",
        "run.checkpointActivations=true",
      ])
    let latents = try StoredLatents(shell.folder + "/shared")
    #expect(latents.entries.count == 18 && latents.lines == 18)
    try killedAndResumed(
      "distill", "--model generator/model",
      ["data.shards=s", "data.batch=2", "teacher.steps=2", "run.sampleMinutes=0"])
    let used = try shell.run(
      """
      V imagine 'a photograph in the evening' --model distill/model --steps 2 -o drawn.png
      V caption in/photo3.png --model distill/model --max-tokens 4 --json
      """)
    let drawn = try Picture(path: shell.folder + "/drawn.png")
    #expect(used.status == 0 && drawn.width == 48 && drawn.height == 48, "\(used)")
    #expect(used.out.contains("\"file\":\"in/photo3.png\""), "\(used)")
  }
}
