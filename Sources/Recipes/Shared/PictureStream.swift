import DataSets
import Foundation
import Tensors
import Training

/// Where a drawing stage's pictures come from.
public struct PictureData: StoredPictureData, Equatable {
  /// Folder of shards; empty for scenes that are composed during training.
  public var shards = ""
  /// Several sources in place of `shards`: shards, folders of them, patterns, folders of classes.
  public var sources: [String] = []
  /// How often each source is drawn from, in proportion to each other; empty where each sample is drawn as often.
  public var weights: [Double] = []
  /// Ending of the member of a sample that is its text; empty for `.txt`, `.caption`, a caption in the `.json`, or the `.cls`.
  public var textKey = ""
  /// Key of the caption in a `.json`; empty for a common one.
  public var jsonKey = ""
  /// File with the names of classes, for a `.cls` and for folders of classes; empty for none.
  public var classNames = ""
  /// Caption of a class, in which `[CLS]` stands for its name.
  public var template = "This is an image of a [CLS]."
  /// Share of stored samples that a run never learns from and is measured by, such as 0.02, or a folder of shards to
  /// measure it by; 0 for none. Scenes have no share.
  public var validation = "0.02"
  /// Seed of the data's order and of all that is drawn at random.
  public var seed: UInt64 = 1
  /// Pictures in a batch.
  public var batch = 32
  /// Share of the pictures of the wider set among scenes.
  public var wideShare = 0.12
  /// Share of the samples in shards that may be damaged or lack something; they are skipped. One may in any case,
  /// unless this is 0.
  public var maxSkipped = 0.01
  /// Which part of a stored picture is trained on.
  public var crop = PictureCrop.center
  /// Side of the smallest random square over the picture's shorter side.
  public var cropFrom = 0.5
  /// Whether stored pictures are mirrored at random; scenes, and pictures of whose sides the caption speaks, are not.
  public var flip = true

  /// The defaults.
  public init() {}
}

/// How often a drawing stage saves and shows itself.
public struct DrawingRun: Codable, Sendable, Equatable {
  /// Minutes between checkpoints.
  public var checkpointMinutes = 5.0
  /// Minutes between sheets of samples; 0 for none.
  public var sampleMinutes = 10.0
  /// Minutes between measures of what is held out (`data.validation`); 0 for none.
  public var validationMinutes = 10.0
  /// Whether figures and sheets are written as TensorBoard reads them, too.
  public var tensorboard = false
  /// What exported models are called; empty for the name of the run's folder.
  public var name = ""
  /// `bf16` where the processor multiplies it, else f32; or `f32`.
  public var compute = Precision.bf16
  /// Whether blocks keep only their inputs for the way back, and are worked out again there: less memory, more time, the
  /// same bits.
  public var checkpointActivations = false
  /// Niceness, 0…19: how far the run stands back for other programs on a busy machine; 0 not at all.
  public var nice: Int32 = 10

  /// The defaults.
  public init() {}

  /// Minutes between sheets; nil where none is drawn.
  var sheetMinutes: Double? { sampleMinutes > 0 ? sampleMinutes : nil }

  /// Minutes between measures of `count` held-out samples; nil where none is wanted, or there are none.
  func validation(of count: Int) -> Double? { validationMinutes > 0 && count > 0 ? validationMinutes : nil }

  var type: ElementType { compute.activationType }
}

/// Pictures in numbered batches, made ahead.
final class PictureStream {
  struct Batch: Sendable {
    let number: Int
    /// `[count, side, side, 3]` in −1…1: what is to be drawn.
    let values: [Float]
    /// The same at the encoder's size; empty where that is `side`.
    let seenValues: [Float]
    let count, side, seenSide: Int

    var pictures: Tensor { Tensor(values, shape: [count, side, side, 3]) }
    /// What the encoder sees of them.
    var seen: Tensor {
      seenValues.isEmpty ? pictures : Tensor(seenValues, shape: [count, seenSide, seenSide, 3])
    }
  }

  private let make: @Sendable (Int) throws -> Batch
  private var prefetcher: Prefetcher<Batch>?
  private let source: ExampleSource
  private let heldOut: ExampleSource?
  private let side, seenSide: Int
  private let storedNotes: [String]
  private let ranks: Ranks

  /// - Parameters:
  ///   - side: of what is to be drawn.
  ///   - seenSide: of what the encoder sees.
  ///   - folder: of the run.
  ///   - stored: of the recipe's data.
  ///   - ranks: each of which has its own batches.
  init(
    _ data: PictureData, side: Int, seenSide: Int, folder: String, stored: StoredData, ranks: Ranks,
    bank: () throws -> ObjectBank
  ) throws {
    let larger = max(side, seenSide)
    let source = try ExampleSource(
      shards: data.shards, seed: data.seed, wideShare: data.wideShare, framing: data.framing, side: larger,
      mostSkipped: data.maxSkipped, folder: ranks.isFirst ? folder : nil, index: stored.training, bank: bank)
    (self.source, self.ranks, storedNotes) = (source, ranks, stored.notes)
    let held = stored.validation
    let count = data.batch
    try MemoryNeed.check(pictures: count, side: larger)
    make = { number in
      try PictureStream.batch(
        number, of: number * count..<(number + 1) * count, source, side: side, seenSide: seenSide)
    }
    heldOut = try held.map { try ExampleSource(heldOut: $0, data.framing) }
    (self.side, self.seenSide) = (side, seenSide)
  }

  private static func batch(
    _ number: Int, of examples: Range<Int>, _ source: ExampleSource, side: Int, seenSide: Int
  ) throws -> Batch {
    var values: [Float] = [], seenValues: [Float] = []
    values.reserveCapacity(examples.count * side * side * 3)
    for example in examples {
      let picture = try source.example(example, side: max(side, seenSide)).picture
      func numbers(_ side: Int) -> [Float] {
        picture.resizedBicubic(width: side, height: side).rgb().map { Float($0) / 127.5 - 1 }
      }
      values += numbers(side)
      if seenSide != side { seenValues += numbers(seenSide) }
    }
    return Batch(
      number: number, values: values, seenValues: seenValues, count: examples.count, side: side,
      seenSide: seenSide)
  }

  /// Samples that are held out; 0 for none.
  var heldOutCount: Int { heldOut?.distinct ?? 0 }

  /// Some of the samples that are held out. Throws `DataSetError`.
  func heldOut(_ samples: Range<Int>) throws -> Batch {
    guard let heldOut else { throw DataSetError("data.validation", "nothing is held out") }
    return try Self.batch(0, of: samples, heldOut, side: side, seenSide: seenSide)
  }

  /// The next batch of this rank; the first one is number `first` of those that all ranks have together.
  func next(from first: Int) throws -> Batch {
    let running = prefetcher ?? Prefetcher(from: first) { [make, ranks] in try make(ranks.batch($0)) }
    prefetcher = running
    return try running.next()
  }

  /// What a person should know of the data, a line each.
  var notes: [String] { source.notes + storedNotes }

  /// This rank's part of the batch of a number.
  func batch(_ number: Int) throws -> Batch { try make(ranks.batch(number)) }

  func stop() {
    prefetcher?.stop()
    prefetcher = nil
  }
}
