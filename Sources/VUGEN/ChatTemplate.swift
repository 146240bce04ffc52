import ModelFiles
import Tensors

/// How text becomes tokens: of conversations, of the sequences of training, and of the descriptions that pictures are
/// drawn from. Llama 3's form; pictures come before the text of their turn. Text is never read as special tokens.
///
///     <|begin_of_text|> { <|start_header_id|> role <|end_header_id|> \n\n pictures text <|eot_id|> }
///     <|begin_of_text|> description <|eot_id|>
public struct ChatTemplate: Sendable {
  /// The tokens that the form needs.
  enum Mark: String, CaseIterable {
    case begin = "<|begin_of_text|>"
    case startHeader = "<|start_header_id|>"
    case endHeader = "<|end_header_id|>"
    case endTurn = "<|eot_id|>"
  }

  /// The model's own.
  public let tokenizer: Tokenizer
  /// What stands before every conversation unless another message is given; empty for none.
  public let systemMessage: String
  private let imageToken: Int32
  private let tokensPerTile: Int
  private let begin, startHeader, endHeader: Int32
  /// Ends a turn.
  public let endTurn: Int32

  /// The template of the model in `folder`, as its own file says it (`TemplateFile`).
  ///
  /// Throws `ModelFileError` when the tokenizer lacks a token that the form needs or has more tokens than the model,
  /// and where the folder's template has another form.
  public init(_ tokenizer: Tokenizer, _ configuration: UnderstandingConfiguration, folder: String) throws {
    try tokenizer.check(against: configuration, folder: folder)
    func token(_ mark: Mark) throws -> Int32 {
      guard let id = tokenizer.specialTokens[mark.rawValue] else {
        throw ModelFileError(
          folder, "the tokenizer has no '\(mark.rawValue)'; copy tokenizer.json from the model's source")
      }
      return id
    }
    let file = try TemplateFile(folder: folder)
    self.tokenizer = tokenizer
    systemMessage =
      configuration.systemMessage ?? file?.systemMessage
      ?? (file == nil ? UnderstandingConfiguration.referenceSystemMessage : "")
    (imageToken, tokensPerTile) = (configuration.imageToken, configuration.tokensPerTile)
    (begin, endTurn) = (try token(.begin), try token(.endTurn))
    (startHeader, endHeader) = (try token(.startHeader), try token(.endHeader))
  }

  // MARK: Conversations

  /// What stands before a conversation: the model's own system message unless another is given, and none where it is
  /// empty.
  public func opening(system: String? = nil) -> [Int32] {
    let message = system ?? systemMessage
    return [begin] + (message.isEmpty ? [] : turn(Turn(.system, message)))
  }

  /// What stands before a turn: the role, and an empty line.
  public func header(_ role: Turn.Role) -> [Int32] {
    [startHeader] + tokenizer.encode(role.rawValue) + [endHeader] + tokenizer.encode("\n\n")
  }

  func turn(_ turn: Turn) -> [Int32] { pictures(of: turn) + text(of: turn) }

  /// A turn up to the end of its pictures.
  func pictures(of turn: Turn) -> [Int32] {
    header(turn.role) + places(tiles: turn.pictures.reduce(0) { $0 + $1.size(0) })
  }

  /// The places of a picture's tiles.
  public func places(tiles: Int) -> [Int32] { [Int32](repeating: imageToken, count: tiles * tokensPerTile) }

  /// What follows its pictures.
  func text(of turn: Turn) -> [Int32] { tokenizer.encode(turn.text.trimming()) + [endTurn] }

  // MARK: Descriptions

  /// A description: empty text gives what the unconditional side of guidance reads.
  public func description(_ text: String) -> [Int32] { [begin] + tokenizer.encode(text) + [endTurn] }

  /// The same, at most `most` tokens of it: the end of a longer text is left out.
  public func description(_ text: String, most: Int) -> (tokens: [Int32], isCut: Bool) {
    let all = tokenizer.encode(text), kept = all.prefix(max(0, most - 2))
    return ([begin] + kept + [endTurn], kept.count < all.count)
  }

  /// The longest beginning of a text that has at most so many tokens, with those around it; nil where all of it fits.
  func beginning(of text: String, tokens most: Int) -> String? {
    let all = tokenizer.encode(text)
    guard all.count + 2 > most else { return nil }
    var kept = max(0, most - 2)
    while kept > 0 {
      // A character may be cut in two.
      let part = tokenizer.decode(Array(all.prefix(kept))).replacing("\u{FFFD}", with: "")
      if description(part).count <= most { return part }
      kept -= 1
    }
    return ""
  }
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
