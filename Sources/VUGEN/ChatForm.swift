import ModelFiles

/// The forms of conversations that are known. A model's folder has one of them.
enum ChatForm: Sendable {
  /// Llama 3's, as Perception Language Models have it. Pictures come before the text of their turn.
  ///
  ///     <|begin_of_text|> { <|start_header_id|> role <|end_header_id|> \n\n pictures text <|eot_id|> }
  case llama3
  /// SmolVLM's. A turn that begins with a picture has no space behind its role.
  ///
  ///     <|im_start|> { Role: pictures text <end_of_utterance> \n }
  ///
  /// Source: the chat template and the processor of Idefics3.
  case smolVLM

  init(_ kind: VisionConfiguration.Kind) {
    self =
      switch kind {
      case .perception: .llama3
      case .sigLIP: .smolVLM
      }
  }

  /// Its tokens, the first and the last being those before a conversation and behind a turn.
  var marks: [String] {
    switch self {
    case .llama3: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    case .smolVLM: ["<|im_start|>", Self.aroundPictures, Self.wholePicture, "<end_of_utterance>"]
    }
  }

  /// The places of a picture in a prompt.
  var imageMark: String {
    switch self {
    case .llama3: "<|image|>"
    case .smolVLM: "<image>"
    }
  }

  /// Whose it is.
  var plainName: String {
    switch self {
    case .llama3: "Llama 3's"
    case .smolVLM: "SmolVLM's"
    }
  }

  /// The same, with what it may hold.
  var name: String { self == .llama3 ? "Llama 3's, with or without a system message," : plainName }

  /// Whether a template's text is of this form.
  func isOf(_ template: String) -> Bool {
    switch self {
    case .llama3:
      // Llama 3.2's own puts the date before every conversation.
      marks.dropFirst().allSatisfy { template.contains($0) } && !template.contains("Cutting Knowledge Date")
    case .smolVLM: template.contains("<end_of_utterance>") && template.contains("<|im_start|>")
    }
  }

  static let aroundPictures = "<fake_token_around_image>"
  static let wholePicture = "<global-img>"

  /// Before the tile in a row and column, counted from 1.
  static func tile(_ row: Int, _ column: Int) -> String { "<row_\(row)_col_\(column)>" }
}
