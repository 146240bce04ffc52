import Flow
import Foundation
import Layers
import ModelFiles
import TestSupport
import Tensors
import Testing
import VUGEN

/// The drawing half against PyTorch in f64, restated from the papers by `make_generation_references.py`.
@Suite(.serialized)
@NumericActor
struct GenerationParityTests {
  /// Everything stored under one name.
  private struct Case {
    let tensors: [String: Tensor]

    init(_ name: String) throws {
      let file = try SafetensorsFile(path: try fixtures() + "/generation.safetensors")
      tensors = try Case.under(name + ".", file.allTensors())
    }

    static func under(_ prefix: String, _ all: [String: Tensor]) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: all.filter { $0.key.hasPrefix(prefix) }
          .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }

    subscript(name: String) -> Tensor { get throws { try #require(tensors[name], "\(name) is not stored") } }
    func part(_ prefix: String) -> [String: Tensor] { Self.under(prefix + ".", tensors) }
  }

  private func compareGradients(_ module: some Module, _ found: Gradients, _ expected: [String: Tensor])
    throws
  {
    // Gradients differ by orders of magnitude from weight to weight: each against the largest of its kind.
    for item in module.namedParameters {
      let reference = try #require(expected[item.name])
      let gradient = found[item.parameter] ?? .zeros(reference.shape)
      #expect(relativeError(gradient, reference) < 1e-4, "\(item.name)")
    }
  }

  /// The form of before SSDD's code was read, which nano's decoder has.
  nonisolated static let decoders: [(String, PixelDecoderConfiguration)] = {
    var wide = PixelDecoderConfiguration(latents: 3, channels: 8, widths: [8, 16], layers: 2)
    (wide.groups, wide.window, wide.design) = (4, 5, .narrow)
    var narrow = PixelDecoderConfiguration(latents: 5, channels: 8, widths: [8, 8], layers: 1, context: 4)
    (narrow.stem, narrow.blocks, narrow.time, narrow.groups) = (2, 1, 12, 2)
    (narrow.window, narrow.design) = (17, .narrow)
    return [("published", wide), ("narrow", narrow)]
  }()

  @Test(arguments: [0, 1])
  func decoderMatches(_ i: Int) throws {
    let (name, c) = Self.decoders[i], reference = try Case("decoder.\(name)")
    var random = Philox(seed: 1)
    let decoder = PixelDecoder(c, using: &random)
    try decoder.load(PixelDecoder.named(reference.part("weight")), from: name)
    let (data, noise, t) = (try reference["data"], try reference["noise"], try reference["t"])
    let xt = StraightPath.point(data, noise, at: t), latents = try reference["latents"]
    let found = decoder.velocity(xt, at: t, latents: latents)
    #expect(relativeError(found.velocity, try reference["velocity"]) < 1e-4)
    #expect(relativeError(try #require(found.features), try reference["features"]) < 1e-4)
    let (loss, gradients) = grad(of: decoder.parameters) {
      flowMatchingLoss(
        velocity: decoder.velocity(xt, at: t, latents: latents).velocity, data: data, noise: noise)
    }
    #expect(relativeError(loss, try reference["loss"]) < 1e-5)
    try compareGradients(decoder, gradients, PixelDecoder.named(reference.part("gradient")))
  }

  @Test func towerMatches() throws {
    let reference = try Case("tower")
    var vision = VisionConfiguration(), text = TextConfiguration()
    (vision.imageSize, vision.patchSize, vision.width, vision.layers, vision.heads) = (16, 8, 8, 1, 2)
    (vision.hidden, vision.hasClassToken, vision.hasLayerScale, vision.referenceGrid) = (16, false, false, 2)
    (text.vocabulary, text.width, text.layers, text.heads, text.kvHeads) = (40, 16, 2, 4, 2)
    (text.headSize, text.hidden, text.context, text.ropeBase) = (4, 24, 64, 10_000)
    let c = UnderstandingConfiguration(vision: vision, text: text, poolingRatio: 1, imageToken: 39)
    var random = Philox(seed: 1)
    let frozen = UnderstandingTower(c, using: &random)
    try frozen.core.language.load(reference.part("frozen"), from: "frozen")
    let tower = GenerationTower(.init(latents: 3, grid: 2), text: text, using: &random)
    try tower.load(reference.part("weight"), from: "tower")
    let tokens = try reference["tokens"].toIndices()
    let prompts = try frozen.read(prompts: [Array(tokens[0..<5]), Array(tokens[5..<8])], pictureTokens: 4)
    let (data, noise, t) = (try reference["data"], try reference["noise"], try reference["t"])
    let xt = StraightPath.point(data, noise, at: t)
    func velocity() -> Tensor { tower(xt, at: t, prompts: prompts, language: frozen.core.language) }
    #expect(relativeError(velocity(), try reference["velocity"]) < 1e-4)
    let (loss, gradients) = grad(of: tower.parameters) {
      flowMatchingLoss(velocity: velocity(), data: data, noise: noise)
    }
    #expect(relativeError(loss, try reference["loss"]) < 1e-5)
    try compareGradients(tower, gradients, reference.part("gradient"))

    // The same weights, whose numbers are the data now: the loss is that of v = (x̂ − x_t) / max(1 − t, 0.05).
    let other = GenerationTower(.init(latents: 3, grid: 2, predicts: .data), text: text, using: &random)
    try other.load(reference.part("weight"), from: "tower")
    let numbers = velocity().toArray(), points = xt.toArray(), times = t.toArray()
    let each = numbers.count / times.count
    let expected = numbers.indices.map { (numbers[$0] - points[$0]) / max(0.05, 1 - times[$0 / each]) }
    let ours = other(xt, at: t, prompts: prompts, language: frozen.core.language)
    #expect(relativeError(ours, Tensor(expected, shape: xt.shape)) < 1e-6)
    let late = Tensor([Float](repeating: 1, count: times.count))
    let bounded = other(xt, at: late, prompts: prompts, language: frozen.core.language)
    let plain = tower(xt, at: late, prompts: prompts, language: frozen.core.language)
    #expect(relativeError(bounded, (plain - xt) * 20) < 1e-5)
  }
}
