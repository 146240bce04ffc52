import CImageCodecs
import Files
import Foundation

/// What is wrong with a picture, in one line that names it.
public struct PictureError: Error, CustomStringConvertible, Equatable {
  /// The file, or what the caller called the bytes.
  public let path: String
  /// What is wrong, without the path.
  public let reason: String

  /// An error about a path; `reason` is a part of a sentence without a full stop.
  public init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }

  public var description: String { "\(path): \(reason)" }
}

extension Picture {
  /// What a file may ask of memory, and what is wanted of it.
  public struct Limits: Sendable {
    /// Whether a pipe is read, and waited for.
    public var takesPipes = true
    /// The most that a picture may have; more is an error before memory is taken.
    public var pixels: Int
    /// The most bytes that a file may have.
    public var fileBytes: Int
    /// The size that is wanted; nil for the picture's own.
    public var wanted: Wanted?
    /// What the pixels' numbers should mean: sRGB, or what the file says.
    public var colours = Colours.srgb

    /// 128 megapixels, 1 GB. A picture whose longer side has more than `enough` pixels is shrunk to them.
    public init(pixels: Int = 128_000_000, fileBytes: Int = 1_000_000_000, enough: Int? = nil) {
      (self.pixels, self.fileBytes) = (pixels, fileBytes)
      wanted = enough.map { .within($0) }
    }
  }

  /// A size that is made while a file is decoded, so that the whole of a large picture is never in memory. The pixels
  /// are those of `resizedBicubic`; but a WebP file of more than 16 megapixels is decoded at a fraction that has at least
  /// six times the pixels on each side, unless colours are taken as stored, and a JPEG file of more pixels than the
  /// limit at one of four times.
  public enum Wanted: Sendable, Equatable {
    /// The longer side has no more pixels than this; the aspect ratio stays.
    case within(Int)
    /// Laid over white and resized to a square, as a model reads it.
    case square(Int)
  }

  /// What becomes of colours that a file describes by a profile.
  public enum Colours: String, Sendable, CaseIterable {
    /// They are converted to sRGB.
    case srgb
    /// The numbers are taken as they are stored, as Pillow and the models' reference code do.
    case stored
  }

  /// Ends decoding, at its next row, where `isAsked` says other than 0: decoders then throw `Patience.Ended`.
  public static func stopDecoding(when isAsked: @escaping @convention(c) () -> Int32) {
    vugen_stop_decoding_when(isAsked)
  }

  /// Reads a picture file of any `PictureFormat`, upright. Throws `PictureError`, or `Patience.Ended` where somebody
  /// ended the wait for a pipe.
  public init(path: String, limits: Limits = Limits()) throws {
    self = try Picture(bytes: PictureFile.read(path, limits), name: path, limits: limits)
  }

  /// The bytes of a plain file or a pipe that is a picture. Throws as reading the picture does.
  public static func file(at path: String, limits: Limits = Limits()) throws -> [UInt8] {
    try PictureFile.read(path, limits)
  }

  /// The same of an open file, such as standard input; `name` stands in errors.
  public static func file(descriptor: Int32, name: String, limits: Limits = Limits()) throws -> [UInt8] {
    try PictureFile.read(descriptor, name, limits)
  }

  /// Reads a picture from an open file, such as standard input; `name` stands in errors. Throws `PictureError`.
  public init(descriptor: Int32, name: String, limits: Limits = Limits()) throws {
    self = try Picture(bytes: PictureFile.read(descriptor, name, limits), name: name, limits: limits)
  }

