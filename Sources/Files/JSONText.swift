import Foundation

/// Values as JSON in one spelling: keys sorted and slashes as they are, so that the same value is always the same bytes.
public enum JSONText {
  /// One object in one line, without its end.
  ///
  /// - Parameter namesNonFinite: whether numbers that JSON has not become the texts "nan", "inf" and "-inf"; else they are
  ///   an error.
  public static func line(_ value: some Encodable, namesNonFinite: Bool = false) throws -> Data {
    try encoder(namesNonFinite: namesNonFinite).encode(value)
  }

  /// The same over several lines, for a person to read.
  public static func lines(_ value: some Encodable) throws -> Data {
    let encoder = encoder(namesNonFinite: false)
    encoder.outputFormatting.insert(.prettyPrinted)
    return try encoder.encode(value)
  }

  private static func encoder(namesNonFinite: Bool) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if namesNonFinite {
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }
    return encoder
  }
}
