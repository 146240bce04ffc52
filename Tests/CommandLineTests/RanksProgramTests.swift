import Foundation
import ModelFiles
import ProgramSupport
import Tensors
import TestSupport
import Testing

/// `mpirun vugen train`: several processes as one.
@Suite(
  .serialized, .enabled(if: Launcher.isThere, "mpirun is not installed; apt-get install openmpi-bin has it"))
@LauncherCommands
struct RanksProgramTests {
  private static let ground = Result { try TrainingGround() }

  /// Two ranks of batch B and one of 2B see the same pictures with the same random numbers, and learn the same.
  @Test(arguments: TrainingGround.Stage.allCases)
  func twoRanksEqualOneOfTwiceTheBatch(_ stage: TrainingGround.Stage) throws {
    let ground = try Self.ground.get()
    let one = try ground.train(stage, "one-\(stage)", ranks: 1, batch: 4, steps: 20)
    let two = try ground.train(stage, "two-\(stage)", ranks: 2, batch: 2, steps: 20)
    #expect(one.status == 0 && two.status == 0, "\(two.errors)")
    let difference = try ground.difference("one-\(stage)", "two-\(stage)")
    #expect(difference.largest < 1e-5, "\(difference)")
    // They have moved by far more than that.
    _ = try ground.train(stage, "short-\(stage)", ranks: 1, batch: 4, steps: 1)
    #expect(try ground.difference("short-\(stage)", "one-\(stage)").largest > 100 * 1e-5)
    // One line a step, one model, one voice.
    let steps = try ground.losses("two-\(stage)")
    #expect(steps.count == 20)
    for (a, b) in zip(try ground.losses("one-\(stage)"), steps) {
      #expect(abs(a - b) < 1e-4 * max(1, abs(a)))
    }
    #expect(two.out.components(separatedBy: "step 20 of 20, finished").count == 2, "\(two.out)")
    // Eight of the samples are held out; two ranks measure them as one does.
    let (mine, theirs) = (try ground.validation("one-\(stage)"), try ground.validation("two-\(stage)"))
    #expect(mine > 0 && abs(mine - theirs) < 1e-4 * mine, "\(mine), \(theirs)")
    #expect(two.errors.components(separatedBy: "2 ranks on 1 host, 1 thread each").count == 2)
  }

  /// What two ranks have begun one goes on with, and the other way round.
  @Test(arguments: [(2, 1), (1, 2)])
  func aRunGoesOnWithAnotherNumberOfRanks(_ first: Int, _ second: Int) throws {
    let ground = try Self.ground.get(), name = "resumed-\(first)-\(second)"
    _ = try ground.train(.decoder, "whole-\(name)", ranks: 1, batch: 4, steps: 20)
    _ = try ground.train(.decoder, name, ranks: first, batch: 4 / first, steps: 8)
    let end = try ground.train(.decoder, name, ranks: second, batch: 4 / second, steps: 20, more: "--resume")
    #expect(end.status == 0, "\(end.errors)")
    #expect(try ground.losses(name).count == 20)
    let difference = try ground.difference("whole-\(name)", name)
    #expect(difference.largest < 1e-5, "\(difference)")
  }

  /// Sources with weights are drawn by two ranks as by one.
  @Test func sourcesWithWeightsAreSharedOut() throws {
    let ground = try Self.ground.get()
    let more =
      "--set data.shards= --set 'data.sources=[\"data\", \"data/val-*.tar\"]' --set 'data.weights=[1, 2]'"
    let one = try ground.train(.decoder, "mixed-one", ranks: 1, batch: 4, steps: 6, more: more)
    let two = try ground.train(.decoder, "mixed-two", ranks: 2, batch: 2, steps: 6, more: more)
    #expect(one.status == 0 && two.status == 0, "\(one.errors)\(two.errors)")
    let difference = try ground.difference("mixed-one", "mixed-two")
    #expect(difference.largest < 1e-5, "\(difference)")
  }

