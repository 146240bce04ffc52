import Files
import Foundation
import Layers
import ModelFiles
import Tensors

/// Takes a network through its steps: gradients, clipping, optimiser, moving average; saves and takes up its state.
///
/// It knows no model: the loss is a closure. The state of a run is its weights, moments, averages and the
/// number of steps; data and random numbers follow from that number, so that a run that was stopped and
/// resumed reaches the same bits as one that was not.
public final class Trainer {
  /// What one step did.
  public struct Report: Sendable {
    /// The first one is 1.
    public let step: Int
    /// The weighted sum.
    public let loss: Float
    /// Each part, not weighted.
    public let terms: [(name: String, value: Float)]
    /// Of all parameters together, before clipping.
    public let gradientNorm: Float
    /// The learning rate of this step.
    public let rate: Float

    /// Each argument is the property of its name.
    public init(
      step: Int, loss: Float, terms: [(name: String, value: Float)], gradientNorm: Float, rate: Float
    ) {
      (self.step, self.loss, self.terms) = (step, loss, terms)
      (self.gradientNorm, self.rate) = (gradientNorm, rate)
    }
  }

  /// Steps, rates, averages.
  public let settings: Optimization
  private let network: any Module
  private let optimizer: any Optimizer
  private let average: MovingAverage
  private let parameters: [Parameter]
  /// Numbers that are trained.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
  /// Parameters whose gradients are clipped together.
  private let clipped: [[NamedParameter]]
  /// Who trains together.
  private let ranks: Ranks
  private let sum: GradientSum
  /// Steps taken so far.
  public private(set) var stepCount = 0

  /// Before the first step of a run.
  ///
  /// - Parameters:
  ///   - apart: beginning of the names of parameters whose gradients are clipped by a norm of their own.
  ///   - ranks: who trains together: the loss is then the mean of theirs, and all take the same steps.
  public init(
    _ network: some Module, _ settings: Optimization, clippingApart apart: String? = nil,
    ranks: Ranks = .alone
  ) {
    (self.network, self.settings, self.ranks) = (network, settings, ranks)
    let optimizer = settings.optimizer.made(for: network, settings)
    self.optimizer = optimizer
    average = MovingAverage(
      network, decay: settings.averageDecay, isRising: settings.averageRises, of: optimizer.evaluated)
    parameters = network.parameters
    sum = GradientSum(parameters, ranks)
    let isApart = { (item: NamedParameter) in apart.map(item.name.hasPrefix) ?? false }
    clipped = [
      network.namedParameters.filter { !isApart($0) }, network.namedParameters.filter(isApart),
    ]
  }

  /// Whether all steps are taken.
  public var isFinished: Bool { stepCount >= settings.steps }

  /// One step of the optimiser. Throws `TrainingError.nonFinite`; the weights are then as they were.
  ///
  /// - Parameter loss: the loss of batch `0 ..< accumulation` of this step, in parts.
  public func step(_ loss: (_ batch: Int) throws -> [LossTerm]) throws -> Report {
    var gradients = Gradients(), sums: [(name: String, value: Float)] = []
    var total: Float = 0
    let share = 1 / Float(settings.accumulation)
    for batch in 0..<settings.accumulation {
      let isSummed = batch == settings.accumulation - 1 && !ranks.isAlone
      if isSummed { sum.begin(upon: gradients) }
      let (_, more) = try grad(of: parameters, observer: isSummed ? sum.observer : nil) {
        let terms = try loss(batch)
        let values = try means(of: terms)
        if sums.isEmpty { sums = terms.map { ($0.name, 0) } }
        for i in sums.indices {
          sums[i].value += values[i] * share
          total += terms[i].weight * values[i] * share
        }
        var weighted = terms[0].value * terms[0].weight
        for term in terms.dropFirst() { weighted = weighted + term.value * term.weight }
        return weighted
      }
      if isSummed { gradients = try sum.end() } else { gradients.add(more) }
    }
    let part = share / Float(ranks.count)
    if part < 1 { gradients.scale(by: part) }
    return try apply(gradients, sums, total)
  }

