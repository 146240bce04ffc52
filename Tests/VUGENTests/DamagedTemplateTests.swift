import Files
import Foundation
import ModelFiles
import Tensors
import TestSupport
import Testing
import VUGEN

/// Chat templates that were cut, overwritten, or edited by hand.
@Suite struct DamagedTemplateTests {
  private static let llama3 = """
    {{- bos_token }}
    {%- if messages[0]['role'] == 'system' %}
      {%- set system_message = messages[0]['content']|trim %}
    {%- else %}
      {%- set system_message = 'It\\'s a test.\\nAnswer.' %}
    {%- endif %}
    {{- '<|start_header_id|>system<|end_header_id|>\\n\\n' + system_message + '<|eot_id|>' }}
    """

  private static func files() throws -> [(name: String, bytes: [UInt8])] {
    func json(_ template: Any) throws -> [UInt8] {
      [UInt8](
        try JSONSerialization.data(
          withJSONObject: ["chat_template": template, "model_max_length": 4096], options: .prettyPrinted))
    }
    let named = [["name": "tool", "template": "other"], ["name": "default", "template": llama3]]
    return [
      ("chat_template.jinja", Array(llama3.utf8)), ("chat_template.json", try json(llama3)),
      ("tokenizer_config.json", try json(named)),
    ]
  }

  private struct Reader {
    let configuration: UnderstandingConfiguration, tokenizer: Tokenizer, folder: String

    init() throws {
      configuration = try UnderstandingConfiguration(folder: fixtures() + "/plain")
      tokenizer = try Tokenizer(folder: fixtures())
      folder = try temporaryFolder()
    }

    /// Nothing but a `ModelFileError` in one line may come of a file of this name; whether none did.
    func reads(_ bytes: [UInt8], as name: String) throws -> Bool {
      let url = URL(fileURLWithPath: "\(folder)/\(name)")
      try Data(bytes).write(to: url)
      defer { try? FileManager.default.removeItem(at: url) }
      do {
        let template = try ChatTemplate(tokenizer, configuration, folder: folder)
        #expect(template.opening().first == tokenizer.specialTokens["<|begin_of_text|>"])
        // What the file says, or what stands for it where it says nothing.
        #expect(template.systemMessage.utf8.count <= max(3 * bytes.count, 1024))
        return true
      } catch {
        #expect(error is ModelFileError && !"\(error)".contains("\n"), "\(error)")
        return false
      }
    }
  }

  /// VUGEN_FUZZ sets the number of files.
  @Test func survivesDamage() throws {
    let reader = try Reader()
    var random = Philox(seed: 41)
    for (name, whole) in try Self.files() {
      var failures = 0
      let rounds = damageRounds(200, share: 40)
      for _ in 0..<rounds where !(try reader.reads(damagedText(whole, &random), as: name)) { failures += 1 }
      #expect(0 < failures && failures < rounds, "\(name): \(failures)")
    }
  }

  /// A literal that never ends costs no more than its reading.
  @Test func literalsWithoutAnEndAreRead() throws {
    let reader = try Reader(), marks = "<|start_header_id|><|end_header_id|><|eot_id|>"
    let seconds = try processorSeconds {
      for part in ["a", "\\'", "set system_message = '"] {
        let text = marks + "set system_message = '" + String(repeating: part, count: 200_000 / part.count)
        let isRead = try reader.reads(Array(text.utf8), as: "chat_template.jinja")
        #expect(isRead)
      }
    }
    #expect(seconds < 10)
  }

  /// What stands where a template should is said to be none, with what is expected; nothing at all is no template.
  @Test func whatIsNoTemplateIsSaid() throws {
    let reader = try Reader()
    func found(_ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: reader.folder + "/tokenizer_config.json"))
      do {
        _ = try ChatTemplate(reader.tokenizer, reader.configuration, folder: reader.folder)
        return ""
      } catch {
        return "\(error)"
      }
    }
    for value in ["5", "true", "{}", "[1]", #"[{"name": "default"}]"#] {
      let error = try found("{\"chat_template\": \(value)}")
      #expect(
        error.contains(
          "tokenizer_config.json: 'chat_template' must be a text, or a list of objects with 'name' and 'template'"
        ),
        "\(value): \(error)")
    }
    #expect(try found("{\"chat_template\": null}").isEmpty)
    for value in ["null", "5"] {
      let error = try found(value)
      #expect(error.contains("this is no description of a tokenizer (an object)"), "\(value): \(error)")
    }
  }
}
