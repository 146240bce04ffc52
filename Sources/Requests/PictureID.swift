/// What a picture is known by.
public enum PictureID: Hashable, Sendable {
  /// A stored one: the SHA-256 of its file, in hexadecimal digits.
  case hash(String)
  /// What a drawing looks like so far; the next takes its place.
  case preview(Int)
  /// A file of a list, small.
  case file(String)
  /// How two pictures differ.
  indirect case heatMap(PictureID, PictureID)
  /// The terminal's.
  case testCard
  /// What a model draws where nothing but this is asked for.
  case thing(String)

  /// A stored picture's hash.
  public var stored: String? { if case .hash(let hash) = self { hash } else { nil } }

  /// A few characters for people.
  public var short: String {
    switch self {
    case .hash(let hash): String(hash.prefix(8))
    case .preview: "preview"
    case .file(let path): path
    case .heatMap: "difference"
    case .testCard: "test card"
    case .thing(let name): name
    }
  }
}

/// As a log has it: a stored picture's hash. Others are in no log.
extension PictureID: Codable {
  public init(from decoder: any Decoder) throws {
    self = .hash(try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    guard let stored else {
      throw EncodingError.invalidValue(
        self, .init(codingPath: encoder.codingPath, debugDescription: "not a stored picture"))
    }
    try box.encode(stored)
  }
}
