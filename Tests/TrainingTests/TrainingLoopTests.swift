import Files
import Foundation
import ModelFiles
import Synchronization
import Tensors
import TestSupport
import Testing
import Training

/// A run of a tiny network that notes what is asked of it.
private final class TinyRun: TrainingRun {
  let folder: String
  let trainer: Trainer
  let ranks = Ranks.alone
  let picturesPerStep = 4, checkpointMinutes = 1000.0
  let sampleMinutes: Double? = 1000
  var dataNotes: [String] = []
  private(set) var calls: [String] = []
  private let network: TinyNetwork
  var failingStep = Int.max
  var failure: any Error = FileAccessError("data", "it is gone")

  init(_ folder: String, steps: Int) {
    var random = Philox(seed: 4), settings = Optimization()
    (settings.steps, settings.warmUp) = (steps, 1)
    network = TinyNetwork(using: &random)
    (self.folder, trainer) = (folder, Trainer(network, settings))
  }

  func step() throws -> Trainer.Report {
    if trainer.stepCount + 1 >= failingStep { throw failure }
    return try trainer.step { _ in
      var random = Philox(seed: 9, stream: UInt64(trainer.stepCount))
      return [LossTerm("size", network(Tensor.normal([4, 6], using: &random)).squared().mean())]
    }
  }

  /// Of each step what is measured behind it; nil where nothing is held out.
  var losses: [Int: Double]?
  var validationMinutes: Double? { losses == nil ? nil : 0 }
  var sheetFailure: (any Error)?
  var isQuick = true
  var writesEvents = false

  func validationLoss() throws -> Double {
    guard let loss = losses?[trainer.stepCount] else { throw FileAccessError("held out", "it is gone") }
    return loss
  }

  func drawSamples(to path: String, within seconds: Double) throws -> Bool {
    calls.append(FileName.last(of: path))
    if let sheetFailure { throw sheetFailure }
    return isQuick
  }

  func exporter() throws -> (_ folder: String) throws -> Void {
    { [self] folder in
      if folder == self.folder + "/model" { calls.append("model") }
      try FileName.makeFolder(folder)
      try trainer.save(to: folder + "/model.safetensors")
    }
  }
  func stop() { calls.append("stop") }
}

@Suite(.serialized)
@NumericActor
struct TrainingLoopTests {
  private func steps(_ folder: String) throws -> [Int] {
    try MetricsLog.read(folder + "/metrics.jsonl").map(\.step)
  }

  @Test func aRunGoesToItsEnd() throws {
    let run = TinyRun(try temporaryFolder(), steps: 5)
    var told: [Int] = [], notes: [String] = [], begun = 0, measured: [Int] = []
    let loop = TrainingLoop(run, measure: { measured.append($0) }) { event in
      switch event {
      case .step(let report, let pace):
        told.append(report.step)
        #expect(pace.picturesPerSecond > 0 && pace.secondsLeft >= 0)
        if report.step == 3 { run.dataNotes = ["one was damaged"] }
      case .note(let line): notes.append(line)
      case .validation: Issue.record("nothing is held out")
      }
    }
    let end = try loop.run { begun += 1 }
    #expect(told == [1, 2, 3, 4, 5] && measured == told && begun == 5 && end.last?.step == 5)
    #expect(notes == ["one was damaged"])
    #expect(run.calls == ["model", "samples-5.png", "stop"])
    #expect(try steps(run.folder) == told && FileName.exists(Trainer.checkpoint(in: run.folder)))
    // A finished run takes no step, and has no last one.
    #expect(try loop.run().last == nil)
  }

  /// Whose first picture takes too long says so, and goes on.
  @Test func aSlowSheetIsNone() throws {
    let run = TinyRun(try temporaryFolder(), steps: 2)
    (run.isQuick, run.writesEvents) = (false, true)
    var notes: [String] = []
    _ = try TrainingLoop(run, tell: { if case .note(let line) = $0 { notes.append(line) } }).run()
    #expect(run.calls.contains("samples-2.png") && notes.count == 1, "\(notes)")
    #expect(notes.first?.hasPrefix("no sheet is drawn: its first picture takes longer") == true)
  }

