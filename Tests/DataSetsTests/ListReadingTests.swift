import DataSets
import Files
import Foundation
import Pictures
import TestSupport
import Testing

/// Which pictures the names in a list mean, where there are several places that they may be taken from.
@Suite struct ListReadingTests {
  private let place: String

  init() throws { place = try temporaryFolder() }

  private func put(_ names: String...) throws {
    let png = Data(try Picture(width: 4, height: 4, red: 1, green: 2, blue: 3).pngData())
    for name in names {
      try FileName.makeFolder(FileName.parent(of: "\(place)/\(name)"))
      try png.write(to: URL(fileURLWithPath: "\(place)/\(name)"))
    }
  }

  private func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(place)/\(name)"))
    return "\(place)/\(name)"
  }

  /// Paths from the place, and captions.
  private func shown(_ found: FolderImport.Found) -> [String] {
    found.pairs.map { "\($0.path.dropFirst(place.count + 1)): \($0.caption)" }
  }

  /// A folder with one of its own name below it: each name is there from two places, and all from one only.
  @Test func aListIsReadFromOnePlace() throws {
    try put("pics/1.png", "pics/pics/1.png")
    let list = try write("pics/1.png\tone\npics/pics/1.png\ttwo\n", "l.txt")
    let found = try FolderImport.pairs(in: place + "/pics", list: list)
    #expect(shown(found) == ["pics/1.png: one", "pics/pics/1.png: two"] && found.outside.isEmpty, "\(found)")
    #expect(found.unnamed.isEmpty)
  }

  /// A name that the folder has as well, below, means what the others of its list mean; what lies outside is told.
  @Test func noNameIsReadFromAnotherPlaceThanTheRest() throws {
    try put("train/2.png", "train/val/1.png", "val/1.png")
    let list = try write("file,caption\ntrain/2.png,two\nval/1.png,one\n", "list.csv")
    let found = try FolderImport.pairs(in: place + "/train", list: list)
    #expect(shown(found) == ["train/2.png: two", "val/1.png: one"], "\(found)")
    #expect(found.outside == [place + "/val/1.png"] && found.unnamed == [place + "/train/val/1.png"])
    // One that is there from elsewhere alone is missing.
    try put("train/own.png", "train/other.png", "out.png")
    let own = try write("own.png,a\nother.png,b\nout.png,c\n", "own.csv")
    let rest = try FolderImport.pairs(in: place + "/train", list: own)
    #expect(
      shown(rest) == ["train/own.png: a", "train/other.png: b"] && rest.missing == ["out.png"], "\(rest)")
  }

  @Test func whatMayMeanEitherIsRefused() throws {
    try put("pics/1.png", "pics/pics/1.png")
    let list = try write("pics/1.png\tone\n", "l.txt")
    let error = #expect(throws: DataSetError.self) {
      try FolderImport.pairs(in: place + "/pics", list: list)
    }
    #expect(
      error?.description.hasPrefix("\(list): its names may be taken from ") == true
        && error?.reason.contains("'pics/1.png': write them in full") == true, "\(error as Any)")
    let whole = try write("\(place)/pics/1.png\tone\n", "l.txt")
    #expect(try shown(FolderImport.pairs(in: place + "/pics", list: whole)) == ["pics/1.png: one"])
    // A list among the pictures, too.
    let brought = try write("file,caption\npics/1.png,one\n", "pics/metadata.csv")
    let refused = #expect(throws: DataSetError.self) { try FolderImport.pairs(in: place + "/pics") }
    #expect(refused?.reason.contains("\(brought): its names may be taken") == true, "\(refused as Any)")
  }

  /// Where other pictures of the same names lie beside the list, those of the folder are meant.
  @Test func picturesOfTheFolderComeFirst() throws {
    try put("0.png", "photos/0.png")
    let list = try write("file,caption\n0.png,zero\n", "list.csv")
    let found = try FolderImport.pairs(in: place + "/photos", list: list)
    #expect(shown(found) == ["photos/0.png: zero"] && found.outside.isEmpty, "\(found)")
  }

  /// What `caption FOLDER -o FOLDER/metadata.csv` writes names the pictures from where the folder lies.
  @Test func aListMayNameItsOwnFolder() throws {
    try put("pics/x.png", "pics/y.png", "pics/sub/z.png")
    _ = try write("file,caption\npics/x.png,x\n./pics/y.png,y\n", "pics/metadata.csv")
    _ = try write("{\"file\":\"pics/sub/z.png\",\"caption\":\"z\"}\n", "pics/sub/metadata.jsonl")
    let found = try FolderImport.pairs(in: place + "/pics")
    #expect(
      shown(found).sorted() == ["pics/sub/z.png: z", "pics/x.png: x", "pics/y.png: y"]
        && found.missing.isEmpty && found.elsewhere.isEmpty, "\(found)")
    let named = try FolderImport.pairs(in: place + "/pics", list: place + "/pics/metadata.csv")
    #expect(named.pairs.map(\.caption) == ["x", "y"], "\(named)")
    // One whose names fit nowhere is named, with the first of them.
    let list = try write("file,caption\nelse/x.png,x\n", "pics/metadata.csv")
    FileName.remove(place + "/pics/sub/metadata.jsonl")
    let error = #expect(throws: DataSetError.self) { try FolderImport.pairs(in: place + "/pics") }
    #expect(
      error?.description.hasPrefix("\(list): none of the pictures that it names is there") == true
        && error?.reason.contains("'else/x.png'") == true, "\(error as Any)")
  }

  /// A text beside a picture that is a list of this program's is read as one.
  @Test(arguments: [
    ("a.png\ta cat\n", "a cat"), ("in/a.png\t\"a \"\"cat\"\"\"\n", "a \"cat\""),
    ("b.png\ta dog\nin/a.png\ta cat\n", "a cat"), ("a.png: a cat\n", "a cat"), ("in/a.png: a: cat", "a: cat"),
    ("a cat\tsits\n", "a cat\tsits"), ("b.png: a dog", "b.png: a dog"), ("b.png\ta dog", "b.png\ta dog"),
    ("a.png\ta\tcat", "a.png\ta\tcat"),
  ])
  func aTextMayBeAListOfOurs(_ text: String, _ caption: String) throws {
    try put("in/a.png")
    _ = try write(text, "in/a.txt")
    #expect(try FolderImport.pairs(in: place + "/in").pairs.map(\.caption) == [caption])
  }
}
