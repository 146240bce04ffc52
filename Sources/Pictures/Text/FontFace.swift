import CFreeType
import Foundation

/// A font file that FreeType reads: colour bitmaps of emoji, or grey outlines for labels.
///
/// Belongs to one thread.
public final class FontFace {
  private var library: FT_Library?
  private var face: FT_Face?
  /// As it was given, for messages.
  public let path: String

  /// Throws `PictureError` when the file is missing or no font.
  public init(path: String) throws {
    self.path = path
    guard FT_Init_FreeType(&library) == 0 else { throw PictureError(path, "FreeType does not start") }
    guard FT_New_Face(library, path, 0, &face) == 0 else {
      throw PictureError(path, "cannot be read as a font; install it again")
    }
  }

  deinit {
    if let face { FT_Done_Face(face) }
    FT_Done_FreeType(library)
  }

  /// The colour bitmap of one character, in the largest size that the font holds; nil where it has none.
  public func colourBitmap(of scalar: Unicode.Scalar) -> Picture? {
    guard let face, face.pointee.num_fixed_sizes > 0, FT_Get_Char_Index(face, FT_ULong(scalar.value)) != 0,
      FT_Select_Size(face, 0) == 0, FT_Load_Char(face, FT_ULong(scalar.value), vugen_ft_load_colour()) == 0,
      let slot = face.pointee.glyph
    else { return nil }
    var bitmap = slot.pointee.bitmap
    guard vugen_ft_is_bgra(&bitmap) != 0, bitmap.width > 0, bitmap.rows > 0 else { return nil }
    return Self.unpremultiplied(bitmap)
  }

  /// FreeType gives premultiplied BGRA.
  private static func unpremultiplied(_ bitmap: FT_Bitmap) -> Picture {
    let width = Int(bitmap.width), height = Int(bitmap.rows)
    var pixels = [UInt8](repeating: 0, count: width * height * 4)
    for y in 0..<height {
      for x in 0..<width {
        let from = y * Int(bitmap.pitch) + 4 * x, to = (y * width + x) * 4
        let alpha = Int(bitmap.buffer[from + 3])
        guard alpha > 0 else { continue }
        for c in 0..<3 { pixels[to + c] = UInt8(min(255, Int(bitmap.buffer[from + 2 - c]) * 255 / alpha)) }
        pixels[to + 3] = UInt8(alpha)
      }
    }
    return Picture(width: width, height: height, pixels: pixels)
  }

  /// Draws one line of text and returns the pen's place behind it.
  ///
  /// - Parameters:
  ///   - x, y: the pen on the baseline, in pixels.
  ///   - size: the em in pixels.
  ///   - colour: RGB.
  @discardableResult
  public func draw(
    _ text: String, into picture: inout Picture, x: Int, y: Int, size: Int, colour: (UInt8, UInt8, UInt8)
  ) -> Int {
    guard let face, FT_Set_Pixel_Sizes(face, 0, FT_UInt(size)) == 0 else { return x }
    var pen = x
    for scalar in text.unicodeScalars {
      guard FT_Load_Char(face, FT_ULong(scalar.value), vugen_ft_load_grey()) == 0,
        let slot = face.pointee.glyph
      else { continue }
      var bitmap = slot.pointee.bitmap
      if vugen_ft_is_grey(&bitmap) != 0 {
        let left = pen + Int(slot.pointee.bitmap_left), top = y - Int(slot.pointee.bitmap_top)
        Self.blend(bitmap, into: &picture, left: left, top: top, colour)
      }
      pen += slot.pointee.advance.x >> 6
    }
    return pen
  }

  private static func blend(
    _ bitmap: FT_Bitmap, into picture: inout Picture, left: Int, top: Int, _ colour: (UInt8, UInt8, UInt8)
  ) {
    let ink = [colour.0, colour.1, colour.2]
    for row in 0..<Int(bitmap.rows) where (0..<picture.height).contains(top + row) {
      for column in 0..<Int(bitmap.width) where (0..<picture.width).contains(left + column) {
        let cover = Int(bitmap.buffer[row * Int(bitmap.pitch) + column])
        let at = ((top + row) * picture.width + left + column) * 4
        for c in 0..<3 {
          picture.pixels[at + c] = Picture.mixed(ink[c], over: picture.pixels[at + c], alpha: cover)
        }
        picture.pixels[at + 3] = 255
      }
    }
  }

  /// A font for labels, the first that is found. Throws `PictureError` naming a package that has one.
  public static func forLabels() throws -> FontFace {
    let fonts = "/usr/share/fonts/truetype"
    let candidates = [
      "dejavu/DejaVuSans.ttf", "noto/NotoSans-Regular.ttf", "liberation/LiberationSans-Regular.ttf",
      "noto/NotoMono-Regular.ttf", "freefont/FreeSans.ttf",
    ]
    for name in candidates where FileManager.default.fileExists(atPath: "\(fonts)/\(name)") {
      return try FontFace(path: "\(fonts)/\(name)")
    }
    throw PictureError(fonts, "no font for labels is here; run: apt-get install fonts-dejavu-core")
  }
}
