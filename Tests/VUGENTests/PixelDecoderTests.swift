import Flow
import Foundation
import Layers
import ModelFiles
import TestSupport
import Tensors
import Testing
import VUGEN

/// The pixel decoder as published: sizes, names, first weights, and PyTorch's results (`make_decoder_references.py`).
@Suite(.serialized)
@NumericActor
struct PixelDecoderTests {
  @Test(arguments: [
    ("S", 14_057_059, 4), ("B", 21_140_459, 4), ("M", 50_280_147, 4), ("L", 90_759_939, 6),
    ("XL", 161_272_835, 8), ("H", 362_688_003, 12),
  ])
  func publishedSizesHaveTheirParameters(_ name: String, _ count: Int, _ heads: Int) throws {
    let size = try #require(PixelDecoderConfiguration.Size(rawValue: name))
    let c = PixelDecoderConfiguration.named(size, latents: 4, imageSize: 256)
    try c.check()
    #expect(c.heads == heads && c.design == .published)
    var random = Philox(seed: 1)
    // Shapes alone: no weight is made.
    let decoder = Parameter.deferringValues { PixelDecoder(c, using: &random) }
    #expect(decoder.parameterCount == count)
  }

  @Test func latentsOfMoreChannelsCountToo() {
    var random = Philox(seed: 1)
    let c = PixelDecoderConfiguration.named(.medium, latents: 64, imageSize: 256)
    #expect(Parameter.deferringValues { PixelDecoder(c, using: &random) }.parameterCount == 50_383_827)
  }