  /// Decodes a picture file's bytes, upright; `name` stands in errors. Throws `PictureError`.
  public init(bytes: [UInt8], name: String, limits: Limits = Limits()) throws {
    guard bytes.count <= limits.fileBytes else { throw PictureFile.tooLarge(name, bytes.count, limits) }
    let format = try bytes.withUnsafeBytes { raw in
      guard let format = PictureFormat(recognising: raw) else {
        throw PictureError(name, FileHead(raw).explanation(name))
      }
      return format
    }
    let decoding = Decoding(bytes, format, limits)
    // Their decoders ask nobody on the way.
    let isDeaf = [.avif, .heic, .jpeg2000].contains(format)
    if isDeaf, Patience.isWatched { try decoding.runApart() } else { decoding.run() }
    self = try decoding.picture(name)
  }

  fileprivate init(upright image: vugen_image, _ name: String) throws {
    let orientation = image.orientation > 0 ? image.orientation : image.exif_orientation
    let swaps = (5...8).contains(orientation), (w, h) = (Int(image.width), Int(image.height))
    try PictureFile.checkRoom(w * h * 4, name)
    let pixels = [UInt8](unsafeUninitializedCapacity: w * h * 4) { buffer, count in
      vugen_copy_upright(image.pixels, image.width, image.height, orientation, buffer.baseAddress)
      count = w * h * 4
    }
    self.init(width: swaps ? h : w, height: swaps ? w : h, pixels: pixels)
  }
}

/// A file on its way to a picture.
private final class Decoding: @unchecked Sendable {
  private let bytes: [UInt8], format: PictureFormat, limits: Picture.Limits
  private var image: vugen_image, isDone = false

  init(_ bytes: [UInt8], _ format: PictureFormat, _ limits: Picture.Limits) {
    (self.bytes, self.format, self.limits, image) = (bytes, format, limits, vugen_image(limits))
  }

  deinit { vugen_image_free(&image) }

  func run() {
    bytes.withUnsafeBytes { raw in
      image.exif_orientation = Int32(EmbeddedBlocks(raw, format, keepsTexts: false).orientation ?? 1)
      // Rows that are resized on the way become pixels in the end.
      isDone =
        format.decode(raw, limits, &image) == 0 && image.width > 0 && image.height > 0
        && vugen_image_finish(&image) == 0 && image.pixels != nil
    }
  }

  /// On a thread of its own, which is left alone where somebody asks for the end. Throws `Patience.Ended`.
  func runApart() throws {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      self.run()
      done.signal()
    }
    thread.stackSize = 8 << 20
    thread.start()
    while done.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      if Patience.isEnded { throw Patience.Ended(leavesWork: true) }
    }
  }

  func picture(_ name: String) throws -> Picture {
    guard isDone else {
      if image.is_stopped != 0 { throw Patience.Ended() }
      throw PictureError(name, format.explanation(text(of: &image.message), image.fault))
    }
    let picture = try Picture(upright: image, name)
    vugen_image_free(&image)
    // What is made of it next takes as much again, and the parts on white as much once more.
    try PictureFile.checkRoom(2 * picture.pixels.count, name)
    return picture
  }
}

extension vugen_image {
  /// Empty, with what is asked for.
  fileprivate init(_ limits: Picture.Limits) {
    self.init()
    switch limits.wanted {
    case .within(let side): wanted = UInt32(clamping: side)
    case .square(let side): (wanted, wants_square) = (UInt32(clamping: side), 1)
    case nil: break
    }
    keeps_stored = limits.colours == .stored ? 1 : 0
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
    case .jpeg: return vugen_jpeg_decode(bytes, count, most, &image)
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

  /// What is wrong, and what to do.
  fileprivate func explanation(_ reason: String, _ fault: vugen_fault) -> String {
    let advice =
      switch fault {
      // What is cut off is no better in another format.
      case VUGEN_DAMAGED: "; copy or download the file again"
      case VUGEN_UNREAD_FORM: "; convert it to PNG"
      case VUGEN_NO_DECODER: "; install it, or convert the picture to PNG"
      case VUGEN_NO_MEMORY: "; shrink the picture, or close other programs"
      default: ""
      }
    return "the \(name) data cannot be read: \(reason)\(advice)"
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
      "\(count / 1_000_000) MB are more than the limit of \(limits.fileBytes / 1_000_000) MB for a picture file; shrink it"
    )
  }