  /// What is cancelled saves and exports, draws no sheet, and goes on where it was.
  @Test func aCancelledRunGoesOn() throws {
    let folder = try temporaryFolder(), first = TinyRun(folder, steps: 6)
    let end = try TrainingLoop(first, isCancelled: { first.trainer.stepCount == 2 }).run()
    #expect(end.last?.step == 2 && first.calls == ["model", "stop"])
    let second = TinyRun(folder, steps: 6), whole = TinyRun(try temporaryFolder(), steps: 6)
    try second.trainer.restore(from: Trainer.checkpoint(in: folder))
    _ = try TrainingLoop(second).run()
    _ = try TrainingLoop(whole).run()
    #expect(try steps(folder) == [1, 2, 3, 4, 5, 6])
    let states = [second, whole].map {
      FileManager.default.contents(atPath: Trainer.checkpoint(in: $0.folder))
    }
    #expect(states[0] != nil && states[0] == states[1])
  }

  @Test func whatEndsARunLeavesWhatItHasLearnt() throws {
    let run = TinyRun(try temporaryFolder(), steps: 6)
    run.failingStep = 3
    #expect(throws: FileAccessError.self) { try TrainingLoop(run).run() }
    #expect(run.calls == ["stop"])
    let next = TinyRun(run.folder, steps: 6)
    try next.trainer.restore(from: Trainer.checkpoint(in: run.folder))
    #expect(next.trainer.stepCount == 2)
  }

  /// Where numbers are no longer finite the weights of the step before are no good either: what was saved stays.
  @Test func whatDivergesLeavesTheCheckpointAlone() throws {
    let run = TinyRun(try temporaryFolder(), steps: 2), path = Trainer.checkpoint(in: run.folder)
    _ = try TrainingLoop(run).run()
    let saved = FileManager.default.contents(atPath: path)
    let next = TinyRun(run.folder, steps: 6)
    try next.trainer.restore(from: path)
    (next.failingStep, next.failure) = (5, TrainingError.nonFinite(step: 5, culprit: "the loss 'size'"))
    let error = #expect(throws: TrainingError.self) { try TrainingLoop(next).run() }
    #expect(error == .nonFinite(step: 5, culprit: "the loss 'size'", saved: 2))
    #expect(error?.description.contains("the checkpoint of step 2 is as it was") == true)
    #expect(saved != nil && FileManager.default.contents(atPath: path) == saved)
    // Of a run that never saved there is nothing to go on from.
    let fresh = TinyRun(try temporaryFolder(), steps: 6)
    (fresh.failingStep, fresh.failure) = (3, next.failure)
    let other = #expect(throws: TrainingError.self) { try TrainingLoop(fresh).run() }
    #expect(other?.description.contains("there is no checkpoint: begin again") == true)
    #expect(!FileName.exists(Trainer.checkpoint(in: fresh.folder)))
  }

