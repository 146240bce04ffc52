import CImageCodecs
import FileNames
import Foundation

/// What is wrong with a picture, in one line that names it.
public struct PictureError: Error, CustomStringConvertible, Equatable {
  public let path: String
  public let reason: String

  public init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }

  public var description: String { "\(path): \(reason)" }
}

extension Picture {
  /// What a file may ask of memory, and what is wanted of it.
  public struct Limits: Sendable {
    public var pixels: Int
    public var fileBytes: Int
    /// Pixels that a side needs: a JPEG of more than 16 megapixels is decoded at a half, a quarter or an eighth where
    /// both sides keep twice as many. nil for its own size.
    public var enough: Int?
    public var colours = Colours.srgb

    /// 128 megapixels, 1 GB.
    public init(pixels: Int = 128_000_000, fileBytes: Int = 1_000_000_000, enough: Int? = nil) {
      (self.pixels, self.fileBytes, self.enough) = (pixels, fileBytes, enough)
    }
  }

  /// What becomes of colours that a file describes by a profile.
  public enum Colours: String, Sendable, CaseIterable {
    /// They are converted to sRGB.
    case srgb
    /// The numbers are taken as they are stored, as Pillow and the models' reference code do.
    case stored
  }

  /// Reads a picture file of any `PictureFormat`, upright. Throws `PictureError`.
  public init(path: String, limits: Limits = Limits()) throws {
    self = try Picture(bytes: PictureFile.read(path, limits), name: path, limits: limits)
  }

  /// Decodes a picture file's bytes, upright; `name` stands in errors. Throws `PictureError`.
  public init(bytes: [UInt8], name: String, limits: Limits = Limits()) throws {
    guard bytes.count <= limits.fileBytes else { throw PictureFile.tooLarge(name, bytes.count, limits) }
    self = try bytes.withUnsafeBytes { raw in
      guard let format = PictureFormat(recognising: raw) else {
        throw PictureError(name, FileHead(raw).explanation(name))
      }
      var image = vugen_image()
      defer { vugen_image_free(&image) }
      guard format.decode(raw, limits, &image) == 0, image.pixels != nil, image.width > 0, image.height > 0
      else {
        throw PictureError(name, "the \(format.name) data cannot be read: \(text(of: &image.message))")
      }
      vugen_image_to_srgb(&image, limits.colours == .stored ? 1 : 0)
      let own = Int(image.orientation)
      return Picture(upright: image, own > 0 ? own : EmbeddedBlocks(raw, format).orientation ?? 1)
    }
  }

  private init(upright image: vugen_image, _ orientation: Int) {
    let swaps = (5...8).contains(orientation)
    let (w, h) = (Int(image.width), Int(image.height))
    let pixels = [UInt8](unsafeUninitializedCapacity: w * h * 4) { buffer, count in
      vugen_copy_upright(image.pixels, image.width, image.height, Int32(orientation), buffer.baseAddress)
      count = w * h * 4
    }
    self.init(width: swaps ? h : w, height: swaps ? w : h, pixels: pixels)
  }
}

extension PictureFormat {
  fileprivate func decode(
    _ raw: UnsafeRawBufferPointer, _ limits: Picture.Limits, _ image: inout vugen_image
  ) -> Int32 {
    guard let bytes = raw.bindMemory(to: UInt8.self).baseAddress else { return 1 }
    let count = raw.count, most = UInt64(max(0, min(1 << 40, limits.pixels)))
    switch self {
    case .png: return vugen_png_decode(bytes, count, most, &image)
    case .jpeg:
      let enough = limits.enough.map { UInt32(clamping: max(0, $0).multipliedReportingOverflow(by: 2).0) }
      return vugen_jpeg_decode(bytes, count, most, enough ?? 0, &image)
    case .webp: return vugen_webp_decode(bytes, count, most, &image)
    case .gif: return vugen_gif_decode(bytes, count, most, &image)
    case .bmp: return vugen_bmp_decode(bytes, count, most, &image)
    case .tiff: return vugen_tiff_decode(bytes, count, most, &image)
    case .avif: return vugen_avif_decode(bytes, count, most, &image)
    case .heic: return vugen_heif_decode(bytes, count, most, &image)
    case .jpeg2000: return vugen_jpeg2000_decode(bytes, count, most, &image)
    case .pnm: return vugen_pnm_decode(bytes, count, most, &image)
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

  /// A plain file's or a pipe's bytes. A file's size is checked before anything is read.
  static func read(_ path: String, _ limits: Picture.Limits) throws -> [UInt8] {
    func failed() -> PictureError { PictureError(path, String(cString: strerror(errno))) }
    let descriptor = FileName.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw failed() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failed() }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFIFO else {
      throw PictureError(
        path, kind == S_IFDIR ? "this is a folder; name a picture" : "this is not a plain file")
    }
    guard status.st_size <= limits.fileBytes else { throw tooLarge(path, Int(status.st_size), limits) }
    if kind == S_IFIFO { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) }
    var bytes: [UInt8] = [], room = kind == S_IFREG ? max(1, Int(status.st_size)) : 1 << 16
    while bytes.count <= limits.fileBytes {
      let piece = try [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        while count < room {
          let n = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, room - count)
          if n < 0, errno == EINTR { continue }
          guard n >= 0 else { throw failed() }
          if n == 0 { break }
          count += n
        }
      }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      // The whole of a plain file at once; a pipe in pieces that grow.
      if piece.count < room || kind == S_IFREG { return bytes }
      room = min(room * 2, 1 << 26)
    }
    throw tooLarge(path, bytes.count, limits)
  }
}