  private static let spare = 32 << 20

  /// Memory for as much again is there; Swift's arrays end the program where it is not. Throws `PictureError`.
  ///
  /// - Parameter told: what it is said to be for, where that is less.
  static func checkRoom(_ count: Int, _ name: String, of told: Int? = nil) throws {
    // Not malloc: what is freed at once a compiler takes for given.
    let memory = mmap(nil, max(1, count), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw PictureError(
        name, "there is no memory for its \((told ?? count) / 1_000_000) MB; shrink the picture")
    }
    munmap(memory, max(1, count))
  }

  /// Opens a plain file or a pipe and reads it. Throws `PictureError`.
  static func read(_ path: String, _ limits: Picture.Limits) throws -> [UInt8] {
    let descriptor = FileName.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      let reason = FileName.systemReason, absence = FileName.absence(path)
      throw PictureError(path, absence.hasPrefix("this link") ? absence : reason)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw PictureError(path, FileName.systemReason) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFIFO && limits.takesPipes else {
      throw PictureError(
        path,
        kind == S_IFDIR ? "this is a folder; name a picture" : "this is not a plain file; name a picture")
    }
    return try read(descriptor, path, limits)
  }

  /// The bytes of an open file. A plain file's size is checked before anything is read; what is no picture is refused
  /// by its beginning, however long it goes on. A pipe is waited for. Throws `PictureError`, `Patience.Ended`.
  static func read(_ descriptor: Int32, _ name: String, _ limits: Picture.Limits) throws -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw PictureError(name, FileName.systemReason) }
    let isPlain = status.st_mode & S_IFMT == S_IFREG, size = isPlain ? Int(status.st_size) : 0
    guard size <= limits.fileBytes else { throw tooLarge(name, size, limits) }
    // Beside a large file what is made of it needs a little, too.
    try checkRoom(size > 16 << 20 ? size + spare : size, name, of: size)
    var bytes: [UInt8] = [], isChecked = false
    bytes.reserveCapacity(size)
    while true {
      let room = bytes.isEmpty ? 1 << 16 : isPlain ? 1 << 20 : min(bytes.count, 1 << 22)
      if !isPlain {
        try Patience.wait(for: descriptor, POLLIN, "\(name): waiting for a picture; Ctrl-C ends it")
      }
      if !isPlain, bytes.count + room > bytes.capacity { try checkRoom(2 * (bytes.count + room), name) }
      let count = try append(to: &bytes, from: descriptor, room, name)
      if count == 0 { return bytes }
      guard bytes.count <= limits.fileBytes else { throw tooLarge(name, bytes.count, limits) }
      if !isChecked, bytes.count >= 4096 {
        isChecked = true
        // Some kinds are known by their end.
        if !isPlain || size > 16 << 20 { try checkBeginning(bytes, name) }
      }
    }
  }

  /// Reads what is there, `room` bytes at most; 0 at the end.
  private static func append(
    to bytes: inout [UInt8], from descriptor: Int32, _ room: Int, _ name: String
  ) throws -> Int {
    let piece = try [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      while true {
        let found = Glibc.read(descriptor, buffer.baseAddress, room)
        if found < 0, errno == EINTR { continue }
        if found < 0, errno == EAGAIN {
          try Patience.wait(for: descriptor, POLLIN, "\(name): waiting for a picture; Ctrl-C ends it")
          continue
        }
        guard found >= 0 else { throw PictureError(name, FileName.systemReason) }
        count = found
        return
      }
    }
    bytes += piece
    return piece.count
  }

  private static func checkBeginning(_ bytes: [UInt8], _ name: String) throws {
    try bytes.withUnsafeBytes { raw in
      guard PictureFormat(recognising: raw) == nil else { return }
      throw PictureError(name, FileHead(raw).explanation(name))
    }
  }
}