  /// Batches of a step that are accumulated are shared out, too; principal components come of all pictures; latents that
  /// are made by three are those that one makes.
  @Test func accumulationComponentsAndLatentsAreShared() throws {
    let ground = try Self.ground.get()
    let more = "--set optimization.accumulation=2 --set model.reducer=pca"
    _ = try ground.train(.decoder, "sum-one", ranks: 1, batch: 4, steps: 6, more: more)
    _ = try ground.train(.decoder, "sum-two", ranks: 2, batch: 2, steps: 6, more: more)
    let difference = try ground.difference("sum-one", "sum-two")
    #expect(difference.largest < 1e-5, "\(difference)")
    func latents(_ run: String) throws -> StoredLatents {
      try StoredLatents("\(ground.folder)/\(run)/latents")
    }
    let many = "--set data.scenes=96 --set data.validation=0"
    _ = try ground.train(.generator, "latents-one", ranks: 1, batch: 3, steps: 1, more: many)
    _ = try ground.train(.generator, "latents-three", ranks: 3, batch: 1, steps: 1, more: many)
    let one = try latents("latents-one"), three = try latents("latents-three")
    // Each is made by one of them, into a chunk of its own.
    #expect(
      one.entries == three.entries && one.lines == 96 && three.lines == 96
        && (1...3).contains(three.chunks.count))
  }
}

/// Stages upon each other at a tiny size, from stored pictures.
struct TrainingGround: Sendable {
  enum Stage: String, CaseIterable, CustomTestStringConvertible {
    case understanding, decoder, generator, distill
    var testDescription: String { rawValue }
  }

  let folder: String

  /// Pictures, and a model that has learnt nothing.
  init() throws {
    let shell = try Shell()
    folder = shell.folder
    let built = try shell.run(
      "V data build scenes --output data --train 96 --validation 1 --held-out 1 --size 32 --seed 3")
    #expect(built.status == 0, "\(built.error)")
    for (stage, steps) in [(Stage.understanding, 1), (.decoder, 8)] {
      let made = try train(stage, "base-\(stage)", ranks: 1, batch: 4, steps: steps)
      #expect(made.status == 0, "\(made.errors)")
    }
  }

  /// The command of a stage for a run of so many steps; rates do not depend on their number.
  func arguments(_ stage: Stage, _ run: String, batch: Int, steps: Int) -> String {
    var words = ["train", stage.rawValue, "--output", run]
    var settings = [
      "data.shards=data", "data.batch=\(batch)", "run.compute=f32", "run.nice=0", "optimization.warmUp=2",
      "optimization.steps=\(steps)", "optimization.floor=1", "optimization.averageStart=0",
      "optimization.rate=2e-4",
    ]
    switch stage {
    case .understanding:
      settings += [
        "model.imageSize=32", "model.patchSize=8", "model.visionWidth=16", "model.visionLayers=2",
        "model.visionHeads=2", "model.textWidth=16", "model.textLayers=2", "model.textHeads=2",
        "model.keyValueHeads=1", "model.textHidden=32", "model.vocabulary=320", "data.questions=2",
        "model.alignmentWidth=8", "data.wordDropout=0.1",
      ]
    case .decoder:
      words += ["--model", "base-understanding/model"]
      // RAdam's first steps move nothing; with this memory the fifth does.
      settings += ["run.sampleMinutes=0", "model.ratio=4", "optimization.beta2=0.9"]
    case .generator:
      words += ["--model", "base-decoder/model"]
      settings += [
        "run.sampleMinutes=0", "measure.minutes=0", "data.scenes=40", "model.patch=2", "times.pureNoise=0.25",
        "data.firstCaptionShare=0.5",
      ]
    case .distill:
      words += ["--model", "base-decoder/model"]
      settings += ["run.sampleMinutes=0", "teacher.steps=2", "optimization.beta2=0.9"]
    }
    return (words + settings.map { "--set \($0)" }).joined(separator: " ")
  }