  /// What is measured of held-out examples is kept beside the steps; the model of the lowest loss stays as it was until a
  /// lower one comes, also across parts of a run.
  @Test func theBestModelIsKept() throws {
    let folder = try temporaryFolder(), first = TinyRun(folder, steps: 6)
    first.losses = [1: 3, 2: 2, 3: 2.5]
    var told: [String] = []
    func run(_ run: TinyRun, until step: Int) throws -> TrainingLoop.End {
      try TrainingLoop(
        run, isCancelled: { run.trainer.stepCount == step },
        tell: { event in
          switch event {
          case .validation(let found, let isBest): told.append("\(found.step): \(found.loss) \(isBest)")
          case .note(let line): told.append(line)
          case .step: break
          }
        }
      ).run()
    }
    func savedStep() -> String? {
      let path = folder + "/best/model.safetensors"
      return (try? SafetensorsFile(path: path))?.header.metadata["step"]
    }
    #expect(try run(first, until: 3).best == Validation(step: 2, loss: 2))
    #expect(told == ["1: 3.0 true", "2: 2.0 true", "3: 2.5 false"] && savedStep() == "2")
    // What is measured no better later leaves it; what cannot be measured ends nothing.
    let second = TinyRun(folder, steps: 6)
    try second.trainer.restore(from: Trainer.checkpoint(in: folder))
    (second.losses, told) = ([4: 2.2, 6: .nan], [])
    #expect(try run(second, until: 9).best == Validation(step: 2, loss: 2))
    #expect(savedStep() == "2" && told.count == 3 && told[0] == "4: 2.2 false", "\(told)")
    #expect(told[1].hasPrefix("step 5: the validation loss is not measured: held out"), "\(told)")
    let lines = try MetricsLog.read(folder + "/metrics.jsonl")
    #expect(lines.map(\.validationLoss) == [3, 2, 2.5, 2.2, nil, nil])
    let third = TinyRun(folder, steps: 7)
    try third.trainer.restore(from: Trainer.checkpoint(in: folder))
    third.losses = [7: 1]
    #expect(try run(third, until: 9).best == Validation(step: 7, loss: 1) && savedStep() == "7")
    #expect(Validation.best(of: folder) == Validation(step: 7, loss: 1))
    // Only whole folders were ever there, and nothing is left of making them.
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("best") } == ["best"])
    #expect(try run(TinyRun(temporaryFolder(), steps: 1), until: 9).best == nil)
  }

  @Test func eventsAreWrittenWhereTheyAreWanted() throws {
    let folder = try temporaryFolder(), path = EventFile.path(in: folder)
    func size() -> Int { FileManager.default.contents(atPath: path)?.count ?? 0 }
    _ = try TrainingLoop(TinyRun(folder, steps: 1)).run()
    #expect(size() == 0)
    var last = 0
    for steps in 2...3 {
      let run = TinyRun(folder, steps: steps)
      run.writesEvents = true
      try run.trainer.restore(from: Trainer.checkpoint(in: folder))
      _ = try TrainingLoop(run).run()
      #expect(size() > last + 100)
      last = size()
    }
    let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    #expect(text.components(separatedBy: "loss/size").count == 3 && text.contains("brain.Event:2"))
  }

  /// A file that a run can do without, and that cannot be written, is told and ends nothing.
  @Test func whatARunCanDoWithoutEndsNothing() throws {
    let run = TinyRun(try temporaryFolder(), steps: 2)
    (run.sheetFailure, run.losses) = (FileAccessError("font", "it is missing"), [1: 1, 2: 2])
    // A file in the place of the folder.
    try Data("x".utf8).write(to: URL(fileURLWithPath: run.folder + "/best"))
    var notes: [String] = []
    let end = try TrainingLoop(run, measure: { _ in throw FileAccessError("use", "it is full") }) { event in
      if case .note(let line) = event { notes.append(line) }
    }.run()
    #expect(end.last?.step == 2 && FileName.exists(Trainer.checkpoint(in: run.folder)))
    #expect(
      notes.count == 4
        && notes.contains { $0.hasPrefix("step 1: the best model so far is not kept") }
        && notes.contains { $0.hasPrefix("step 2: nothing is measured: use") }
        && notes.last?.hasPrefix("step 2: no sheet is drawn: font") == true, "\(notes)")
  }

  /// A checkpoint that is not as it was written is none to go on from, whatever its numbers are now: the line names it and
  /// what is left, and nothing has changed.
  @Test func aDamagedCheckpointIsNamed() throws {
    let run = TinyRun(try temporaryFolder(), steps: 3), path = Trainer.checkpoint(in: run.folder)
    _ = try TrainingLoop(run).run()
    let whole = try #require(FileManager.default.contents(atPath: path))
    func told(_ place: Int, _ change: (UInt8) -> UInt8) throws -> String {
      var bytes = whole
      bytes[place] = change(bytes[place])
      try bytes.write(to: URL(fileURLWithPath: path))
      let next = TinyRun(run.folder, steps: 6)
      let error = #expect(throws: TrainingError.self) { try next.trainer.restore(from: path) }
      #expect(next.trainer.stepCount == 0)
      return error?.description ?? ""
    }
    let sum = "the checkpoint is damaged or cannot be read (its checksum is not that of what was written"
    // One bit of a number, of the header's spaces, and of the step in it.
    let header = try #require(whole.range(of: Data("\"step\":\"3".utf8)))
    for place in [whole.count - 4, whole.count / 2, header.upperBound - 1] {
      let line = try told(place) { $0 ^ 1 }
      #expect(line.hasPrefix("\(path): \(sum)"), "\(place): \(line)")
      #expect(line.hasSuffix("this run has exported no model either: begin a new one"), "\(line)")
    }
    try FileManager.default.createDirectory(
      atPath: run.folder + "/model", withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: run.folder + "/model/config.json"))
    #expect(
      try told(whole.count - 1) { $0 ^ 64 }.hasSuffix("begin a new run from it, --from \(run.folder)/model"))
    try whole.write(to: URL(fileURLWithPath: path))
    let next = TinyRun(run.folder, steps: 6)
    try next.trainer.restore(from: path)
    #expect(next.trainer.stepCount == 3)
  }

  /// One from before there were checksums loads as it did, and numbers that are none are found all the same.
  @Test func aCheckpointWithoutAChecksumLoads() throws {
    let run = TinyRun(try temporaryFolder(), steps: 3), path = Trainer.checkpoint(in: run.folder)
    _ = try TrainingLoop(run).run()
    let file = try SafetensorsFile(path: path)
    var metadata = file.header.metadata
    #expect(metadata.removeValue(forKey: "vugen.sha256")?.count == 64)
    let tensors = try file.allTensors().mapValues { $0.copied() }
    try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
    let next = TinyRun(run.folder, steps: 6)
    try next.trainer.restore(from: path)
    #expect(next.trainer.stepCount == 3)
    var bytes = try #require(FileManager.default.contents(atPath: path))
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 192, 127])
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: TrainingError.self) {
      try TinyRun(run.folder, steps: 6).trainer.restore(from: path)
    }
    #expect(error?.description.contains("is damaged: '") == true, "\(String(describing: error))")
  }

  /// Counts in a header that nobody can reckon with are none: the run goes on by those that can be.
  @Test(arguments: ["9223372036854775807", "-3", "x"])
  func countsThatCannotBeAreLeft(_ text: String) throws {
    let run = TinyRun(try temporaryFolder(), steps: 3), path = Trainer.checkpoint(in: run.folder)
    _ = try TrainingLoop(run).run()
    let file = try SafetensorsFile(path: path)
    var metadata = file.header.metadata
    metadata["vugen.sha256"] = nil
    for name in ["ranks", "optimizerStep", "averageUpdates"] { metadata[name] = text }
    try SafetensorsWriter.write(file.allTensors().mapValues { $0.copied() }, metadata: metadata, to: path)
    #expect(Trainer.savedRanks(in: run.folder) == nil && Trainer.savedStep(in: run.folder) == 3)
    let next = TinyRun(run.folder, steps: 6)
    try next.trainer.restore(from: path)
    #expect(try TrainingLoop(next).run().last?.step == 6)
    let fork = TinyRun(try temporaryFolder(), steps: 2)
    #expect(try fork.trainer.begin(from: path).isEmpty)
    #expect(try TrainingLoop(fork).run().last?.step == 2)
    metadata["step"] = text
    try SafetensorsWriter.write(
      SafetensorsFile(path: path).allTensors().mapValues { $0.copied() }, metadata: metadata, to: path)
    #expect(Trainer.savedStep(in: run.folder) == nil)
    #expect(throws: TrainingError.self) { try TinyRun(run.folder, steps: 6).trainer.restore(from: path) }
  }
}

