import DataSets
import Foundation
import ModelFiles
import Pictures
import Recipes
import TestSupport
import Testing

/// How pictures of any shape become the square ones that are trained on.
@Suite struct FramingTests {
  /// A third each of red, green and blue, from left to right, or from the top down.
  private func thirds(isTall: Bool = false) -> Picture {
    let rgb = (0..<48 * 16).flatMap { i -> [UInt8] in
      let part = (isTall ? i / 16 : i % 48) / 16
      return (0..<3).map { $0 == part ? 255 : 0 }
    }
    return Picture(width: isTall ? 16 : 48, height: isTall ? 48 : 16, rgb: rgb)
  }

  /// The colours in its four corners.
  private func corners(_ picture: Picture) -> [[UInt8]] {
    let rgb = picture.rgb(), last = picture.width - 1
    return [(0, 0), (last, 0), (0, last), (last, last)].map { x, y in
      Array(rgb[(y * picture.width + x) * 3..<(y * picture.width + x) * 3 + 3])
    }
  }

  private let red: [UInt8] = [255, 0, 0], green: [UInt8] = [0, 255, 0], blue: [UInt8] = [0, 0, 255]

  @Test func theMiddleIsTakenOrAllOfIt() {
    for isTall in [false, true] {
      let picture = thirds(isTall: isTall)
      let center = Framing(flip: false).framed(picture, side: 16, number: 0, caption: "")
      #expect(corners(center) == [green, green, green, green])
      let all = Framing(crop: .squash, flip: false).framed(picture, side: 16, number: 0, caption: "")
      #expect(corners(all) == (isTall ? [red, red, blue, blue] : [red, blue, red, blue]))
      #expect((all.width, all.height) == (16, 16))
    }
    // What is no larger than a pixel is a picture, too.
    for (width, height) in [(1, 1), (1, 5000), (5000, 1)] {
      for crop in PictureCrop.allCases {
        let dot = Picture(width: width, height: height, red: 9, green: 8, blue: 7)
        let framed = Framing(crop: crop, cropFrom: 0.001).framed(dot, side: 8, number: 3, caption: "")
        #expect(framed == Picture(width: 8, height: 8, red: 9, green: 8, blue: 7))
      }
    }
  }

  @Test func randomSquaresLieInsideAndVary() {
    let framing = Framing(crop: .random, cropFrom: 0.5, flip: false)
    for draws in [[0.0, 0, 0], [0.9999999, 0.9999999, 0.9999999], [0, 0.9999999, 0.3], [0.5, 0.5, 0.5]] {
      for (width, height) in [(640, 480), (3, 2000), (1, 1), (7, 7)] {
        let (x, y, side) = framing.square(of: width, height, draws)
        #expect(x >= 0 && y >= 0 && x + side <= width && y + side <= height)
        #expect(side >= 1 && Double(side) >= 0.5 * Double(min(width, height)) - 0.5)
      }
    }
    #expect(framing.square(of: 640, 480, [0, 0, 0]) == (0, 0, 240))
    #expect(framing.square(of: 640, 480, [0, 0.9999999, 0.9999999]) == (400, 240, 240))
    #expect(Framing().square(of: 640, 480, [0, 0, 0]) == (80, 0, 480))
    // Another part for another example, the same for the same.
    let picture = thirds()
    func parts() -> [Picture] {
      (0..<40).map { framing.framed(picture, side: 16, number: $0, caption: "") }
    }
    #expect(Set(parts().map { corners($0)[0] }).isSuperset(of: [red, green]) && parts() == parts())
  }

  @Test func halfAreMirroredUnlessSidesAreNamed() {
    let picture = thirds()
    func mirrored(_ framing: Framing, _ caption: String) -> Int {
      (0..<200).filter {
        corners(framing.framed(picture, side: 16, number: $0, caption: caption))[0] == blue
      }.count
    }
    let squashed = Framing(crop: .squash)
    #expect((70...130).contains(mirrored(squashed, "three colours, alright")))
    #expect(mirrored(squashed, "Red is LEFT.") == 0 && mirrored(squashed, "blue, right of green") == 0)
    #expect(mirrored(Framing(crop: .squash, flip: false), "three colours") == 0)
  }

  private func source(_ shards: String, _ framing: Framing) throws -> ExampleSource {
    try ExampleSource(
      shards: shards, seed: 3, wideShare: 0, framing: framing, side: 16, mostSkipped: 0, folder: nil
    ) { throw DataSetError("", "no cut-outs are needed") }
  }

  /// Photographs in shards are framed; scenes, of which it is known where their things are, are as they were composed.
  @Test func photographsAreFramedAndScenesAreNot() throws {
    let folder = try temporaryFolder(), scenes = try temporaryFolder()
    let png = try thirds().pngData()
    try Shards.write(
      (0..<2).map { Sample(key: "\($0)", picture: png, pictureType: "png", caption: "colours", record: []) },
      to: folder + "/any.tar")
    let photographs = try source(folder, Framing(flip: false))
    #expect(try corners(photographs.example(0, side: 16).picture) == [green, green, green, green])
    let views = try source(folder, Framing(crop: .squash))
    let seen = try Set((0..<40).map { try corners(views.example($0, side: 16).picture)[0] })
    #expect(seen == [red, blue])

    let composer = SceneComposer(try curatedCutOuts.get(), seed: 5, size: 16)
    try SceneShardBuilder(composer).write([(.train, 4)], to: scenes)
    let stored = try source(scenes, Framing(crop: .random))
    let composed = Set((0..<4).map { composer.scene($0, .train).picture.rgb() })
    #expect(try Set((0..<12).map { try stored.example($0, side: 16).picture.rgb() }) == composed)
  }

  /// A run from before pictures were cropped, and before some were held out, goes on as it began.
  @Test func olderRecipesSquash() throws {
    let file = temporaryPath(".toml")
    let text = try RecipeFile.text(of: DecoderRecipe()).split(separator: "\n").filter {
      ![
        "crop", "cropFrom", "flip", "validation", "sources", "weights", "textKey", "jsonKey", "classNames",
        "template",
      ].contains($0.prefix { $0 != " " })
    }
    #expect(text.count > 10)
    try text.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let older = try RecipeFile.merged(DecoderRecipe.ofOlderRuns, file: file)
    #expect(older.data.crop == .squash && !older.data.flip && older.data.validation == "0")
    var now = DecoderRecipe()
    #expect(now.data.crop == .center && now.data.flip && now != older)
    (now.data.crop, now.data.flip, now.data.validation) = (.squash, false, "0")
    #expect(now == older)
  }
}