  /// Runs a stage to its end.
  func train(
    _ stage: Stage, _ run: String, ranks: Int, batch: Int, steps: Int, more: String = ""
  ) throws -> (out: String, errors: String, status: Int32) {
    let command = arguments(stage, run, batch: batch, steps: steps) + " " + more
    return try self.run(ranks == 1 ? "\"$P\" \(command)" : "\(Launcher.command(ranks)) \"$P\" \(command)")
  }

  /// Lines of bash here, in which `P` is the program.
  func run(_ lines: String) throws -> (out: String, errors: String, status: Int32) {
    let program = try Session.program()
    let ended = try ChildProgram.run(
      ["/bin/bash", "-c", "P='\(program)'; \(lines)"], in: folder, environment: Launcher.environment(folder))
    return (ended.output, ended.errors, ended.status)
  }

  /// The losses of a run's steps.
  func losses(_ run: String) throws -> [Double] {
    struct Line: Decodable { let loss: Double }
    return try String(contentsOfFile: "\(folder)/\(run)/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).loss }
  }

  /// What a run measured last of what is held out.
  func validation(_ run: String) throws -> Double {
    struct Line: Decodable { let validationLoss: Double? }
    let lines = try String(contentsOfFile: "\(folder)/\(run)/metrics.jsonl", encoding: .utf8)
    return try lines.split(separator: "\n").compactMap {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8)).validationLoss
    }.last ?? -1
  }

  /// Standardised latents lose it again: its gradient is 0 but for rounding, which the optimiser makes as large as any.
  private static let withoutEffect = "reducer.fc2.bias"

  /// How far two runs' weights and averages are from each other: the largest difference of any number, and whose.
  func difference(_ a: String, _ b: String) throws -> (largest: Float, name: String) {
    func numbers(_ run: String) throws -> [String: [Float]] {
      try SafetensorsFile(path: "\(folder)/\(run)/checkpoint.safetensors").allTensors().filter {
        $0.key.hasPrefix("weight.") || $0.key.hasPrefix("average.")
      }.mapValues { $0.toArray() }
    }
    let first = try numbers(a), second = try numbers(b)
    #expect(!first.isEmpty && Set(first.keys) == Set(second.keys))
    var largest: (Float, String) = (0, "")
    for (name, values) in first where !name.hasSuffix(Self.withoutEffect) {
      let other = second[name] ?? []
      #expect(values.count == other.count && values.allSatisfy(\.isFinite))
      let far = zip(values, other).map { abs($0 - $1) }.max() ?? 0
      if far >= largest.0 { largest = (far, name) }
    }
    return largest
  }
}

/// `mpirun`, as tests start it: the system's, or that of the Open MPI under the path in VUGEN_MPI.
enum Launcher {
  private static let home = ProcessInfo.processInfo.environment["VUGEN_MPI"] ?? "/usr"
  private static let path = home + "/bin/mpirun"

  static let isThere = FileManager.default.isExecutableFile(atPath: path)

  /// Whether it can be told to wait before it kills; that of Open MPI 5 cannot.
  static let isPatient: Bool = {
    let said = try? ChildProgram.run([path, "--version"], in: "/", environment: environment("/tmp"))
    return said?.output.contains("(Open MPI) 4.") ?? false
  }()

  static func command(_ ranks: Int, patience seconds: Int? = nil) -> String {
    let more = seconds.map { isPatient ? " --mca odls_base_sigkill_timeout \($0)" : "" } ?? ""
    // Root must say so; the machine may have fewer cores.
    return "\(path) --allow-run-as-root --oversubscribe --bind-to none -n \(ranks)\(more)"
  }

  static func environment(_ home: String) -> [String: String] {
    var all = [
      "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": home + "/.home", "TERM": "dumb", "TMPDIR": "/tmp",
    ]
    if Self.home != "/usr" { all["LD_LIBRARY_PATH"] = Self.home + "/lib" }
    return all
  }
}
