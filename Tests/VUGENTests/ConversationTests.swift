import Foundation
import ModelFiles
import Pictures
import TestSupport
import Tensors
import Testing
import VUGEN

/// A folder that is removed at the end.
private final class Folder {
  let path = temporaryPath()
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite(.serialized)
@NumericActor
struct ConversationTests {
  private func load(_ name: String) throws -> (model: LoadedModel, picture: Tensor) {
    let folder = try fixtures(), tower = try UnderstandingTower(folder: folder + "/" + name)
    let picture = tower.configuration.vision.tiles(of: try Picture(path: folder + "/picture.png"))
    return (try LoadedModel(tower, Tokenizer(folder: folder), folder: name), picture)
  }

  private func conversation(_ name: String) throws -> (Conversation, Tensor) {
    let (model, picture) = try load(name)
    return (Conversation(model), picture)
  }

  @Test func promptHasThePublishedForm() throws {
    let (conversation, picture) = try conversation("plain")
    var random = Philox(seed: 0)
    let turn = Turn(.user, "  What is <|eot_id|>?\n", pictures: [picture])
    let expected = conversation.tokenCount(asking: turn)
    try conversation.ask(turn, most: 1, using: &random)
    let text = conversation.model.tokenizer.decode(conversation.promptTokens, includingSpecial: true)
    #expect(
      text == "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        + UnderstandingConfiguration.referenceSystemMessage
        + "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n<|image|><|image|><|image|><|image|>"
        + "What is <|eot_id|>?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")
    #expect(conversation.promptTokens.count == expected)
    // The question's own "<|eot_id|>" is text: two turns were ended, not three.
    let end = try #require(conversation.model.tokenizer.specialTokens["<|eot_id|>"])
    #expect(conversation.promptTokens.count { $0 == end } == 2)
  }

  @Test func aPromptThatIsCancelledLeavesTheConversationAsItWas() throws {
    let (talk, picture) = try conversation("plain"), (fresh, _) = try conversation("plain")
    var random = Philox(seed: 0)
    let turn = Turn(.user, "One?", pictures: [picture]), count = talk.tokenCount(asking: turn)
    // Before the picture's tile, then between it and the prompt.
    for allowed in [0, 1] {
      var looks = 0
      let result = try talk.ask(turn, most: 4, using: &random) {
        looks += 1
        return looks > allowed
      } onText: { _ in
      }
      #expect(result.stop == .cancelled && result.tokens.isEmpty)
      #expect(talk.tokenCount(asking: turn) == count)
    }
    let after = try talk.ask(turn, most: 4, using: &random)
    #expect(try after.tokens == fresh.ask(turn, most: 4, using: &random).tokens)
  }

  @Test func laterTurnsReadOnlyThemselves() throws {
    let (model, picture) = try load("rounded"), tower = model.tower
    let talk = Conversation(model, system: "Hi.")
    var random = Philox(seed: 0)
    let first = try talk.ask(Turn(.user, "One?", pictures: [picture]), most: 4, using: &random)
    let firstPrompt = talk.promptTokens
    let second = try talk.ask(Turn(.user, "Two?"), most: 4, using: &random)
    #expect(talk.promptTokens.count < firstPrompt.count)
    // The same as reading everything at once.
    let all = firstPrompt + first.tokens + talk.promptTokens
    let logits = try tower.prefill(
      tower.embed(all, projected: tower.encode(picture).projected), into: tower.makeCache())
    #expect(Sampling.greedy.choose(logits, using: &random) == second.tokens.first)
  }

