import ArgumentParser
import DataSets
import Files
import Foundation
import ModelFiles

extension SceneStyle: ExpressibleByArgument {}

struct DataBuildScenes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenes", abstract: "Compose scenes from the pictures that Debian ships.",
    discussion: """
      Needs the packages tuxpaint-stamps-default, fonts-noto-color-emoji and unicode-cldr-core. The same seed \
      gives the same shards, byte for byte.

      Example: vugen data build scenes --output scenes --train 20000 --validation 1000 --held-out 1000
      """)

  @Option(
    name: .shortAndLong, help: "Folder to write the shards to.", completion: .directory,
    transform: writtenFolder
  )
  var output: String
  @Option(parsing: .unconditional, help: "Number of training scenes.") var train = 10_000
  @Option(parsing: .unconditional, help: "Number of scenes with combinations that training shows too.")
  var validation = 1000
  @Option(parsing: .unconditional, help: "Number of scenes with combinations that training never shows.")
  var heldOut = 1000
  @Option(
    help: """
      Training scenes: varied, or clear (large, nearly upright things, one picture per class).
      """) var style = SceneStyle.varied
  @Option(parsing: .unconditional, help: "Width and height of the pictures, in pixels.") var size = 128
  @Option(parsing: .unconditional, help: "Seed of all random choices.") var seed: UInt64 = 1
  @Option(parsing: .unconditional, help: "Scenes per shard.") var perShard = 1000
  @Flag(help: "Replace an existing folder that holds a model, shards or a run.") var overwrite = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(32...2048).contains(size) { throw ValidationError("--size must be 32 to 2048.") }
    if !(1...1_000_000).contains(perShard) { throw ValidationError("--per-shard must be 1 to 1000000.") }
    if max(train, validation, heldOut) > 1_000_000_000 {
      throw ValidationError("numbers of scenes must be at most 1000000000.")
    }
    if train < 0 || validation < 0 || heldOut < 0 {
      throw ValidationError("numbers of scenes must be 0 or more.")
    }
    if train + validation + heldOut == 0 {
      throw ValidationError("nothing to build: all numbers of scenes are 0.")
    }
  }

  func run() async throws {
    Interruption.watch()
    let clock = ContinuousClock(), start = clock.now
    let bank = try ObjectBank()
    var composer = SceneComposer(bank, seed: seed, size: size)
    composer.style = style
    var builder = SceneShardBuilder(composer)
    builder.scenesPerShard = perShard
    let total = train + validation + heldOut, loaded = clock.now
    let counts = [(Split.train, train), (.validation, validation), (.heldOut, heldOut)]
    try OutputFolder.write(to: output, replacing: overwrite) { folder in
      try builder.write(counts, to: folder) { done in
        ProgressLine.show("\(done) of \(total) scenes, \(rate(done, clock.now - loaded)) per second")
        try Interruption.check()
      }
    }
    ProgressLine.end()
    let elapsed = (clock.now - loaded) / .seconds(1)
    if json {
      print(
        try jsonLine([
          "path": .text(output), "scenes": .number(Double(total)), "seconds": .number(elapsed),
          "scenesPerSecond": .number(Double(total) / elapsed),
          "loadSeconds": .number((loaded - start) / .seconds(1)), "cutOuts": .number(Double(bank.named)),
          "missingCutOuts": .list(bank.missing.map { .text($0) }),
        ]))
    } else {
      print("\(total) scenes in \(output.oneLine), \(rate(total, clock.now - loaded)) per second")
    }
    if let shortage = bank.shortage { note(shortage) }
  }

  private func rate(_ count: Int, _ duration: Duration) -> Int {
    Int(Double(count) / max(1e-9, duration / .seconds(1)))
  }
}
