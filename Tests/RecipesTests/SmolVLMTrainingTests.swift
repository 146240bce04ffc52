import DataSets
import Files
import Foundation
import Layers
import ModelFiles
import Pictures
import Recipes
import Requests
import Tensors
import TestSupport
import Testing
import Training
import VUGEN

/// The drawing stages over a SmolVLM: its encoder's features, its layers copied, its words.
@Suite(.serialized)
@NumericActor
struct SmolVLMTrainingTests {
  /// A tiny one with random weights, in two parts as the hub's larger models are.
  private func model() throws -> String {
    let folder = try temporaryFolder(),
      marks = ["<|im_start|>", "<global-img>", "<fake_token_around_image>", "<image>"]
    let special =
      marks + (1...36).map { "<row_\(1 + ($0 - 1) / 6)_col_\(1 + ($0 - 1) % 6)>" } + ["<end_of_utterance>"]
    let words = BytePairTraining(words: [:], vocabulary: 256)
    try AtomicFile.write(words.json(specialTokens: special), to: folder + "/tokenizer.json")
    let tokenizer = try Tokenizer(folder: folder), image = try #require(tokenizer.specialTokens["<image>"])
    let configuration = """
      {"model_type": "idefics3", "scale_factor": 2, "image_token_id": \(image), "tie_word_embeddings": false,
       "vision_config": {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8, "hidden_act": "gelu_pytorch_tanh"},
       "text_config": {"model_type": "llama", "vocab_size": \(tokenizer.vocabularySize), "hidden_size": 16,
        "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "head_dim": 8, "rms_norm_eps": 1e-5, "rope_theta": 100000.0, "max_position_embeddings": 1024}}
      """
    try AtomicFile.write(Data(configuration.utf8), to: folder + "/config.json")
    try AtomicFile.write(
      Data(#"{"size": {"longest_edge": 64}}"#.utf8), to: folder + "/preprocessor_config.json")
    var random = Philox(seed: 7)
    let tower = UnderstandingTower(try UnderstandingConfiguration(folder: folder), using: &random)
    let tensors = Dictionary(
      uniqueKeysWithValues: tower.namedParameters.map { ($0.name, $0.parameter.value) })
    var map: [String: String] = [:]
    for (i, part) in ["model.text_model", ""].enumerated() {
      let file = "model-0000\(i + 1)-of-00002.safetensors"
      let own = tensors.filter { $0.key.hasPrefix("model.text_model") == !part.isEmpty }
      try SafetensorsWriter.write(own, to: "\(folder)/\(file)")
      for name in own.keys { map[name] = file }
    }
    let index = try JSONSerialization.data(withJSONObject: ["metadata": ["total_size": 1], "weight_map": map])
    try AtomicFile.write(index, to: folder + "/model.safetensors.index.json")
    return folder
  }

  @Test func everyStageStandsOnIt() throws {
    let source = try model(), cutOuts = try curatedCutOuts.get()
    var decoding = DecoderRecipe()
    (decoding.data.batch, decoding.data.wideShare, decoding.model.ratio) = (2, 0, 4)
    decoding.optimization.steps = 1
    let d = temporaryPath()
    let decoder = try DecoderTraining(decoding, model: source, folder: d, isResuming: false, bank: cutOuts)
    #expect(try decoder.step().loss.isFinite)
    try decoder.export(to: d + "/model")
    var drawing = GeneratorRecipe()
    (drawing.data.batch, drawing.data.scenes, drawing.data.wideShare) = (2, 3, 0)
    drawing.optimization.steps = 1
    let g = temporaryPath()
    let generator = try GeneratorTraining(
      drawing, model: d + "/model", folder: g, isResuming: false, bank: cutOuts)
    #expect(try generator.step().loss.isFinite)
    try generator.export(to: g + "/model")
    var distilling = DistillRecipe()
    (distilling.data.batch, distilling.data.wideShare, distilling.teacher.steps) = (2, 0, 2)
    distilling.optimization.steps = 1
    let last = temporaryPath()
    let distill = try DistillTraining(
      distilling, model: g + "/model", folder: last, isResuming: false, bank: cutOuts)
    #expect(try distill.step().loss.isFinite)
    try distill.export(to: last + "/model")
    try answersAndDraws(last + "/model", as: source)
  }

  /// A model that a run cannot begin with is known before anything is written.
  @Test func nothingIsWrittenForAnotherKind() throws {
    let source = try model(), cutOuts = try curatedCutOuts.get(), file = temporaryPath(".safetensors")
    try AtomicFile.write(Data("x".utf8), to: file)
    for from in [source, file, source + "/config.json", temporaryPath()] {
      for stage in 0..<3 {
        let folder = temporaryPath()
        #expect(throws: ModelFileError.self, "\(stage) from \(from)") {
          switch stage {
          case 0:
            _ = try UnderstandingTraining(
              UnderstandingRecipe(), folder: folder, isResuming: false, from: from, bank: cutOuts)
          case 1:
            var recipe = DecoderRecipe()
            recipe.model.ratio = 4
            _ = try DecoderTraining(
              recipe, model: source, folder: folder, isResuming: false, from: from, bank: cutOuts)
          default:
            _ = try GeneratorTraining(
              GeneratorRecipe(), model: EmbeddedModel.folder, folder: folder, isResuming: false, from: from,
              bank: cutOuts)
          }
        }
        #expect(!FileName.exists(folder), "\(stage) from \(from)")
      }
    }
  }

  /// What the run wrote answers as its base does, and draws.
  private func answersAndDraws(_ folder: String, as source: String) throws {
    let base = try LoadedModel(folder: source), model = try LoadedModel(folder: folder)
    #expect(model.configuration == base.configuration && model.configuration.vision.longestEdge == 64)
    let picture = Picture(width: 40, height: 30, rgb: (0..<3600).map { UInt8($0 % 251) })
    var random = Philox(seed: 0)
    let answers = try [base, model].map { model in
      try Conversation(model).ask(
        Turn(Question("What?", pictures: [picture]), for: model, .thumbnailAndTiles(most: 4)), most: 6,
        using: &random
      ).tokens
    }
    #expect(answers[0] == answers[1])
    var settings = ImageSettings(prompt: "a cat")
    (settings.steps, settings.decoderSteps) = (2, 1)
    let drawn = try Imaginer(model).imagine(settings)
    #expect(drawn?.picture.width == 32)
  }
}
