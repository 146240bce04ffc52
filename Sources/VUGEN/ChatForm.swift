import ModelFiles

/// How a conversation becomes tokens: Llama 3's chat form with the reference's system message; pictures come before
/// the text of their turn. Text is never read as special tokens.
struct ChatForm {
  let tokenizer: Tokenizer
  private let configuration: UnderstandingConfiguration
  private let begin, startHeader, endHeader: Int32
  let endTurn: Int32

  /// Throws `ModelFileError` when the tokenizer lacks a token that the form needs, or has more tokens than the model.
  init(_ tokenizer: Tokenizer, _ configuration: UnderstandingConfiguration, folder: String) throws {
    func token(_ name: String) throws -> Int32 {
      guard let id = tokenizer.specialTokens[name] else {
        throw ModelFileError(
          folder, "the tokenizer has no '\(name)'; copy tokenizer.json from the model's source")
      }
      return id
    }
    try tokenizer.check(against: configuration, folder: folder)
    (self.tokenizer, self.configuration) = (tokenizer, configuration)
    begin = try token("<|begin_of_text|>")
    (startHeader, endHeader) = (try token("<|start_header_id|>"), try token("<|end_header_id|>"))
    endTurn = try token("<|eot_id|>")
  }

  /// What stands before every conversation; the system message is the model's own unless another is given, and none
  /// where it is empty.
  func opening(system: String? = nil) -> [Int32] {
    let message = system ?? configuration.systemMessage
    return [begin] + (message.isEmpty ? [] : turn(Turn(.system, message)))
  }

  func header(_ role: Turn.Role) -> [Int32] {
    [startHeader] + tokenizer.encode(role.rawValue) + [endHeader] + tokenizer.encode("\n\n")
  }

  func turn(_ turn: Turn) -> [Int32] { pictures(of: turn) + text(of: turn) }

  /// A turn up to the end of its pictures.
  func pictures(of turn: Turn) -> [Int32] {
    let places = turn.pictures.reduce(0) { $0 + $1.size(0) } * configuration.tokensPerTile
    return header(turn.role) + [Int32](repeating: configuration.imageToken, count: places)
  }

  /// What follows its pictures.
  func text(of turn: Turn) -> [Int32] { tokenizer.encode(turn.text.trimming()) + [endTurn] }
}

extension String {
  fileprivate func trimming() -> String {
    var text = self[...]
    while let first = text.unicodeScalars.first, first.properties.isWhitespace {
      text.unicodeScalars.removeFirst()
    }
    while let last = text.unicodeScalars.last, last.properties.isWhitespace {
      text.unicodeScalars.removeLast()
    }
    return String(text)
  }
}
