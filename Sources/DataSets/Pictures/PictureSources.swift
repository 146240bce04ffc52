import Files
import Foundation
import FoundationXML
import Pictures

/// An everyday thing, and where its cut-outs lie.
public struct ObjectClass: Sendable, Equatable {
  /// As captions say it: "bunch of grapes", "bunches of grapes".
  public let name, plural: String
  let emoji: [Unicode.Scalar]
  let stamps: [String]
  /// Whether a hue change makes sense: people meet it in many colours.
  public let isRecolourable: Bool
  /// Whether its colour is said, though it is its own: apples are red or green.
  public let namesColour: Bool
  /// Whether its mirror image is as good.
  public let mayBeMirrored: Bool

  init(
    name: String, plural: String, emoji: [Unicode.Scalar], stamps: [String], isRecolourable: Bool,
    namesColour: Bool, mayBeMirrored: Bool
  ) {
    (self.name, self.plural, self.emoji, self.stamps) = (name, plural, emoji, stamps)
    (self.isRecolourable, self.namesColour, self.mayBeMirrored) = (isRecolourable, namesColour, mayBeMirrored)
  }

  /// All classes of the list that ships with the program, in its order.
  public static func curated() throws -> [ObjectClass] {
    let path = ProgramFiles.resource("classes.txt", of: "DataSets")
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw DataSetError(path, "is missing beside the program; build or install it again")
    }
    return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { try parsed(String($0)) }
  }

  private static func parsed(_ line: String) throws -> ObjectClass {
    let fields = line.split(separator: ";", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard fields.count == 5, !fields[0].isEmpty, !fields[1].isEmpty else {
      throw DataSetError("classes.txt", "'\(line)' has not the five fields of a class")
    }
    func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
    return ObjectClass(
      name: fields[0], plural: fields[1],
      emoji: words(fields[2]).compactMap { $0.unicodeScalars.first }, stamps: words(fields[3]),
      isRecolourable: fields[4].contains("hue"),
      namesColour: fields[4].contains("colour"), mayBeMirrored: !fields[4].contains("side"))
  }
}

/// The picture packages of Debian, where they lie on this machine.
public struct PictureSources: Sendable {
  /// Folder of Tux Paint's stamps.
  public var stamps = "/usr/share/tuxpaint/stamps"
  /// Noto's colour font.
  public var emojiFont = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
  /// CLDR's names of emoji in English.
  public var annotations = "/usr/share/unicode/cldr/common/annotations/en.xml"

  /// Where Debian's packages put them.
  public init() {}

  func path(ofStamp stamp: String) -> String { "\(stamps)/\(stamp).png" }

  func hasStamp(_ stamp: String) -> Bool { FileManager.default.fileExists(atPath: path(ofStamp: stamp)) }

  /// Throws `DataSetError` naming every package that is missing.
  public func check() throws {
    let wanted = [
      (stamps, "tuxpaint-stamps-default"), (emojiFont, "fonts-noto-color-emoji"),
      (annotations, "unicode-cldr-core"),
    ]
    let missing = wanted.filter { !FileManager.default.fileExists(atPath: $0.0) }
    guard let first = missing.first else { return }
    let packages = missing.map(\.1).joined(separator: " ")
    throw DataSetError(first.0, "the pictures are not installed; run: apt-get install \(packages)")
  }

  /// Stamps that are no letters, signs or coins, with their English captions.
  public func stampsWithCaptions() throws -> [(path: String, caption: String)] {
    guard let walk = FileManager.default.enumerator(atPath: stamps) else {
      throw DataSetError(stamps, "cannot be read; run: apt-get install tuxpaint-stamps-default")
    }
    let left = ["symbols/alphabets", "symbols/money", "symbols/math", "symbols/music", "symbols/chess"]
    var found: [(String, String)] = []
    for case let path as String in walk where path.hasSuffix(".png") {
      let stem = String(path.dropLast(4))
      if stem.hasSuffix("_mirror") || stem.hasSuffix("_flip") || left.contains(where: stem.hasPrefix) {
        continue
      }
      guard let text = try? String(contentsOfFile: "\(stamps)/\(stem).txt", encoding: .utf8),
        let line = text.split(separator: "\n").first, let caption = Self.plain(String(line))
      else { continue }
      found.append((stem, caption))
    }
    return found.sorted { $0.0 < $1.0 }
  }

  /// The first sentence of a stamp's caption in small letters and without its full stop; nil for
  /// exclamations, advice and the like.
  static func plain(_ line: String) -> String? {
    var text = line.trimmingCharacters(in: .whitespaces)
    if let open = text.firstIndex(of: "(") { text = String(text[..<open]) }
    for quote in ["“", "”", "\""] { text = text.replacingOccurrences(of: quote, with: "") }
    text = text.replacingOccurrences(of: "’", with: "'").replacingOccurrences(of: "—", with: ", ")
    text = String(text.prefix { !".!?,".contains($0) }).trimmingCharacters(in: .whitespaces)
    let words = text.split(separator: " ")
    let starts = ["a", "an", "the", "some", "two"]
    guard (2...7).contains(words.count), starts.contains(words[0].lowercased()) else { return nil }
    return text.lowercased()
  }

  /// Emoji of one code point with their names in `en.xml`, in its order. Throws `DataSetError`.
  public func emojiWithNames() throws -> [(scalar: Unicode.Scalar, name: String)] {
    guard let parser = XMLParser(contentsOf: URL(fileURLWithPath: annotations)) else {
      throw DataSetError(annotations, "cannot be read; run: apt-get install unicode-cldr-core")
    }
    let reader = AnnotationReader()
    parser.delegate = reader
    guard parser.parse() else {
      throw DataSetError(annotations, "is damaged; install unicode-cldr-core again")
    }
    return reader.names
  }
}

/// Collects `<annotation cp="🍎" type="tts">red apple</annotation>`.
private final class AnnotationReader: NSObject, XMLParserDelegate {
  var names: [(Unicode.Scalar, String)] = []
  private var scalar: Unicode.Scalar?
  private var text = ""

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    scalar = nil
    text = ""
    guard element == "annotation", attributes["type"] == "tts", let cp = attributes["cp"] else { return }
    let scalars = cp.unicodeScalars.filter { $0.value != 0xFE0F }
    if scalars.count == 1 { scalar = scalars.first }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
  ) {
    guard let scalar else { return }
    names.append((scalar, text.lowercased()))
    self.scalar = nil
  }
}
