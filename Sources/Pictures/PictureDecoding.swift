import CImageCodecs
import Foundation

/// The kinds of picture file that are read.
public enum PictureFormat: String, Sendable, CaseIterable {
  case png, jpeg, webp

  /// Recognised by content, never by name.
  public init?(recognising bytes: UnsafeRawBufferPointer) {
    func starts(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + prefix.count && zip(bytes[offset...], prefix).allSatisfy(==)
    }
    if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if starts([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if starts(Array("RIFF".utf8)), starts(Array("WEBP".utf8), at: 8) {
      self = .webp
    } else {
      return nil
    }
  }
}

/// What is wrong with a picture, in one line that names it.
public struct PictureError: Error, CustomStringConvertible, Equatable {
  public let path: String
  public let reason: String

  public init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }

  public var description: String { "\(path): \(reason)" }
}

extension Picture {
  /// What a file may ask of memory.
  public struct Limits: Sendable {
    public var pixels: Int
    public var fileBytes: Int

    /// 64 megapixels, 256 MB.
    public init(pixels: Int = 64_000_000, fileBytes: Int = 256_000_000) {
      (self.pixels, self.fileBytes) = (pixels, fileBytes)
    }
  }

  /// Reads a PNG, JPEG or WebP file, upright. Throws `PictureError`.
  public init(path: String, limits: Limits = Limits()) throws {
    self = try Picture(bytes: [UInt8](PictureFile.read(path, limits)), name: path, limits: limits)
  }

  /// Decodes a PNG, JPEG or WebP file's bytes, upright; `name` stands in errors. Throws `PictureError`.
  public init(bytes: [UInt8], name: String, limits: Limits = Limits()) throws {
    guard bytes.count <= limits.fileBytes else { throw PictureFile.tooLarge(name, bytes.count, limits) }
    self = try bytes.withUnsafeBytes { raw in
      guard let format = PictureFormat(recognising: raw), let base = raw.baseAddress else {
        throw PictureError(name, "this is no PNG, JPEG or WebP picture")
      }
      var image = vugen_image()
      let pointer = base.assumingMemoryBound(to: UInt8.self), most = UInt64(limits.pixels)
      let status =
        switch format {
        case .png: vugen_png_decode(pointer, raw.count, most, &image)
        case .jpeg: vugen_jpeg_decode(pointer, raw.count, most, &image)
        case .webp: vugen_webp_decode(pointer, raw.count, most, &image)
        }
      guard status == 0, let pixels = image.pixels, image.width > 0, image.height > 0 else {
        throw PictureError(
          name, "the \(format.rawValue.uppercased()) data cannot be read: \(text(of: &image.message))")
      }
      defer { vugen_image_free(&image) }
      let count = Int(image.width) * Int(image.height) * 4
      return Picture(
        width: Int(image.width), height: Int(image.height),
        pixels: Array(UnsafeBufferPointer(start: pixels, count: count))
      ).oriented(Int(image.orientation))
    }
  }
}

/// A C message buffer as text.
func text<T>(of message: inout T) -> String {
  withUnsafeBytes(of: &message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

enum PictureFile {
  static func tooLarge(_ name: String, _ count: Int, _ limits: Picture.Limits) -> PictureError {
    PictureError(
      name,
      "\(count / 1_000_000) MB are more than the limit of \(limits.fileBytes / 1_000_000) MB for a picture file"
    )
  }

  /// A plain file's bytes, its size checked before anything is read.
  static func read(_ path: String, _ limits: Picture.Limits) throws -> Data {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw PictureError(path, String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw PictureError(path, String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw PictureError(path, "this is not a plain file") }
    guard status.st_size <= limits.fileBytes else { throw tooLarge(path, Int(status.st_size), limits) }
    do {
      return try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd() ?? Data()
    } catch {
      throw PictureError(path, "cannot be read: \(error.localizedDescription)")
    }
  }
}
