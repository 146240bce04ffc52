import Foundation
import ModelFiles
import Pictures
import Tensors
import TestSupport
import Testing

/// Files and folders as a person names them.
struct PictureListTests {
  @Test func whatCannotBeReadStandsInItsPlace() throws {
    let base = try temporaryFolder(), manager = FileManager.default
    for name in ["full", "empty"] {
      try manager.createDirectory(atPath: "\(base)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["full/b.png", "full/a.jpg", "full/notes.txt", "one.webp"] {
      #expect(manager.createFile(atPath: "\(base)/\(name)", contents: nil))
    }
    #expect(mkfifo(base + "/full/pipe.png", 0o600) == 0)
    let list = try PictureList([
      base + "/one.webp", base + "/nothing.png", base + "/full", base + "/empty", "-",
    ])
    #expect(
      list.entries.map { $0.path.replacing(base + "/", with: "") } == [
        "one.webp", "nothing.png", "full/a.jpg", "full/b.png", "full/pipe.png", "-",
      ])
    #expect(list.entries.map { $0.obstacle == nil } == [true, false, true, true, false, true])
    #expect(list.entries[1].obstacle?.description == base + "/nothing.png: no such file or folder")
    #expect(list.empty == [base + "/empty"])
  }

  @Test func picturesAreShrunkAndNeverGrown() {
    let picture = Picture(width: 300, height: 20, red: 1, green: 2, blue: 3)
    let small = picture.fitted(100), thin = picture.fitted(10)
    #expect(small.width == 100 && small.height == 6 && thin.width == 10 && thin.height == 1)
    #expect(picture.fitted(300) == picture && picture.fitted(.max) == picture)
  }
}

/// The files that `make_pictures.py` wrote, and what they hold.
struct PictureFixtures {
  let folder: String
  let file: SafetensorsFile

  init() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    folder = url.path
    file = try SafetensorsFile(path: folder + "/pictures.safetensors")
  }

  func picture(_ name: String) throws -> Picture {
    let shape = try #require(file.header.entries[name]).shape
    return try file.withBytes(of: name) { Picture(width: shape[1], height: shape[0], pixels: Array($0)) }
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
  }

  func names(_ suffix: String) -> [String] { file.names.filter { $0.hasSuffix(suffix) } }
}

/// The largest difference of any channel.
func difference(_ a: Picture, _ b: Picture) -> Int {
  guard a.width == b.width, a.height == b.height else { return 256 }
  return zip(a.pixels, b.pixels).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
}

struct PictureTests {
  @Test func readsEveryKindOfPNG() throws {
    let fixtures = try PictureFixtures(), names = fixtures.names(".png")
    #expect(names.count >= 32)
    for name in names {
      let found = try Picture(path: fixtures.folder + "/" + name)
      #expect(difference(found, try fixtures.picture(name)) == 0, "\(name)")
    }
  }

  @Test func readsJPEGUprightAndWebP() throws {
    let fixtures = try PictureFixtures()
    for name in fixtures.names(".jpg") {
      // Decoders differ in the last bits of the cosine transform and in upsampling.
      let found = try Picture(path: fixtures.folder + "/" + name)
      #expect(difference(found, try fixtures.picture(name)) <= 3, "\(name)")
    }
    for name in fixtures.names(".webp") {
      let found = try Picture(path: fixtures.folder + "/" + name)
      #expect(difference(found, try fixtures.picture(name)) == 0, "\(name)")
    }
  }

  @Test func resizesLikePillow() throws {
    let fixtures = try PictureFixtures()
    var compared = 0
    for source in ["resize.photo", "resize.clear", "resize.one"] {
      let picture = try fixtures.picture(source)
      for name in fixtures.file.names where name.hasPrefix(source + ".") {
        let expected = try fixtures.picture(name)
        let found = picture.resizedBicubic(width: expected.width, height: expected.height)
        // Where hardly anything is seen, dividing by alpha turns one level into many.
        let limit = 1
        for i in stride(from: 0, to: expected.pixels.count, by: 4) {
          let alpha = Int(expected.pixels[i + 3])
          for c in 0..<4 {
            let off = abs(Int(found.pixels[i + c]) - Int(expected.pixels[i + c]))
            let seen = c == 3 ? off : off * alpha / 255
            #expect(seen <= limit, "\(name): channel \(c) off by \(off) at alpha \(alpha)")
          }
        }
        compared += 1
      }
    }
    #expect(compared == 17)
  }

  @Test func pngKeepsPixelsAndTexts() throws {
    let picture = try PictureFixtures().picture("resize.clear")
    let texts = [
      PNGText("parameters", "a red apple\nSteps: 50, Seed: 7"),
      PNGText("vugen", "{\"prompt\":\"ein grüner Apfel 🍏\"}"),
      PNGText("empty", ""),
    ]
    let bytes = try picture.pngData(texts: texts)
    #expect(try Picture(bytes: bytes, name: "memory") == picture)
    #expect(Picture.texts(bytes: bytes) == texts)
    let opaque = Picture(width: 3, height: 2, red: 1, green: 2, blue: 3)
    #expect(try Picture(bytes: opaque.pngData(), name: "memory") == opaque)
    #expect(throws: PictureError.self) { try picture.pngData(texts: [PNGText("", "x")]) }
  }

  @Test func jpegComesBackAlmostTheSame() throws {
    let picture = try PictureFixtures().picture("plain.jpg")
    let again = try Picture(bytes: picture.jpegData(quality: 100), name: "memory")
    #expect(difference(again, picture) <= 12)
    let mean = zip(again.pixels, picture.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    #expect(Double(mean) / Double(picture.pixels.count) < 1)
  }

  @Test func refusesWhatIsTooLargeOrNoPicture() throws {
    let fixtures = try PictureFixtures(), bytes = try fixtures.bytes("plain.jpg")
    func reason(_ bytes: [UInt8], _ limits: Picture.Limits = .init()) -> String? {
      do { _ = try Picture(bytes: bytes, name: "here.jpg", limits: limits) } catch { return "\(error)" }
      return nil
    }
    #expect(reason(bytes, .init(pixels: 100))?.contains("more than the limit") == true)
    #expect(reason(bytes, .init(fileBytes: 100))?.contains("more than the limit") == true)
    #expect(reason([]) == "here.jpg: the file is empty")
    #expect(reason(Array("a text".utf8))?.contains("not a picture of a known kind (PNG, JPEG") == true)
    // A PNG header that promises 100 000 × 100 000 pixels costs nothing.
    var bomb = try fixtures.bytes("grey8.png")
    bomb.replaceSubrange(16..<24, with: [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0])
    #expect(reason(bomb) != nil)
    #expect(throws: PictureError.self) { try Picture(path: fixtures.folder) }
    #expect(throws: PictureError.self) { try Picture(path: fixtures.folder + "/not-here.png") }
    #expect(throws: PictureError.self) { try Picture(path: "/dev/zero") }
  }
}
