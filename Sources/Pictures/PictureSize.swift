import Foundation

extension Picture {
  /// Width and height of a picture's file, upright: as its head tells them where that is quickly read, else by decoding it.
  /// nil for what cannot be read.
  public static func size(at path: String) -> (width: Int, height: Int)? {
    guard let bytes = try? file(at: path) else { return nil }
    return bytes.withUnsafeBytes { raw in
      guard let format = PictureFormat(recognising: raw) else { return nil }
      if let stated = StatedSize(raw, format) {
        let isTurned = (5...8).contains(EmbeddedBlocks(raw, format, keepsTexts: false).orientation ?? 1)
        return isTurned ? (stated.height, stated.width) : (stated.width, stated.height)
      }
      return (try? Picture(bytes: bytes, name: path)).map { ($0.width, $0.height) }
    }
  }
}

/// What the heads of PNG, GIF and JPEG files say of the picture's size.
private struct StatedSize {
  var width, height: Int

  init?(_ bytes: UnsafeRawBufferPointer, _ format: PictureFormat) {
    func big(_ at: Int, _ count: Int) -> Int {
      (at..<at + count).reduce(0) { $0 << 8 | Int($1 < bytes.count ? bytes[$1] : 0) }
    }
    (width, height) = (0, 0)
    switch format {
    case .png where bytes.count > 24: (width, height) = (big(16, 4), big(20, 4))
    case .gif where bytes.count > 10:
      (width, height) = (Int(bytes[6]) | Int(bytes[7]) << 8, Int(bytes[8]) | Int(bytes[9]) << 8)
    case .jpeg:
      // Segments up to the one that begins the frame.
      var at = 2
      while at + 9 < bytes.count, bytes[at] == 0xFF {
        let marker = bytes[at + 1]
        if marker == 0xFF {
          at += 1
          continue
        }
        if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
          (width, height) = (big(at + 7, 2), big(at + 5, 2))
          break
        }
        at += 2 + max(2, big(at + 2, 2))
      }
    default: return nil
    }
    guard width > 0, height > 0 else { return nil }
  }
}
