/// A run of `vugen train` that a loop can drive, whatever it trains.
public protocol TrainingRun: AnyObject {
  /// Where all of it lies.
  var folder: String { get }
  /// Network, optimiser and averages.
  var trainer: Trainer { get }
  /// Who trains together. The first one alone writes; a sheet and a model are made by all.
  var ranks: Ranks { get }
  /// Of all batches of all ranks that make one step.
  var picturesPerStep: Int { get }
  /// Minutes between checkpoints.
  var checkpointMinutes: Double { get }
  /// Minutes between sheets of samples; nil where there is nothing to draw.
  var sampleMinutes: Double? { get }
  /// Minutes between measures of what is held out; nil where nothing is, or nobody asks.
  var validationMinutes: Double? { get }
  /// Whether figures and sheets are written for TensorBoard, too: see `EventFile`.
  var writesEvents: Bool { get }
  /// Bytes that the run is reckoned to have in memory at its peak; nil where nobody has reckoned.
  var memoryNeed: Double? { get }
  /// What a person should know of the data so far, such as samples that are skipped: a line each.
  var dataNotes: [String] { get }
  /// The long work that comes before the first step, where there is any: what is done of it is kept when `progress`, which
  /// is called with the pictures that are done and all of them, throws to stop it.
  func prepare(progress: (_ done: Int, _ of: Int) throws -> Void) throws
  /// The next step. Throws `TrainingError.nonFinite`, or what kept data from being made.
  func step() throws -> Trainer.Report
  /// Draws the fixed samples with the averaged weights into `path`, as many as are done within so many seconds. All ranks call
  /// it.
  ///
  /// - Returns: false where not even the first is done by then; nothing is written then.
  func drawSamples(to path: String, within seconds: Double) throws -> Bool
  /// The mean loss over what is held out, with the averaged weights and the same random numbers each time. All ranks call it,
  /// and have the same number.
  func validationLoss() throws -> Double
  /// What writes a model folder with the averaged weights as they are now. All ranks call it; the first one calls what it
  /// returns.
  func exporter() throws -> (_ folder: String) throws -> Void
  /// Ends the threads that make data.
  func stop()
}

extension TrainingRun {
  public var sampleMinutes: Double? { nil }
  public var validationMinutes: Double? { nil }
  public var writesEvents: Bool { false }
  public var memoryNeed: Double? { nil }
  public var dataNotes: [String] { [] }
  public func prepare(progress: (_ done: Int, _ of: Int) throws -> Void) throws {}
  public func drawSamples(to path: String, within seconds: Double) throws -> Bool { true }
  public func validationLoss() throws -> Double { .nan }

  /// Writes a model folder with the averaged weights. All ranks call it.
  public func export(to folder: String) throws {
    let write = try exporter()
    if ranks.isFirst { try write(folder) }
  }

  /// Writes the state, whole or not at all, where this is the first rank. Throws `FileAccessError`.
  public func saveCheckpoint() throws {
    guard ranks.isFirst else { return }
    try trainer.save(to: Trainer.checkpoint(in: folder))
  }
}
