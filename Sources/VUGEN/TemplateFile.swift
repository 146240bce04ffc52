import Files
import Foundation
import ModelFiles

/// The chat template that a model folder brings in the Hugging Face layout: `chat_template.jinja`, `chat_template.json`,
/// or `chat_template` in `tokenizer_config.json`. Its program is not run: it is recognised as one of the forms that are
/// known, and its system message is read.
struct TemplateFile {
  /// What it says before a conversation that brings no system message of its own; nil for nothing.
  let systemMessage: String?

  /// nil where the folder brings none. Throws `ModelFileError` for a template of a form that is not known, as its
  /// model would be asked in words that it was not trained on.
  init?(folder: String, form: ChatForm) throws {
    guard let (text, path) = try Self.text(in: folder, form) else { return nil }
    guard form.isOf(text) else {
      throw ModelFileError(
        path,
        "this chat template has a form that is not known here (\(form.name) is); name another model, or remove the "
          + "template to ask in \(form.plainName) form")
    }
    systemMessage = form == .llama3 ? Self.systemMessage(in: text) : nil
  }

  private struct Configuration: Decodable {
    struct Named: Decodable {
      let name, template: String
    }

    /// One template, or several by name.
    enum Templates: Decodable {
      case one(String), several([Named])

      init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if let text = try? box.decode(String.self) {
          self = .one(text)
        } else {
          self = .several(try box.decode([Named].self))
        }
      }

      var usual: String? {
        switch self {
        case .one(let text): text
        case .several(let list): (list.first { $0.name == "default" } ?? list.first)?.template
        }
      }
    }

    let templates: Templates?
    /// Whether something stands there that is no template.
    let isWrong: Bool

    enum CodingKeys: String, CodingKey { case templates = "chat_template" }

    init(from decoder: any Decoder) throws {
      let box = try decoder.container(keyedBy: CodingKeys.self)
      templates = try? box.decode(Templates.self, forKey: .templates)
      isWrong =
        templates == nil && box.contains(.templates) && (try? box.decodeNil(forKey: .templates)) != true
    }
  }

  private static func text(in folder: String, _ form: ChatForm) throws -> (text: String, path: String)? {
    let plain = folder + "/chat_template.jinja"
    if FileName.isTaken(plain) {
      return (String(decoding: try ModelFolder.contents(of: plain), as: UTF8.self), plain)
    }
    for name in ["chat_template.json", "tokenizer_config.json"] {
      let path = "\(folder)/\(name)"
      guard FileName.isTaken(path) else { continue }
      let isTokenizers = name == "tokenizer_config.json"
      let file = try ModelJSON.read(
        Configuration.self, at: path,
        kind: isTokenizers ? "description of a tokenizer (an object)" : "chat template")
      if let text = file.templates?.usual { return (text, path) }
      if file.isWrong {
        throw ModelFileError(
          path,
          "'chat_template' must be a text, or a list of objects with 'name' and 'template'; copy the file from the "
            + "model's source again, or remove 'chat_template' to ask in \(form.plainName) form")
      }
    }
    return nil
  }

  /// The text that is given to `system_message` where no message brings one.
  private static func systemMessage(in template: String) -> String? {
    var rest = template[...]
    while let start = rest.firstMatch(of: /set\s+system_message\s*=\s*['"]/) {
      rest = rest[start.range.upperBound...]
      if let quote = start.output.last, let text = literal(rest, to: quote), !text.isEmpty { return text }
    }
    return nil
  }

  /// The characters of a literal that goes on to `quote`; nil for one that does not end.
  private static func literal(_ rest: Substring, to quote: Character) -> String? {
    var text = "", isEscaped = false
    for character in rest {
      if !isEscaped, character == quote { return text }
      if !isEscaped, character == "\\" {
        isEscaped = true
        continue
      }
      text.append(isEscaped && character == "n" ? "\n" : character)
      isEscaped = false
    }
    return nil
  }
}
