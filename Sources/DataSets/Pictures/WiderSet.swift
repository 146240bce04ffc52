import Foundation
import Pictures

/// Pictures that are of no curated class, under captions of their own. What there is is listed at once; decoding some
/// hundreds of files takes a second, so that it waits until one is wanted.
final class WiderSet: @unchecked Sendable {
  private enum Source {
    case emoji(Unicode.Scalar)
    case stamp(String)
  }

  private let sources: PictureSources
  private let listed: [(caption: String, source: Source)]
  private let lock = NSLock()
  private var decoded: [(caption: String, cutOut: CutOut)]?

  /// - Parameter taken: ids of cut-outs that belong to a class.
  ///
  /// Throws `DataSetError`.
  init(_ sources: PictureSources, except taken: Set<String>) throws {
    self.sources = sources
    let emoji = try sources.emojiWithNames().filter {
      Self.isThing($0.scalar, $0.name) && !taken.contains(ObjectBank.emojiID($0.scalar))
    }
    let stamps = try sources.stampsWithCaptions().filter { !taken.contains("stamps/\($0.path)") }
    listed =
      emoji.map { (English.withArticle($0.name), .emoji($0.scalar)) }
      + stamps.map { ($0.caption, .stamp($0.path)) }
  }

  var pictures: [(caption: String, cutOut: CutOut)] {
    lock.withLock {
      if let decoded { return decoded }
      let all = decode()
      decoded = all
      return all
    }
  }

  /// One that cannot be decoded is left out.
  private func decode() -> [(caption: String, cutOut: CutOut)] {
    let font = try? FontFace(path: sources.emojiFont)
    // FreeType's face is for one thread; the rest of the work is not.
    let bitmaps = listed.map { entry -> Picture? in
      guard case .emoji(let scalar) = entry.source else { return nil }
      return font?.colourBitmap(of: scalar)
    }
    let cuts = inParallel(listed.count) { i -> CutOut? in
      switch listed[i].source {
      case .emoji(let scalar): bitmaps[i].flatMap { CutOut(id: ObjectBank.emojiID(scalar), picture: $0) }
      case .stamp(let path):
        (try? Picture(path: sources.path(ofStamp: path))).flatMap {
          CutOut(id: "stamps/\(path)", picture: $0)
        }
      }
    }
    return zip(listed, cuts).compactMap { entry, cut in cut.map { (entry.caption, $0) } }
  }

  /// Emoji that show a thing, not a sign.
  private static func isThing(_ scalar: Unicode.Scalar, _ name: String) -> Bool {
    guard scalar.value >= 0x1F300 else { return false }
    let signs = [
      "button", "arrow", "o’clock", "thirty", "symbol", "square", "circle", "input", "skin tone", ":",
      "people", "men ", "women ",
    ]
    return !signs.contains(where: name.contains) && name.allSatisfy { $0.isASCII }
  }
}
