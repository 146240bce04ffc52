import Foundation
import Pictures
import Tensors
import Testing
import VUGEN

/// Twenty of Debian's stamps as the encoder is given them, against Pillow (`make_stamps.py`).
struct StampTests {
  private struct Stamp: Decodable {
    let path: String
    let columns, rows: Int
  }

  @Test func twentyRealPicturesAreThoseOfPillow() throws {
    let folder = try fixtures() + "/stamps"
    let json = try Data(contentsOf: URL(fileURLWithPath: folder + "/stamps.json"))
    let stamps = try JSONDecoder().decode([Stamp].self, from: json)
    #expect(stamps.count == 20)
    var vision = VisionConfiguration()
    // From tuxpaint-stamps-default, which `make test` installs; its versions move and drop some.
    let there = stamps.enumerated().filter { FileManager.default.fileExists(atPath: $1.path) }
    #expect(there.count >= 15)
    for (i, stamp) in there {
      let picture = try Picture(path: stamp.path)
      vision.imageSize = 56
      let most = 4, grid = TileGrid.best(width: picture.width, height: picture.height, tile: 56, most: most)
      #expect(grid == TileGrid(columns: stamp.columns, rows: stamp.rows), "\(stamp.path)")
      let tiles = vision.tiles(of: picture, .thumbnailAndTiles(most: most))
      let expected = try Picture(path: "\(folder)/\(i).png")
      #expect(try difference(tiles, expected, stamp.path) < 1.01, "\(stamp.path)")
      let single = vision.tiles(of: picture)
      #expect(single.toArray() == tiles.sliced(0..<1).toArray())
      if i % 5 == 0 {
        vision.imageSize = 448
        let large = try Picture(path: "\(folder)/\(i)-448.png")
        #expect(try difference(vision.tiles(of: picture), large, stamp.path) < 1.01, "\(stamp.path)")
      }
    }
  }

  /// The largest difference in levels of 255.
  private func difference(_ tiles: Tensor, _ expected: Picture, _ name: String) throws -> Float {
    let found = tiles.toArray().map { ($0 + 1) * 127.5 }, wanted = expected.rgb().map(Float.init)
    try #require(found.count == wanted.count, "\(name)")
    return zip(found, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}
