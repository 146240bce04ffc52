import Files
import Foundation

extension Tokenizer {
  /// Reads `tokenizer.json`, or else `tokenizer.model`, of a model folder. Throws `ModelFileError`.
  public convenience init(folder: String) throws {
    let json = folder + "/tokenizer.json", model = folder + "/tokenizer.model"
    // By the names in the folder: a link that leads nowhere is not a missing file.
    let names = try ModelFolder.list(folder)
    if names.contains("tokenizer.json") {
      try self.init(json: json)
    } else if names.contains("tokenizer.model") {
      try self.init(tiktoken: model, specialTokens: Self.plmSpecialTokens)
    } else {
      throw ModelFileError(
        folder, "neither tokenizer.json nor tokenizer.model is here; copy it from the model's source")
    }
  }

  private struct FileType: Decodable {
    struct Model: Decodable {
      let type: String?
    }
    let model: Model?
  }

  private struct File: Decodable {
    struct Added: Decodable {
      let id: Int32
      let content: String
    }
    struct Model: Decodable {
      let vocab: [String: Int32]
      let merges: [Merge]
      let ignoreMerges: Bool?

      enum CodingKeys: String, CodingKey {
        case vocab, merges
        case ignoreMerges = "ignore_merges"
      }
    }
    /// `["a", "b"]`, or `"a b"` in older files.
    struct Merge: Decodable {
      let left, right: String

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let parts =
          try (try? container.decode([String].self))
          ?? container.decode(String.self).split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: "a merge joins two tokens")
        }
        (left, right) = (parts[0], parts[1])
      }
    }
    struct PreTokenizer: Decodable {
      struct Pattern: Decodable {
        let regex: String?

        enum CodingKeys: String, CodingKey { case regex = "Regex" }
      }
      let type: String
      let pretokenizers: [PreTokenizer]?
      let pattern: Pattern?
      let individualDigits: Bool?

      enum CodingKeys: String, CodingKey {
        case type, pretokenizers, pattern
        case individualDigits = "individual_digits"
      }
    }

    let model: Model
    let addedTokens: [Added]?
    let preTokenizer: PreTokenizer?

    enum CodingKeys: String, CodingKey {
      case model
      case addedTokens = "added_tokens"
      case preTokenizer = "pre_tokenizer"
    }
  }

  /// GPT-2's pattern, which ByteLevel uses when no Split comes before it.
  private static let gpt2Pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// Reads the reference library's `tokenizer.json`: byte-level BPE. Throws `ModelFileError`.
  public convenience init(json path: String) throws {
    let kind = "byte-level BPE tokenizer"
    // The type first: another kind has other keys.
    let type = try ModelJSON.read(FileType.self, at: path, kind: kind).model?.type
    guard type == nil || type == "BPE" else {
      throw ModelFileError(
        path, "a tokenizer of type '\(type ?? "")' is not read, only BPE; copy it from the model's source")
    }
    let file = try ModelJSON.read(File.self, at: path, kind: kind)
    let special = Dictionary(
      (file.addedTokens ?? []).map { ($0.content, $0.id) }, uniquingKeysWith: { first, _ in first })
    let largest = max(file.model.vocab.values.max() ?? -1, special.values.max() ?? -1)
    // Each id has a line of its own; a small file may have gaps.
    let most = max(1 << 20, try MappedFile(path: path).bytes.count)
    guard largest >= 0, largest < most, file.model.vocab.values.allSatisfy({ $0 >= 0 }),
      special.values.allSatisfy({ $0 >= 0 })
    else {
      throw ModelFileError(path, "its token ids are out of range; copy it from the model's source again")
    }
    var tokens = [[UInt8]](repeating: [], count: Int(largest) + 1)
    for (text, id) in file.model.vocab { tokens[Int(id)] = ByteAlphabet.decode(text) ?? Array(text.utf8) }
    for (text, id) in special { tokens[Int(id)] = Array(text.utf8) }
    let all = [file.preTokenizer].compactMap { $0 } + (file.preTokenizer?.pretokenizers ?? [])
    let text = all.compactMap { $0.pattern?.regex }.first ?? Self.gpt2Pattern
    let cutsDigits = all.contains { $0.type == "Digits" && $0.individualDigits == true }
    guard let pattern = try? WordPattern(text, cutsDigits: cutsDigits) else {
      throw ModelFileError(
        path, "its pattern is no regular expression: \(text); copy the file from the model's source again")
    }
    self.init(
      tokens: tokens, merges: .pairs(try Self.pairs(of: file, path)),
      takesWholeWords: file.model.ignoreMerges ?? false,
      specialTokens: special,
      pattern: pattern)
  }

  /// Merges by the pair of ids that they join.
  private static func pairs(of file: File, _ path: String) throws -> [UInt64: (rank: Int32, joined: Int32)] {
    var pairs: [UInt64: (rank: Int32, joined: Int32)] = [:]
    for (rank, merge) in file.model.merges.enumerated() {
      guard let a = file.model.vocab[merge.left], let b = file.model.vocab[merge.right],
        let joined = file.model.vocab[merge.left + merge.right]
      else {
        throw ModelFileError(
          path,
          "the merge '\(merge.left) \(merge.right)' names a token that is not in the vocabulary; copy the file from the model's source again"
        )
      }
      let key = Tokenizer.pair(a, b)
      if pairs[key] == nil { pairs[key] = (Int32(rank), joined) }
    }
    return pairs
  }

  /// GPT-2's spelling of the 256 single bytes, in their order.
  public static var byteTokenTexts: [String] { ByteAlphabet.characters.map { String($0) } }

  /// The pattern by which Llama 3 cuts text into words.
  public static var llama3Pattern: String { WordPattern.llama3 }

  /// The special tokens of the Perception Language Model, in the order of their ids.
  public static let plmSpecialTokens: [String] =
    [
      "<|begin_of_text|>", "<|end_of_text|>", "<|image|>", "<|video|>", "<|reserved_special_token_2|>",
      "<|reserved_special_token_3|>", "<|start_header_id|>", "<|end_header_id|>",
      "<|reserved_special_token_4|>",
      "<|eot_id|>",
    ] + (5...250).map { "<|reserved_special_token_\($0)|>" }

  /// Reads tiktoken's format, a line a token: base64 of its bytes, a space, its rank. Special tokens are
  /// not in the file: their ids follow the last rank. Throws `ModelFileError`.
  public convenience init(tiktoken path: String, specialTokens: [String]) throws {
    let file = try ModelFolder.mapped(path)
    if let strange = StrangeFile.explanation(file) { throw ModelFileError(path, strange) }
    let text = withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
    var tokens: [[UInt8]] = []
    for (number, line) in text.split(separator: "\n").enumerated() {
      let parts = line.split(separator: " ")
      guard parts.count == 2, let bytes = Data(base64Encoded: String(parts[0])), let rank = Int(parts[1])
      else {
        throw ModelFileError(
          path, "line \(number + 1) is not base64, a space and a rank; the file is damaged")
      }
      guard rank == tokens.count else {
        throw ModelFileError(
          path, "line \(number + 1) has rank \(rank), not \(tokens.count); the file is cut or damaged")
      }
      tokens.append([UInt8](bytes))
    }
    guard tokens.count >= 256 else {
      throw ModelFileError(path, "\(tokens.count) tokens are too few; the file is cut or damaged")
    }
    let special = Dictionary(
      uniqueKeysWithValues: specialTokens.enumerated().map { ($1, Int32(tokens.count + $0)) })
    tokens += specialTokens.map { Array($0.utf8) }
    guard let pattern = try? WordPattern(WordPattern.llama3) else {
      throw ModelFileError(path, "the pattern of words cannot be compiled")
    }
    self.init(tokens: tokens, merges: .ranks, takesWholeWords: true, specialTokens: special, pattern: pattern)
  }
}
