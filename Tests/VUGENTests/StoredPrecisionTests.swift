import Foundation
import ModelFiles
import Pictures
import Requests
import Tensors
import Testing
import VUGEN

/// The half that draws in the precision of its model.
@Suite(.serialized)
@NumericActor
struct StoredPrecisionTests {
  private func drawn(_ model: LoadedModel) throws -> Picture {
    var settings = ImageSettings(prompt: "a red apple")
    (settings.steps, settings.seed, settings.decoderSteps) = (3, 5, 2)
    return try #require(try Imaginer(model).imagine(settings)).picture
  }

  /// Weights that are stored in bf16 stay so: in the mapped file, half the memory; where the processor has no bf16 products
  /// the picture has the same bits, and elsewhere it is the same but for rounding.
  @Test func storedWeightsDrawTheSame() throws {
    let folder = EmbeddedModel.folder
    let exact = try LoadedModel(folder: folder, precision: .f32)
    let stored = try LoadedModel(folder: folder, precision: .bf16)
    func taken(_ model: LoadedModel) throws -> (GenerationModel, bytes: Int) {
      let before = MemoryPool.shared.counters.bytesInUse
      return (try model.generation(), MemoryPool.shared.counters.bytesInUse - before)
    }
    let (wide, many) = try taken(exact), (narrow, few) = try taken(stored)
    #expect(wide.type == .f32 && narrow.type == Precision.bf16.activationType)
    #expect(few < many / 20, "\(few) of \(many) bytes")
    let types = try #require(narrow.generator).namedParameters.map(\.parameter.value.type)
    #expect(types.allSatisfy { $0 == .bf16 })
    #expect(wide.decoder.namedParameters.allSatisfy { $0.parameter.value.type == .f32 })
    // Statistics by which latents are divided are exact in any case.
    #expect(narrow.reducer.tensorsByName["deviation"]?.type == .f32)
    let pictures = try [drawn(exact), drawn(stored)]
    if Hardware.hasBF16Products {
      #expect(pictures[0].psnr(pictures[1]) > 25)
    } else {
      #expect(pictures[0] == pictures[1])
    }
    let given = Picture(width: 90, height: 60, red: 200, green: 30, blue: 40)
    let again = [
      wide.reconstruct(given, exact.tower, steps: 1), narrow.reconstruct(given, stored.tower, steps: 1),
    ]
    #expect(Hardware.hasBF16Products ? again[0].psnr(again[1]) > 25 : again[0] == again[1])
  }

  /// A small model, which nano is, is drawn exactly, as ever: what was recorded with it is repeated bit for bit.
  @Test func smallModelsStayExact() throws {
    let model = try LoadedModel(folder: EmbeddedModel.folder)
    let drawing = try model.generation()
    #expect(model.precision == .f32 && drawing.type == .f32)
    #expect(try #require(drawing.generator).namedParameters.allSatisfy { $0.parameter.value.type == .f32 })
  }
}
