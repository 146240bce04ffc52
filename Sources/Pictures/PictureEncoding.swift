import CImageCodecs
import Foundation

/// A text chunk of a PNG, such as `parameters` with the settings of a generated picture.
public struct PNGText: Sendable, Equatable {
  /// 1 to 79 Latin-1 characters.
  public let key: String
  public let value: String

  public init(_ key: String, _ value: String) { (self.key, self.value) = (key, value) }
}

extension Picture {
  /// A PNG file's bytes; RGB where nothing is transparent. Values that are not ASCII become iTXt chunks.
  ///
  /// Throws `PictureError` for a key that PNG does not allow.
  public func pngData(texts: [PNGText] = []) throws -> [UInt8] {
    for text in texts
    where !(1...79).contains(text.key.utf8.count) || !text.key.allSatisfy({ $0.isASCII && $0 >= " " }) {
      throw PictureError("PNG", "'\(text.key)' is no key of a text chunk: 1 to 79 printable ASCII characters")
    }
    let opaque = isOpaque, bytes = opaque ? rgb() : pixels
    let keys = texts.map { strdup($0.key) }, values = texts.map { strdup($0.value.replacing("\0", with: "")) }
    defer { (keys + values).forEach { free($0) } }
    let keyList = keys.map { UnsafePointer<CChar>($0) }, valueList = values.map { UnsafePointer<CChar>($0) }
    var out = vugen_bytes()
    let status = vugen_png_encode(
      bytes, UInt32(width), UInt32(height), opaque ? 3 : 4, keyList, valueList, texts.count, &out)
    return try Self.taken(status, &out, "PNG")
  }

  /// A JPEG file's bytes, over white. `quality` is 1…100.
  public func jpegData(quality: Int = 92) throws -> [UInt8] {
    guard width <= 65500, height <= 65500 else {
      throw PictureError("JPEG", "\(width) × \(height) is more than JPEG's 65500")
    }
    var out = vugen_bytes()
    let status = vugen_jpeg_encode(
      rgb(), UInt32(width), UInt32(height), Int32(max(1, min(100, quality))), &out)
    return try Self.taken(status, &out, "JPEG")
  }

  private static func taken(_ status: Int32, _ out: inout vugen_bytes, _ name: String) throws -> [UInt8] {
    guard status == 0, let bytes = out.bytes else {
      throw PictureError(name, "the picture cannot be encoded: \(text(of: &out.message))")
    }
    defer { vugen_bytes_free(&out) }
    return Array(UnsafeBufferPointer(start: bytes, count: out.count))
  }

  /// The text chunks of a PNG file's bytes, before and behind the picture. Throws `PictureError`.
  public static func pngTexts(bytes: [UInt8], name: String) throws -> [PNGText] {
    final class Box { var texts: [PNGText] = [] }
    let box = Box()
    var message = [CChar](repeating: 0, count: Int(VUGEN_MESSAGE_BYTES))
    let status = vugen_png_texts(
      bytes, bytes.count, Unmanaged.passUnretained(box).toOpaque(),
      { context, key, value, length, isUTF8 in
        guard let context, let key, let value else { return }
        let bytes = UnsafeRawBufferPointer(start: value, count: length)
        let text =
          isUTF8 != 0
          ? String(decoding: bytes, as: UTF8.self) : String(bytes.map { Character(Unicode.Scalar($0)) })
        Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().texts.append(
          PNGText(String(cString: key), text))
      }, &message)
    guard status == 0 else {
      throw PictureError(
        name,
        "the PNG data cannot be read: \(String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))"
      )
    }
    return box.texts
  }
}
