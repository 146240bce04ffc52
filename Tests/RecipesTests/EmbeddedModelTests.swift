import DataSets
import Evaluation
import Foundation
import ModelFiles
import TestSupport
import Tensors
import Testing
import VUGEN

@Suite(.serialized)
@NumericActor
struct EmbeddedModelTests {
  @Test func itIsWholeAndKnowsYesFromNo() throws {
    let report = try ModelFolderReport(folder: EmbeddedModel.folder)
    #expect(report.missing.isEmpty && report.unexpected.isEmpty, "\(report)")
    #expect(report.parts.map(\.name) == ["encoder", "projector", "language model"])
    let tower = try UnderstandingTower(folder: EmbeddedModel.folder)
    let tokenizer = try Tokenizer(folder: EmbeddedModel.folder)
    let composer = SceneComposer(try ObjectBank(includingSingles: false), seed: 1)
    let evaluation = UnderstandingEvaluation(tower, tokenizer, folder: EmbeddedModel.folder)
    let scores = try evaluation.run(composer, .validation, scenes: 15) { _ in }.scores
    // Guessing would pass once in some 200 times.
    #expect(scores["yes/no"].map { $0.share > 0.73 } ?? false, "\(scores)")
  }

  @Test func aFolderWithoutWeightsSaysWhatIsMissing() throws {
    let folder = NSTemporaryDirectory() + "vugen-\(UUID().uuidString)"
    try FileManager.default.copyItem(atPath: EmbeddedModel.folder, toPath: folder)
    try FileManager.default.removeItem(atPath: folder + "/model.safetensors")
    let report = try ModelFolderReport(folder: folder)
    #expect(report.missing.count == 1 && report.missing[0].contains("model.safetensors"))
  }
}
