import Files
import Foundation
import ModelFiles
import Pictures
import Requests
import Tensors
import TestSupport
import Testing
import VUGEN

@Suite(.serialized)
@NumericActor
struct LoadedModelTests {
  private func model(_ folder: String, _ precision: Precision) throws -> LoadedModel {
    let tower = try UnderstandingTower(folder: folder)
    tower.precision = precision
    return try LoadedModel(tower, Tokenizer(folder: fixtures()), folder: folder)
  }

  /// Log-probabilities of a long answer: products of many rows, which precision changes.
  private func scores(_ model: LoadedModel, _ picture: Picture) throws -> [Float] {
    let tiles = model.configuration.vision.tiles(of: picture)
    let text = String(repeating: "There are three red cars and a small dog. ", count: 6)
    return try Conversation(model).score(text, after: Turn(.user, "What?", pictures: [tiles]))
      .logProbabilities
  }

  private func says(_ model: LoadedModel, _ picture: Picture) throws -> [Int32] {
    var random = Philox(seed: 1)
    let tiles = model.configuration.vision.tiles(of: picture)
    return try Conversation(model).ask(
      Turn(.user, "What is there?", pictures: [tiles]), most: 12, using: &random
    ).tokens
  }

  /// A question of the common vocabulary is asked in the model's own tiles.
  @Test func aQuestionBecomesATurn() throws {
    let one = try model(try fixtures() + "/rounded", .f32)
    let picture = try Picture(path: try fixtures() + "/picture.png")
    let turn = Turn(Question("What?", pictures: [picture]), for: one)
    #expect(turn.role == .user && turn.text == "What?" && turn.pictures.count == 1)
    let tiles = one.configuration.vision.tiles(of: picture)
    #expect(turn.pictures.first?.values.toArray() == tiles.toArray())
    #expect(Turn(Question("And?"), for: one).pictures.isEmpty)
  }

  @Test func theBuiltInModelIsListedFirst() throws {
    let first = try #require(ListedModel.all().first)
    #expect(first.name == EmbeddedModel.name && first.source == "built-in" && first.summary.problem == nil)
    let line = try JSONEncoder().encode(first)
    let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
    #expect(Set(["name", "source", "folder", "parameters", "bytes", "can"]).isSubset(of: object.keys))
    #expect(try ModelFolderReport(folder: EmbeddedModel.folder).obstacle(to: EmbeddedModel.folder) == nil)
  }

  /// Two models of different precision in turn give bit for bit what each gives alone; one is no part of the other.
  @Test func modelsOfTwoPrecisionsAnswerSideBySide() throws {
    let picture = try Picture(path: try fixtures() + "/picture.png")
    for bits in [nil, QuantizedTensor.Bits.eight] {
      var folder = try fixtures() + "/rounded"
      if let bits {
        let small = temporaryPath()
        try QuantizedFolder.write(from: folder, to: small, bits: bits)
        folder = small
      }
      var alone: [Precision: ([Float], [Int32])] = [:]
      for precision in Precision.allCases {
        let one = try model(folder, precision)
        alone[precision] = (try scores(one, picture), try says(one, picture))
      }
      let models = try Precision.allCases.map { try model(folder, $0) }
      for _ in 0..<2 {
        for one in models {
          let found = (try scores(one, picture), try says(one, picture))
          #expect(
            found.0 == alone[one.precision]?.0 && found.1 == alone[one.precision]?.1, "\(one.precision)")
        }
      }
      // Where the processor multiplies bf16 the two differ, so that the equalities above mean something.
      if Hardware.hasBF16Products { #expect(alone[.f32]?.0 != alone[.bf16]?.0) }
    }
  }

  @Test func itIsCalledAfterItsFolder() throws {
    let model = try LoadedModel(folder: EmbeddedModel.folder)
    #expect(model.name == "nano" && model.precision == .f32)
    #expect(try LoadedModel(folder: EmbeddedModel.folder, precision: .bf16).precision == .bf16)
    #expect(try model.generation() === model.generation())
  }

  // MARK: - The chat template

  private static let llama3 = """
    {{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content']|trim %}\
    {% else %}{% set system_message = 'It\\'s a test.\\nAnswer.' %}{% endif %}\
    {{ '<|start_header_id|>system<|end_header_id|>\\n\\n' + system_message + '<|eot_id|>' }}
    """

  /// What an opening says in a model folder with these files.
  private func opening(_ files: [String: String], system: String? = nil) throws -> String {
    let folder = try temporaryFolder()
    for (name, text) in files { try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(name)") }
    let configuration = try UnderstandingConfiguration(folder: fixtures() + "/plain")
    let tokenizer = try Tokenizer(folder: fixtures())
    let template = try ChatTemplate(tokenizer, configuration, folder: folder)
    return tokenizer.decode(template.opening(system: system), includingSpecial: true)
  }

  private func json(_ template: Any) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: ["chat_template": template]), as: UTF8.self)
  }

  @Test func theModelsOwnTemplateIsRead() throws {
    func said(_ message: String) -> String {
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n\(message)<|eot_id|>"
    }
    let own = said("It's a test.\nAnswer.")
    #expect(try opening([:]) == said(UnderstandingConfiguration.referenceSystemMessage))
    #expect(try opening(["chat_template.jinja": Self.llama3]) == own)
    #expect(try opening(["chat_template.json": json(Self.llama3)]) == own)
    let named = [["name": "tool", "template": "other"], ["name": "default", "template": Self.llama3]]
    #expect(try opening(["tokenizer_config.json": json(named)]) == own)
    // One without a message of its own has none; what is given goes before it.
    let plain = Self.llama3.replacing("'It\\'s a test.\\nAnswer.'", with: "''")
    #expect(try opening(["chat_template.jinja": plain]) == "<|begin_of_text|>")
    #expect(try opening(["chat_template.jinja": Self.llama3], system: "Hi.") == said("Hi."))
    // A configuration of a tokenizer that says nothing of templates.
    #expect(try opening(["tokenizer_config.json": "{}"]) == opening([:]))
  }

  @Test(arguments: [
    ("chat_template.jinja", "{{ '<|im_start|>' + message['role'] + '<|im_end|>' }}"),
    ("chat_template.jinja", ""),
    (
      "chat_template.jinja",
      "<|start_header_id|><|end_header_id|><|eot_id|>{{ 'Cutting Knowledge Date: December 2023' }}"
    ),
    ("chat_template.json", #"{"chat_template": 7}"#), ("tokenizer_config.json", "{"),
  ])
  func anotherFormIsAnError(_ name: String, _ text: String) throws {
    do {
      _ = try opening([name: text])
      Issue.record("passed: \(text)")
    } catch let error as ModelFileError {
      #expect("\(error)".contains(name) && !"\(error)".contains("\n"), "\(error)")
    }
  }

  @Test(arguments: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"])
  func aTokenThatIsMissingIsAnError(_ missing: String) throws {
    let folder = try temporaryFolder()
    let special = Tokenizer.plmSpecialTokens.map { $0 == missing ? "<|other|>" : $0 }
    let file = try TokenizerFile.json(
      tokens: (0...255).map { [UInt8($0)] }, merges: [], specialTokens: special)
    try AtomicFile.write(file, to: folder + "/tokenizer.json")
    var configuration = ModelShape.tiny.configuration
    configuration.text.vocabulary = 1024
    configuration.imageToken = 258
    let tokenizer = try Tokenizer(folder: folder)
    let error = #expect(throws: ModelFileError.self) {
      try ChatTemplate(tokenizer, configuration, folder: folder)
    }
    #expect(error?.description.contains(missing) == true, "\(String(describing: error))")
  }
}
