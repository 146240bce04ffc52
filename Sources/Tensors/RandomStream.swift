/// The streams of random numbers that a seed has beside its first one: who draws from which, in one place, so that no
/// two ever draw the same. A number never changes: runs and pictures of before could not be repeated.
public enum RandomStream: Sendable, Equatable {
  /// The noise that a picture's latents begin with, and that its decoder begins with.
  case latentNoise, decoderNoise
  /// The point on the path of a scene of `evaluate prompt-use`.
  case promptUse(scene: UInt64)
  /// A scene; `split` is its split's place among all.
  case scene(split: UInt64, index: UInt64)
  /// A batch of a training stage, counted from the run's first one.
  case generatorBatch(Int), distillationBatch(Int), decoderBatch(Int)
  /// An example that is packed for the understanding tower.
  case packedExample(Int)
  /// An example whose picture is framed.
  case framing(Int)
  /// Which samples are kept out of training; from which source an example is drawn.
  case heldOut, mixture
  /// A batch of what is kept out of training.
  case validationBatch(Int)

  /// Which of a seed's streams it is. The training stages' lie far from each other and from the scenes' 56 bits.
  public var number: UInt64 {
    switch self {
    case .latentNoise: 0
    case .decoderNoise: 1
    case .promptUse(let scene): scene
    case .scene(let split, let index): split << 56 | index
    case .generatorBatch(let number): 1 << 59 | UInt64(number)
    case .distillationBatch(let number): 1 << 60 | UInt64(number)
    case .decoderBatch(let number): 1 << 61 | UInt64(number)
    case .packedExample(let number): 1 << 62 | UInt64(number)
    case .framing(let number): 1 << 63 | UInt64(number)
    case .heldOut: 1 << 58
    case .mixture: 3 << 57
    case .validationBatch(let number): 1 << 58 | UInt64(number + 1)
    }
  }
}

extension Philox {
  /// The beginning of one of a seed's streams.
  public init(seed: UInt64, _ stream: RandomStream) { self.init(seed: seed, stream: stream.number) }
}