  @Test func cancellingKeepsWhatThereIs() throws {
    let (talk, _) = try conversation("rounded")
    var random = Philox(seed: 0), looks = 0, streamed = ""
    let answer = try talk.ask(
      Turn(.user, "Go on."), most: 50, using: &random,
      isCancelled: {
        looks += 1
        return looks > 3
      }, onText: { streamed += $0 })
    #expect(answer.stop == .cancelled && answer.tokens.count <= 3 && streamed == answer.text)
    #expect(throws: PromptError.self) {
      try talk.ask(Turn(.user, String(repeating: "word ", count: 600)), using: &random)
    }
    // A refused question leaves the conversation usable.
    #expect(try talk.ask(Turn(.user, "Still there?"), most: 2, using: &random).tokens.count <= 2)
  }

  @Test func scoresAreLogProbabilities() throws {
    let (talk, picture) = try conversation("plain")
    let turn = Turn(.user, "What?", pictures: [picture])
    let (tokens, values) = try talk.score("a cat", after: turn)
    #expect(tokens == talk.model.tokenizer.encode("a cat") && values.count == tokens.count)
    #expect(values.allSatisfy { $0 < 0 && $0.isFinite })
    // The first one is the softmax of what the prompt's last token says.
    var random = Philox(seed: 0)
    try talk.ask(turn, most: 1, using: &random)
    let tower = talk.model.tower, projected = tower.encode(picture).projected
    let logits = try tower.prefill(
      tower.embed(talk.promptTokens, projected: projected), into: tower.makeCache())
    #expect(abs(logits.softmax().log().toArray()[Int(tokens[0])] - values[0]) < 1e-4)
    #expect(throws: PromptError.empty) { try talk.score("", after: turn) }
  }

  /// 8 bits keep the greedy text of all stored models; 4 bits change log-probabilities by a stated amount.
  @Test(arguments: modelNames)
  func quantisedFoldersLoadByTheSamePath(_ name: String) throws {
    let source = try fixtures() + "/" + name, (plain, picture) = try load(name)
    for bits in QuantizedTensor.Bits.allCases {
      let folder = Folder()
      try QuantizedFolder.write(from: source, to: folder.path, bits: bits)
      let tower = try UnderstandingTower(folder: folder.path)
      let model = try LoadedModel(tower, plain.tokenizer, folder: name)
      if bits == .eight { try choosesTheSameTokens(tower, name, picture) }
      let cars = "There are three red cars.", about = Turn(.user, "What?", pictures: [picture])
      let loss = try mean(plain, cars, after: about) - mean(model, cars, after: about)
      #expect(
        abs(loss) < (bits == .eight ? 0.1 : 2),
        "\(name): \(bits) bits change the mean log-probability by \(loss)")
      // x rounded to 8 bits as well, where the processor multiplies such numbers. These models are random and small, and
      // so less steady than a trained one: see `EmbeddedModelTests`.
      let text = String(repeating: "There are three red cars and a small dog. ", count: 6)
      let exact = try mean(model, text, after: Turn(.user, "What is there?"))
      tower.precision = .bf16
      let rounding = try mean(model, text, after: Turn(.user, "What is there?")) - exact
      #expect(abs(rounding) < 0.05, "\(name): \(bits) bits, rounded input: \(rounding)")
      let config = try String(contentsOfFile: folder.path + "/config.json", encoding: .utf8)
      #expect(config.contains("\"bits\" : \(bits.rawValue)"))
      #expect(throws: ModelFileError.self) {
        try QuantizedFolder.write(from: folder.path, to: folder.path + "/again", bits: bits)
      }
    }
  }

  private func choosesTheSameTokens(_ tower: UnderstandingTower, _ name: String, _ picture: Tensor) throws {
    let reference = try SafetensorsFile(path: "\(try fixtures())/\(name)/reference.safetensors")
    let ids = try reference.tensor("ids").toIndices(), greedy = try reference.tensor("greedy").toIndices()
    let cache = tower.makeCache()
    var random = Philox(seed: 0), tokens: [Int32] = []
    var logits = try tower.prefill(
      tower.embed(ids, projected: tower.encode(picture).projected), into: cache)
    for _ in greedy {
      tokens.append(Sampling.greedy.choose(logits, using: &random))
      logits = try tower.prefill(tower.embed([tokens[tokens.count - 1]]), into: cache)
    }
    #expect(tokens == greedy, "\(name)")
  }

  /// The mean log-probability of an answer's tokens.
  private func mean(_ model: LoadedModel, _ answer: String, after turn: Turn) throws -> Float {
    let values = try Conversation(model).score(answer, after: turn).logProbabilities
    return values.reduce(0, +) / Float(values.count)
  }

  @Test func randomModelsAnswer() throws {
    let folder = Folder()
    try ModelShape.tiny.write(to: folder.path, seed: 3)
    let model = try LoadedModel(folder: folder.path), talk = Conversation(model)
    #expect(model.configuration == ModelShape.tiny.configuration)
    var random = Philox(seed: 1)
    let answer = try talk.ask(
      Turn(.user, "naïve 😀?"), sampling: Sampling(temperature: 1), most: 5, using: &random)
    #expect(answer.tokens.count <= 5)
    // A tokenizer of another model.
    let other = try Tokenizer(folder: fixtures())
    #expect(throws: ModelFileError.self) { try LoadedModel(model.tower, other, folder: folder.path) }
  }
}