/// What comes before the first step.
@Suite struct PreparationTests {
  /// Surroundings of which a test is the clock.
  private final class Stage: Sendable {
    let words = Mutex<[String]>([])
    let isInterrupted = Mutex(false)
    private let ticks = DispatchSemaphore(value: 0), seen = DispatchSemaphore(value: 0)

    func say(_ word: String) { words.withLock { $0.append(word) } }

    /// A second goes by. Waits until the watcher has waited for the next one, or has left.
    func tick() {
      ticks.signal()
      seen.wait()
    }

    var surroundings: Preparation.Surroundings {
      Preparation.Surroundings(
        wait: { [self] in
          seen.signal()
          ticks.wait()
        },
        isInterrupted: { [self] in isInterrupted.withLock { $0 } },
        show: { [self] phase, _ in say(phase ?? "nothing") },
        leave: { [self] in
          say("leave")
          seen.signal()
        })
    }

    func preparation() -> Preparation {
      let preparation = Preparation(
        surroundings, onFailure: { [self] in say("failed") }, onSuccess: { [self] in say("done") })
      seen.wait()
      return preparation
    }
  }

  @Test func whatIsDoneIsToldEverySecond() {
    let stage = Stage(), preparation = stage.preparation()
    stage.tick()
    preparation.tell("latents")
    stage.tick()
    preparation.tell(nil)
    stage.tick()
    preparation.end()
    preparation.giveUp()
    #expect(stage.words.withLock { $0 } == ["reading data and model", "latents", "nothing", "done"])
  }

  @Test func anInterruptionEndsIt() {
    let stage = Stage(), preparation = stage.preparation()
    stage.isInterrupted.withLock { $0 = true }
    stage.tick()
    preparation.end()
    #expect(stage.words.withLock { Array($0.prefix(3)) } == ["nothing", "failed", "leave"])
    #expect(!stage.words.withLock { $0.contains("done") })
  }

  @Test func whatFailsGivesUp() {
    struct Broken: Error {}
    let stage = Stage(), preparation = stage.preparation()
    #expect(throws: Broken.self) { try preparation.attempt { throw Broken() } }
    preparation.end()
    #expect(stage.words.withLock { $0 } == ["nothing", "failed"])
  }
}
