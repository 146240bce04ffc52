import Foundation
import Pictures
import TestSupport
import Testing

/// A file's own size, from its head or from all of it.
@Suite struct PictureSizeTests {
  @Test(arguments: [WrittenFormat.png, .jpeg, .webp]) func aFilesSizeIsItsOwn(_ format: WrittenFormat) throws
  {
    let picture = Picture(width: 700, height: 180, red: 9, green: 99, blue: 200), path = temporaryPath()
    try Data(picture.data(format)).write(to: URL(fileURLWithPath: path))
    let size = try #require(Picture.size(at: path))
    #expect(size == (700, 180))
    try Data("no picture".utf8).write(to: URL(fileURLWithPath: path))
    #expect(Picture.size(at: path) == nil)
  }
}