  @Test func tensorsHaveThePublishedNames() {
    var random = Philox(seed: 1)
    let c = PixelDecoderConfiguration.named(.small, latents: 4, imageSize: 256)
    let names = Set(
      Parameter.deferringValues { PixelDecoder(c, using: &random) }.namedParameters.map {
        $0.name.replacing(#/\.\d+\.(resnets|transformer_blocks)\.\d+\./#) { ".i.\($0.output.1).j." }
          .replacing(#/transformer_blocks\.\d+/#, with: "transformer_blocks.k")
          .replacing(#/_blocks\.\d+\./#, with: "_blocks.i.")
      })
    func both(_ name: String) -> [String] { [name + ".weight", name + ".bias"] }
    let levels = ["down_blocks.i.resnets.j.", "up_blocks.i.resnets.j."].flatMap { place in
      ["norm1.ctx_proj", "conv1", "time_emb_proj", "norm2", "conv2", "conv_shortcut"].map { place + $0 }
    }
    let block = "mid_block.transformer_blocks.k."
    let blocks = ["norm1.linear", "attn1.out_proj", "norm2", "ff.proj_in_act.proj", "ff.proj_out"]
    let parts =
      ["conv_in", "time_embedding.linear_1", "time_embedding.linear_2", "ada_ctx_proj.0", "ada_ctx_proj.2"]
      + ["down_blocks.i.downsamplers.0.conv", "up_blocks.i.upsamplers.0.conv", "mid_block.norm"]
      + ["mid_block.proj_in", "mid_block.proj_out", "conv_norm_out", "conv_out"]
    let alone =
      ["to_q", "to_k", "to_v"].map { "\(block)attn1.\($0).weight" }
      + [block + "relative_position_bias.relative_bias_table"]
    #expect(names == Set((parts + levels + blocks.map { block + $0 }).flatMap(both) + alone))
  }

  /// A square table of relative positions is the same table.
  @Test func squareTablesAreTaken() {
    let name = "mid_block.transformer_blocks.0.relative_position_bias.relative_bias_table"
    #expect(PixelDecoder.named([name: .zeros([15, 15, 4])])[name]?.shape == [225, 4])
  }

  @Test func itBeginsAsPublished() {
    let c = PixelDecoderConfiguration(latents: 4, channels: 32, widths: [32, 64], layers: 1)
    var random = Philox(seed: 3)
    for item in PixelDecoder(c, using: &random).namedParameters {
      let parts = item.name.split(separator: "."), values = item.parameter.value.toArray()
      let deviation = (item.parameter.value.sumOfSquares() / Double(values.count)).squareRoot()
      if parts.last == "bias" || parts.last == "relative_bias_table" || item.name.contains("conv2.")
        || item.name.contains("ff.proj_out.")
      {
        #expect(deviation == 0, "\(item.name)")
      } else if item.parameter.shape.count == 1 {
        #expect(values.allSatisfy { $0 == 1 }, "\(item.name)")
      } else if item.parameter.shape.count == 4 {
        #expect(abs(deviation - 0.02) < 0.002, "\(item.name): \(deviation)")
      } else {
        let bound = (6 / Double(item.parameter.shape[0] + item.parameter.shape[1])).squareRoot()
        let largest = Double(values.map(abs).max() ?? 0)
        #expect(abs(deviation - bound / 3.0.squareRoot()) < 0.05 * bound, "\(item.name)")
        #expect(largest <= bound && largest > 0.98 * bound, "\(item.name)")
      }
    }
  }

  /// Numbers spread over ±bound, as the script spreads them.
  private func formula(_ shape: [Int], _ place: Int, _ bound: Double) -> Tensor {
    let mask: UInt64 = 0xFFFF_FFFF
    let values = (0..<UInt64(shape.reduce(1, *))).map { i -> Float in
      var x = (i &* 0x9E37_79B1 &+ UInt64(place) &* 0x85EB_CA77) & mask
      for (shift, factor) in [(15, 0x2C1B_3C6D), (12, 0x297A_2D39)] as [(UInt64, UInt64)] {
        x = ((x ^ (x >> shift)) &* factor) & mask
      }
      x ^= x >> 15
      return Float((Double(x) / 0x1p32 - 0.5) * 2 * bound)
    }
    return Tensor(values, shape: shape)
  }

  private func fill(_ decoder: PixelDecoder) {
    for (place, item) in decoder.namedParameters.sorted(by: { $0.name < $1.name }).enumerated() {
      let shape = item.parameter.shape, parts = item.name.split(separator: ".")
      let isNorm = parts[parts.count - 2].contains("norm") && shape.count == 1 && parts.last == "weight"
      let fan = Double(shape.dropFirst().reduce(1, *))
      let bound = parts.last == "relative_bias_table" ? 0.5 : shape.count > 1 ? (3 / fan).squareRoot() : 0.3
      let value = formula(shape, place, bound)
      item.parameter.assign(isNorm ? value + 1 : value)
    }
  }

  nonisolated static let cases: [(String, PixelDecoderConfiguration, side: Int, grid: Int)] = {
    var even = PixelDecoderConfiguration(latents: 3, channels: 4, widths: [4, 8], layers: 2)
    even.groups = 2
    var uneven = PixelDecoderConfiguration(latents: 5, channels: 4, widths: [4, 4], layers: 1)
    (uneven.groups, uneven.blocks) = (2, 1)
    return [("even", even, 24, 6), ("uneven", uneven, 28, 8)]
  }()

  @Test(arguments: [0, 1])
  func itMatchesPyTorch(_ i: Int) throws {
    let (name, c, side, grid) = Self.cases[i]
    let file = try SafetensorsFile(path: try fixtures() + "/decoder.safetensors")
    func reference(_ key: String) throws -> Tensor { try file.tensor("\(name).\(key)") }
    var random = Philox(seed: 1)
    let decoder = PixelDecoder(c, using: &random)
    fill(decoder)
    let data = formula([2, side, side, 3], 1000, 1), noise = formula([2, side, side, 3], 1001, 1.7)
    let latents = Parameter(formula([2, grid, grid, c.latents], 1002, 1.7)), t = Tensor([0.2, 0.85])
    let x = Parameter(StraightPath.point(data, noise, at: t))
    let found = decoder.velocity(x.value, at: t, latents: latents.value)
    let features = try #require(found.features)
    #expect(relativeError(found.velocity, try reference("velocity")) < 1e-4)
    #expect(relativeError(features, try reference("features")) < 1e-4)
    let (whole, gradients) = grad(of: decoder.parameters + [x, latents]) {
      let (velocity, seen) = decoder.velocity(x.tensor, at: t, latents: latents.tensor)
      let asked = (seen ?? features) * formula(features.shape, 1003, 0.01)
      return flowMatchingLoss(velocity: velocity, data: data, noise: noise) + asked.sum()
    }
    #expect(relativeError(whole, try reference("whole")) < 1e-5)
    let inputs = [NamedParameter(name: "x", parameter: x), .init(name: "latents", parameter: latents)]
    for item in decoder.namedParameters + inputs {
      let wanted = try reference("gradient.\(item.name)")
      let gradient = gradients[item.parameter] ?? .zeros(wanted.shape)
      #expect(relativeError(gradient, wanted) < 1e-4, "\(item.name)")
    }
  }

  /// Any grid beside any other; whole multiples are what they were.
  @Test func nearestPixelsAreFound() {
    var random = Philox(seed: 4)
    let x = Tensor.normal([2, 8, 6, 5], using: &random)
    for (height, width) in [(14, 9), (3, 11), (8, 7), (16, 12), (1, 1)] {
      let y = x.resizedNearest(height: height, width: width)
      let rows = x.toArray(), found = y.toArray()
      for b in 0..<2 {
        for i in 0..<height {
          for j in 0..<width {
            let from = ((b * 8 + i * 8 / height) * 6 + j * 6 / width) * 5
            let to = ((b * height + i) * width + j) * 5
            #expect(rows[from..<from + 5] == found[to..<to + 5], "\(height) × \(width): \(i), \(j)")
          }
        }
      }
      let p = Parameter(x), seed = Tensor.normal([2, height, width, 5], using: &random)
      let (_, gradients) = grad(of: [p]) {
        (p.tensor.resizedNearest(height: height, width: width) * seed).sum()
      }
      let error = finiteDifferenceError(
        at: [x], seed: seed, gradients: [gradients[p] ?? .zeros(x.shape)], step: 1e-2, random: &random
      ) { $0[0].resizedNearest(height: height, width: width) }
      #expect(error < 1e-3, "\(height) × \(width)")
    }
  }

  /// Halves in another order are the same operation on exchanged halves, forwards and backwards.
  @Test func halvesMayStandInEitherOrder() {
    var random = Philox(seed: 5)
    let x = Parameter(.normal([2, 4, 4, 6], using: &random)), seed = Tensor.normal(x.shape, using: &random)
    let parts = Parameter(.normal([2, 2, 2, 12], using: &random))
    func exchanged(_ t: Tensor) -> Tensor {
      .concatenated([t.sliced(6..<12, axis: 3), t.sliced(0..<6, axis: 3)], axis: 3)
    }
    for activation in [NormActivation.none, .silu] {
      let (one, first) = grad(of: [x, parts]) {
        (modulated(x.tensor, by: parts.tensor, order: .shiftFirst, activation: activation) * seed).sum()
      }
      let (other, second) = grad(of: [x, parts]) {
        (modulated(x.tensor, by: exchanged(parts.tensor), activation: activation) * seed).sum()
      }
      #expect(one.item() == other.item() && first[x]?.toArray() == second[x]?.toArray())
      #expect(first[parts]?.toArray() == second[parts]?.toArray())
    }
    for unit in GatedUnit.allCases {
      let half = seed.reshaped([8, 4, 6]), both = Parameter(parts.value.reshaped([2, 2, 2, 12]))
      let wide = half.reshaped([2, 4, 4, 6]).sliced(0..<2, axis: 1).sliced(0..<2, axis: 2)
      let (one, first) = grad(of: [both]) { (gated(unit, upAndGate: both.tensor) * wide).sum() }
      let (other, second) = grad(of: [both]) { (gated(unit, gateAndUp: exchanged(both.tensor)) * wide).sum() }
      #expect(one.item() == other.item() && first[both]?.toArray() == second[both]?.toArray())
    }
  }

  /// The stored description of nano's decoder, which says less than those of today.
  @Test func earlierFoldersAreNarrow() throws {
    let c = try GenerationConfiguration(folder: EmbeddedModel.folder)
    #expect(c.imageSize == 128 && c.grid == 16 && c.decoder.design == .narrow)
    #expect(c.decoder == .named(.nano, latents: 12, imageSize: 128))
    // Written and read again it is the same.
    let again = try JSONDecoder().decode(GenerationConfiguration.self, from: try c.fileContents())
    #expect(again == c)
  }

  @Test(arguments: [(128, 4), (72, 2), (36, 1)])
  func noStemThatDoesNotDivide(_ side: Int, _ stem: Int) {
    #expect(PixelDecoderConfiguration.named(.nano, latents: 4, imageSize: side).stem == stem)
  }
}
