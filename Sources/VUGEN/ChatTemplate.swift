import ModelFiles
import Tensors

/// How text becomes tokens: of conversations, of the sequences of training, and of the descriptions that pictures are
/// drawn from, in the form of the model's family (`ChatForm`). Text is never read as special tokens.
///
///     begin { turn }                     conversations
///     begin description end of turn      descriptions
public struct ChatTemplate: Sendable {
  /// The model's own.
  public let tokenizer: Tokenizer
  /// What stands before every conversation unless another message is given; empty for none.
  public let systemMessage: String
  private let form: ChatForm
  private let imageToken: Int32
  private let tokensPerTile: Int
  private let begin: Int32
  /// The form's other tokens.
  private enum Marks {
    case llama3(startOfHeader: Int32, endOfHeader: Int32)
    case smolVLM(aroundPictures: Int32, wholePicture: Int32)
  }
  private let marks: Marks
  /// Ends a turn.
  public let endTurn: Int32
  private let endTokens: Set<Int32>

  /// The template of the model in `folder`, as its own file says it (`TemplateFile`).
  ///
  /// Throws `ModelFileError` when the tokenizer lacks a token that the form needs or has more tokens than the model,
  /// and where the folder's template has another form.
  public init(_ tokenizer: Tokenizer, _ configuration: UnderstandingConfiguration, folder: String) throws {
    try tokenizer.check(against: configuration, folder: folder)
    form = configuration.form
    func token(_ name: String) throws -> Int32 {
      guard let id = tokenizer.specialTokens[name] else {
        throw ModelFileError(
          folder, "the tokenizer has no '\(name)'; copy tokenizer.json from the model's source")
      }
      return id
    }
    let file = try TemplateFile(folder: folder, form: form)
    self.tokenizer = tokenizer
    let usual = form == .llama3 && file == nil ? UnderstandingConfiguration.referenceSystemMessage : ""
    systemMessage = configuration.systemMessage ?? file?.systemMessage ?? usual
    (imageToken, tokensPerTile) = (configuration.imageToken, configuration.tokensPerTile)
    let ids = try form.marks.map(token)
    (begin, endTurn) = (ids[0], ids[ids.count - 1])
    marks =
      switch form {
      case .llama3: .llama3(startOfHeader: ids[1], endOfHeader: ids[2])
      case .smolVLM: .smolVLM(aroundPictures: ids[1], wholePicture: ids[2])
      }
    endTokens = Set(configuration.text.endTokens + [endTurn])
  }

  /// A piece of an answer as it is shown: SmolVLM's first word brings the space behind its role.
  func shown(_ piece: String, isFirst: Bool) -> String {
    form == .smolVLM && isFirst && piece.first == " " ? String(piece.dropFirst()) : piece
  }

  /// Whether a token ends an answer.
  public func ends(_ token: Int32) -> Bool { endTokens.contains(token) }

  // MARK: Conversations

  /// What stands before a conversation: the model's own system message unless another is given, and none where it is
  /// empty.
  public func opening(system: String? = nil) -> [Int32] {
    let message = system ?? systemMessage
    return [begin] + (message.isEmpty ? [] : turn(Turn(.system, message)))
  }

  /// What stands before the text of a turn without pictures: the role.
  public func header(_ role: Turn.Role) -> [Int32] {
    switch marks {
    case .llama3(let start, let end):
      [start] + tokenizer.encode(role.rawValue) + [end] + tokenizer.encode("\n\n")
    case .smolVLM: tokenizer.encode(role.rawValue.capitalized + ":")
    }
  }

  func turn(_ turn: Turn) -> [Int32] { pictures(of: turn) + text(of: turn) }

  /// A turn up to the end of its pictures.
  func pictures(of turn: Turn) -> [Int32] {
    // SmolVLM's words join the space that follows the role: they are cut with it.
    if form == .smolVLM, turn.pictures.isEmpty { return [] }
    return header(turn.role) + turn.pictures.flatMap(places)
  }

  /// What follows its pictures.
  func text(of turn: Turn) -> [Int32] {
    let text = turn.text.trimming()
    switch form {
    case .llama3: return tokenizer.encode(text) + endOfTurn
    case .smolVLM:
      let role = turn.pictures.isEmpty ? turn.role.rawValue.capitalized + ": " : ""
      return tokenizer.encode(role + text) + endOfTurn
    }
  }

  /// What follows a turn's text, and an answer.
  var endOfTurn: [Int32] { form == .llama3 ? [endTurn] : [endTurn] + tokenizer.encode("\n") }

  /// The places of so many tiles, one after the other.
  public func places(tiles: Int) -> [Int32] { [Int32](repeating: imageToken, count: tiles * tokensPerTile) }

  private func places(_ picture: PictureTiles) -> [Int32] {
    guard case .smolVLM(let around, let whole) = marks else { return places(tiles: picture.count) }
    let tile = places(tiles: 1)
    var tokens: [Int32] = []
    if let grid = picture.grid {
      let newline = tokenizer.encode("\n")
      for row in 1...grid.rows {
        for column in 1...grid.columns {
          // Beyond six rows and columns it is a text like any other.
          tokens += [around] + tokenizer.encodeTrusted(ChatForm.tile(row, column)) + tile
        }
        tokens += row < grid.rows ? newline : tokenizer.encode("\n\n")
      }
    }
    return tokens + [around, whole] + tile + [around]
  }

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