  /// Each term's mean over the ranks. Throws `TrainingError.nonFinite` on all where one is not finite anywhere.
  private func means(of terms: [LossTerm]) throws -> [Float] {
    var values = terms.map { $0.value.item() }
    if !ranks.isAlone {
      values = try ranks.summed(values.map(Double.init)).map { Float($0 / Double(ranks.count)) }
    }
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw TrainingError.nonFinite(step: stepCount + 1, culprit: "the loss '\(terms[bad].name)'")
    }
    return values
  }

  private func apply(_ gradients: Gradients, _ terms: [(name: String, value: Float)], _ total: Float) throws
    -> Report
  {
    var scales: [ObjectIdentifier: Float] = [:], squares = 0.0
    for part in clipped {
      let (scale, norm) = gradients.clippingScale(of: part.map(\.parameter), limit: settings.clip)
      squares += Double(norm) * Double(norm)
      for item in part { scales[ObjectIdentifier(item.parameter)] = scale }
    }
    let norm = Float(squares.squareRoot())
    guard norm.isFinite else {
      let culprit = network.namedParameters.first {
        !(gradients[$0.parameter]?.sumOfSquares().isFinite ?? true)
      }
      throw TrainingError.nonFinite(
        step: stepCount + 1, culprit: "the gradient of '\(culprit?.name ?? "all weights together")'")
    }
    let factor = settings.schedule.factor(at: stepCount)
    optimizer.step(gradients, rateFactor: factor) { scales[ObjectIdentifier($0.parameter)] ?? 1 }
    stepCount += 1
    if Double(stepCount) >= settings.averageStart * Double(settings.steps) { average.update() }
    return Report(
      step: stepCount, loss: total, terms: terms, gradientNorm: norm, rate: settings.rate * factor)
  }

  /// The averaged weights by name; the weights themselves before the average begins.
  public var averagedTensors: [String: Tensor] { average.tensors }

  /// What `work` comes to with the averaged weights in the network, and without gradients; then all is as it was.
  public func evaluated<Value>(_ work: () throws -> Value) rethrows -> Value {
    let averages = averagedTensors, items = network.namedParameters
    let own = items.map(\.parameter.value)
    for item in items { if let average = averages[item.name] { item.parameter.assign(average) } }
    defer { for (item, value) in zip(items, own) { item.parameter.assign(value) } }
    return try withoutGradients(work)
  }

  // MARK: Checkpoints

  /// Where the state of a run lies in its folder.
  public static func checkpoint(in folder: String) -> String { folder + "/checkpoint.safetensors" }

  /// The step at which a folder's run was saved; nil where there is none that can be read.
  public static func savedStep(in folder: String) -> Int? {
    (try? SafetensorsFile(path: checkpoint(in: folder))).flatMap { count("step", $0.header.metadata) }
  }

  /// How many ranks a folder's run was saved by; nil where that is not known.
  public static func savedRanks(in folder: String) -> Int? {
    (try? SafetensorsFile(path: checkpoint(in: folder))).flatMap { count("ranks", $0.header.metadata) }
  }

  /// Everything that a later run needs to go on bit for bit.
  private var state: (tensors: [String: Tensor], metadata: [String: String]) {
    var tensors = optimizer.state
    for (name, tensor) in network.tensorsByName { tensors["weight." + name] = tensor }
    if average.hasStarted {
      for (name, tensor) in average.tensors { tensors["average." + name] = tensor }
    }
    var metadata = optimizer.numbers.mapValues { "\($0)" }
    metadata["step"] = "\(stepCount)"
    metadata["optimizer"] = settings.optimizer.rawValue
    metadata["averageUpdates"] = "\(average.updateCount)"
    metadata["ranks"] = "\(ranks.count)"
    // The moments of a run that was begun from another one's are older than it.
    if optimizer.stepCount != stepCount { metadata["optimizerStep"] = "\(optimizer.stepCount)" }
    return (tensors, metadata)
  }

  /// The first rank's state for all, bit for bit: what each has made or read for itself may differ where their processors do.
  func shareState() throws {
    guard !ranks.isAlone else { return }
    var (tensors, metadata) = state
    metadata = try ranks.broadcast(metadata)
    let shapes = try ranks.broadcast(tensors.mapValues(\.shape))
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      tensors[name] = try ranks.broadcast(ranks.isFirst ? tensors[name] ?? .zeros(shape) : .zeros(shape))
    }
    guard !ranks.isFirst else { return }
    try take(
      tensors.filter { shapes[$0.key] != nil }, metadata, step: Self.count("step", metadata) ?? 0,
      from: "the first rank")
  }

  /// Writes the state, whole or not at all. Throws `FileAccessError`.
  public func save(to path: String) throws {
    let (tensors, metadata) = state
    try SafetensorsWriter.write(tensors, metadata: metadata, summed: true, to: path)
  }

  /// Throws `TrainingError` where a checkpoint cannot be read: nobody can fetch it again.
  private static func opened(_ path: String) throws -> SafetensorsFile {
    do {
      let file = try SafetensorsFile(path: path)
      try file.checkSum()
      return file
    } catch let error as ModelFileError {
      let reason = error.reason.prefix { $0 != ";" }
      throw TrainingError.checkpoint(
        path: path, reason: "the checkpoint is damaged or cannot be read (\(reason)); " + newRun(path))
    }
  }

  /// What to do where a checkpoint is of no use: there is no earlier one, as each takes the place of the last.
  private static func newRun(_ path: String) -> String {
    let model = FileName.parent(of: path) + "/model"
    return FileName.exists(model + "/config.json")
      ? "the model that this run exported is there: begin a new run from it, --from \(model)"
      : "this run has exported no model either: begin a new one"
  }

  /// Takes up a saved state. Throws `ModelFileError`, `ModuleLoadError` or `TrainingError`; nothing has
  /// changed then.
  public func restore(from path: String) throws {
    let file = try Self.opened(path)
    guard let step = Self.step(of: file) else {
      throw TrainingError.checkpoint(path: path, reason: "is no checkpoint of a run; begin a new one")
    }
    // Checkpoints from before there was a choice are AdamW's.
    let kind = file.header.metadata["optimizer"] ?? OptimizerKind.adamW.rawValue
    guard kind == settings.optimizer.rawValue else {
      throw TrainingError.checkpoint(
        path: path,
        reason: "was left by another optimiser; set optimization.optimizer = '\(kind.prefix(40))' again, "
          + "or begin a new run from its weights: --fork NEWFOLDER")
    }
    try take(Self.finite(file, path), file.header.metadata, step: step, from: path)
  }

  /// Begins with the weights that another run has saved, and with its moments where the optimiser is the same: those of each
  /// name that has the same shape here. Steps and averages begin anew. Throws `TrainingError`.
  ///
  /// - Returns: the names of weights that the other run does not have in these shapes.
  public func begin(from path: String) throws -> [String] {
    let file = try Self.opened(path), tensors = try Self.finite(file, path)
    let anew = network.loadFitting(tensors.part("weight."))
    let kind = file.header.metadata["optimizer"] ?? OptimizerKind.adamW.rawValue
    guard kind == settings.optimizer.rawValue, let step = Self.step(of: file) else { return anew }
    let shapes = Dictionary(
      network.namedParameters.map { ($0.name, $0.parameter.shape) }, uniquingKeysWith: { first, _ in first })
    let moments = tensors.filter { key, value in
      !["weight.", "average."].contains(where: key.hasPrefix)
        && shapes[String(key.drop { $0 != "." }.dropFirst())] == value.shape
    }
    let numbers = file.header.metadata
    optimizer.restore(
      moments, numbers: numbers.compactMapValues { Double($0) },
      stepCount: Self.count("optimizerStep", numbers) ?? step)
    return anew
  }

  private static func step(of file: SafetensorsFile) -> Int? { count("step", file.header.metadata) }

  /// A number of a checkpoint's header that can be reckoned with; nil where it is none.
  private static func count(_ name: String, _ metadata: [String: String]) -> Int? {
    metadata[name].flatMap(Int.init).flatMap { (0...1 << 40).contains($0) ? $0 : nil }
  }

  /// A checkpoint's tensors in memory of their own. Throws `TrainingError` where one has numbers that are none.
  private static func finite(_ file: SafetensorsFile, _ path: String) throws -> [String: Tensor] {
    let tensors = try file.allTensors().mapValues { $0.copied() }
    if let odd = tensors.sorted(by: { $0.key < $1.key }).first(where: {
      [.f32, .bf16].contains($0.value.type) && !$0.value.sumOfSquares().isFinite
    }) {
      throw TrainingError.checkpoint(
        path: path, reason: "is damaged: '\(odd.key)' has numbers that are not finite; " + newRun(path))
    }
    return tensors
  }

  /// Takes up a state. Throws as `restore` does; nothing has changed then.
  private func take(
    _ tensors: [String: Tensor], _ metadata: [String: String], step: Int, from path: String
  ) throws {
    let weights = tensors.part("weight."), averages = tensors.part("average.")
    let moments = tensors.filter { !$0.key.hasPrefix("weight.") && !$0.key.hasPrefix("average.") }
    let shapes = Dictionary(
      network.namedParameters.map { ($0.name, $0.parameter.shape) }, uniquingKeysWith: { first, _ in first })
    let kept =
      moments.map { (String($0.key.drop { $0 != "." }.dropFirst()), $0.value) } + averages.map { ($0, $1) }
    if let odd = kept.first(where: {
      shapes[$0.0] != nil && ($0.1.shape != shapes[$0.0] || $0.1.type != .f32)
    }) {
      throw TrainingError.checkpoint(
        path: path,
        reason: "has another shape or type for '\(odd.0)'; begin a new run from its weights: --fork NEWFOLDER"
      )
    }
    try network.load(weights, from: path)
    optimizer.restore(
      moments, numbers: metadata.compactMapValues { Double($0) },
      stepCount: Self.count("optimizerStep", metadata) ?? step)
    if !averages.isEmpty {
      average.restore(averages, updateCount: Self.count("averageUpdates", metadata) ?? 1)
    }
    stepCount = step
  }
}
