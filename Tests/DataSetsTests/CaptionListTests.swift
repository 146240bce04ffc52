import DataSets
import Files
import Foundation
import Pictures
import TestSupport
import Tensors
import Testing

/// Lists of captions and texts beside pictures, as other programs write them.
@Suite struct CaptionListTests {
  private let folder: String

  init() throws {
    folder = try temporaryFolder()
    try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
    let png = Data(try Picture(width: 4, height: 4, red: 1, green: 2, blue: 3).pngData())
    for name in ["a.png", "b, c.png", "sub/d.png"] {
      try png.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
  }

  private func found(_ bytes: [UInt8], _ name: String = "list.csv", mostBad: Double = 0.01) throws
    -> FolderImport.Found
  {
    let list = folder + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: list))
    return try FolderImport.pairs(in: folder, list: list, mostBad: mostBad)
  }

  /// Names without the folder, and captions.
  private func pairs(_ bytes: [UInt8]) throws -> [String] {
    try found(bytes).pairs.map { "\($0.path.dropFirst(folder.count + 1)): \($0.caption)" }
  }

  private static func utf16(_ text: String, bigEndian: Bool, mark: Bool = true) -> [UInt8] {
    (mark ? [0xFEFF] : []).appending(Array(text.utf16)).flatMap {
      bigEndian ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)]
    }
  }

  private static let plain = "file,caption\na.png,a cat\nsub/d.png,süß\n"
  private static let marked: [[UInt8]] = [
    Array(plain.utf8), [0xEF, 0xBB, 0xBF] + Array(plain.utf8), utf16(plain, bigEndian: false),
    utf16(plain, bigEndian: true), utf16(plain, bigEndian: false, mark: false),
    utf16(plain, bigEndian: true, mark: false),
    [0xFF, 0xFE, 0, 0]
      + plain.unicodeScalars.flatMap { [UInt8($0.value & 255), UInt8($0.value >> 8), 0, 0] },
  ]

  @Test(arguments: marked)
  func encodingsAreRecognised(_ bytes: [UInt8]) throws {
    #expect(try pairs(bytes) == ["a.png: a cat", "sub/d.png: süß"])
  }

  @Test(arguments: [
    "file;caption\na.png;a cat\nsub/d.png;a dog\n", "FILE\tCaption\r\na.png\ta cat\r\nsub/d.png\ta dog",
    "caption|id|image_path\ra cat|1|a.png\ra dog|2|sub/d.png\r",
    "\n\n Text , File Name \na cat,a.png\n\n a dog , sub/d.png \n,\n",
    "a.png,a cat\nsub/d.png,a dog\n", "a cat;a.png\na dog;sub/d.png",
    "file,caption,\na.png,\"a cat\" ,\nsub\\d.png, \"a dog\",,\n",
    "[{\"image\": \"a.png\", \"caption\": \"a cat\"}, {\"image\": \"sub/d.png\", \"caption\": \"a dog\"}]",
    "{\"file\":\"a.png\",\"caption\":\"a cat\"}\r\n{\"file\":\"sub/d.png\",\"text\":\"a dog\"}\r\n",
    "\n{\"file_name\":\"a.png\",\"text\":\"a cat\"}\n\n{\"file\":\"x.png\",\"error\":\"no\"}\n{\"path\":\"sub/d.png\",\"prompt\":\"a dog\"}\n   \n",
  ])
  func formsAreRecognised(_ text: String) throws {
    #expect(try pairs(Array(text.utf8)) == ["a.png: a cat", "sub/d.png: a dog"], "\(text)")
  }

  @Test func valuesKeepWhatStandsInQuotes() throws {
    let text = "caption;file\n\"one; \"\"two\"\",\nthree\";\"b, c.png\"\n\"e\u{301}\u{200D},\u{301}\";a.png\n"
    #expect(
      try pairs(Array(text.utf8)) == ["b, c.png: one; \"two\",\nthree", "a.png: e\u{301}\u{200D},\u{301}"])
    #expect(try pairs(Array("b, c.png\tone, \"two\"\n".utf8)) == ["b, c.png: one, \"two\""])
    let several = "{\"file\": \"a.png\", \"captions\": [\"one\", \"two\"]}"
    #expect(try pairs(Array(several.utf8)) == ["a.png: one", "a.png: two"])
  }

  @Test(arguments: [
    (
      "file,caption\na.png,a cat\nsub/d.png,\"a dog\nx,y\n",
      "line 3: the quote that is opened here is never closed"
    ),
    ("file,caption\n\na.png,\"a\" cat\n", "line 3: text stands behind a closing quote"),
    ("file,caption\r\na.png,a cat, sitting\r\n", "line 2 has 3 columns and the first line 2"),
    ("file;id;caption\n\"a.png\";\"x\ny\";b\na.png;1\n", "line 4 has 2 columns"),
    ("a.png,a cat, sitting\n", "line 1 has 3 columns and no line names them"),
    ("a.png,a cat,,\na.png,a cat, sitting\n", "line 2 has 3 columns and the first line 2"),
    (
      "bild;beschreibung\n\"a.png\";\"a cat\"\n\"sub/d.png\";\"a\" dog\n",
      "its columns 'bild,beschreibung' are not recognised; name them file and caption in its first line"
    ),
    ("bild,text\n\"a.png\",\"a\" cat\n", "its columns 'bild,text' are not recognised"),
    ("file,caption\n,a cat\n", "line 2 names no picture"), ("file,words\na.png,a cat\n", "'file,words'"),
    ("file,caption\n", "names no pictures"), ("\n\n", "names no picture"), ("", "names no picture"),
    ("{\"file\":\"a.png\",\"caption\":\"x\"}\r\n\r\n{\"file\":\"a.png\"}\r\n", "line 3 has no caption"),
    ("{\"caption\":\"x\"}\n", "line 1 names no picture"),
    ("\n{\"file\":\"a.png\",\"caption\":\"x\"\n", "line 2 is no"),
    ("[{\"file\":\"a.png\"}]", "entry 1 has no caption"), ("[1", "is not JSON from line 1 on"),
    ("[{\"file\":\"a.png\"},\n\n{oops}]", "is not JSON from line 3 on"),
    (
      "{\n \"images\": [{\"file_name\": \"a.png\"}],\n \"annotations\": []\n}",
      "is one JSON object and no list"
    ),
    ("{\"data\": [{\"file\": \"a.png\", \"caption\": \"x\"}]}", "or JSON lines such as {\"file\""),
    ("file,caption\na.png,a c\0at\n", "line 2 holds a zero byte; take it out: tr -d '\\000'"),
    ("file,caption\ngone.png,a cat\n", "of the 1 pictures that it names none is in"),
    ("file,caption\na.png,\n", "all captions are empty"),
  ])
  func mistakesAreNamedWithTheirLine(_ text: String, _ words: String) throws {
    let error = #expect(throws: DataSetError.self) {
      try found(Array(text.utf8), mostBad: 0)
    }
    #expect(
      error?.description.contains(words) == true && error?.description.contains("\n") == false,
      "\(error as Any)")
  }

  /// Python writes numbers that JSON has not; what they stand for means nothing here.
  @Test(arguments: [
    "[{\"file\":\"a.png\",\"caption\":\"NaN\",\"score\":NaN},\n{\"file\":\"sub/d.png\",\"caption\":\"b\",\"x\":[-Infinity,Infinity]}]",
    "{\"file\":\"a.png\",\"caption\":\"NaN\",\"score\":NaN}\n{\"file\":\"sub/d.png\",\"caption\":\"b\",\"x\":-Infinity}\n",
  ])
  func numbersOfPythonAreRead(_ text: String) throws {
    #expect(try pairs(Array(text.utf8)) == ["a.png: NaN", "sub/d.png: b"])
  }

  /// JSON that is one document: a list, a picture alone, captions by their pictures' names.
  @Test(arguments: [
    "[\n {\"file\": \"a.png\", \"caption\": \"x\"},\n {\"file\": \"sub/d.png\", \"caption\": \"y\"}\n]",
    "{\n \"sub/d.png\": \"y\",\n \"a.png\": \"x\"\n}",
  ])
  func wholeDocumentsAreRead(_ text: String) throws {
    #expect(try pairs(Array(text.utf8)) == ["a.png: x", "sub/d.png: y"])
    #expect(try pairs(Array("{\n\"file\": \"a.png\",\n\"caption\": \"x\"}\n".utf8)) == ["a.png: x"])
  }

  /// Whatever is written is read again as it was.
  @Test func whatIsWrittenIsRead() throws {
    let captions = [
      "\"Stop\" on a sign", "=1+1", "one, two; three | four", " a cat ", "it's \"a\", b", "-5 @home +",
    ].map { $0.trimmingCharacters(in: .whitespaces) }
    for ending in ["csv", "tsv", "txt", "jsonl"] {
      for caption in captions {
        let entries = try ["a.png", "b, c.png"].map { name in
          let line = try JSONEncoder().encode(["file": name, "caption": caption])
          return CaptionFile.Entry(file: name, caption: caption, line: String(decoding: line, as: UTF8.self))
        }
        let file = try #require(CaptionFile(path: "list." + ending))
        let bytes = entries.map(file.bytes).reduce(file.head, +)
        let all = try found([UInt8](bytes), "list." + ending)
        #expect(
          all.pairs.map(\.caption) == [caption, caption] && all.badLines == [], "\(ending) \(caption) \(all)")
      }
    }
  }

  private static let oddNames: [String] = [
    "a b.png", "a\tb.png", "a\nb.png", "a\rb.png", "a\r\nb.png", "\"a\".png", "a, b.png", "a.png, b.png",
    "a;b|c.png", " a.png", "-a.png", "=a.png", "a\\b.png", "a\\x09b.png", "a\\x5Cx09b.png", "a\\xE9.png",
    "a\\x5CxE9.png", "\u{E9}.png", "e\u{301}.png", "a\u{2028}b.png", "\u{1B}[2J.png", "\u{FEFF}a.png",
    "#a.png",
    "{a}.png", "[a].png", "\u{A0}{a}.png", "NaN.png",
  ]
  /// Bytes that are no UTF-8, and one before a letter that joins it.
  private static let oddBytes: [[UInt8]] = [[0x61, 0xE9], [0xE9, 0xCC, 0x81]]

  /// Whatever a file is called, and whatever lies beside it: each of them is the first once, from which columns are known.
  @Test(arguments: ["csv", "tsv", "txt", "jsonl"]) func namesAreReadAsTheyWere(_ ending: String) throws {
    let place = try temporaryFolder()
    let names = Self.oddNames + Self.oddBytes.map { FileName.text($0 + Array(".png".utf8)) }
    let picture = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.png"))
    for name in names {
      #expect(!FileName.isTaken("\(place)/\(name)"), "\(name)")
      try AtomicFile.write(picture, to: "\(place)/\(name)")
    }
    let list = place + "/metadata." + ending, file = try #require(CaptionFile(path: list))
    for first in names.indices {
      let turned = names[first...] + names[..<first]
      let entries = try turned.map { name in
        let line = try JSONText.namedLine(["file": name, "caption": "as \(number(name))"])
        return CaptionFile.Entry(file: name, caption: "as \(number(name))", line: line)
      }
      try AtomicFile.write(entries.map(file.bytes).reduce(file.head, +), to: list)
      let all = try FolderImport.pairs(in: place, list: list)
      #expect(all.missing.isEmpty && all.badLines.isEmpty && all.unnamed.isEmpty, "\(ending): \(all)")
      let paths = all.pairs.map { FileName.bytes($0.path) }
      #expect(paths == turned.map { FileName.bytes("\(place)/\($0)") }, "\(ending): \(names[first])")
      #expect(all.pairs.map(\.caption) == turned.map { "as \(number($0))" }, "\(ending): \(names[first])")
    }
    guard ["csv", "jsonl"].contains(ending) else { return }
    // The same where nobody named the list.
    let brought = try FolderImport.pairs(in: place)
    #expect(brought.pairs.count == names.count && brought.unnamed.isEmpty, "\(ending): \(brought)")
    for pair in brought.pairs { #expect(pair.caption == "as \(number(FileName.last(of: pair.path)))") }
  }

  /// A number of a name's own: by its bytes, as texts are equal where letters look alike.
  private func number(_ name: String) -> String {
    FileName.bytes(name).map { "\($0)" }.joined(separator: "-")
  }

  /// A line that says nothing of a picture takes no other with it.
  @Test(arguments: [
    (
      "{\"file\":\"a.png\",\"text\":\"x\"}\noops\n{\"file\":\"sub/d.png\",\"text\":\"y\"}\n",
      "line 2 is not JSON"
    ),
    (
      "oops\n{\"file\":\"a.png\",\"text\":\"x\"}\n{\"file\":\"sub/d.png\",\"text\":\"y\"}\n",
      "line 1 is not JSON"
    ),
    (
      "[1]\n{\"file\":\"a.png\",\"text\":\"x\"}\n{\"file\":\"sub/d.png\",\"text\":\"y\"}\n",
      "line 1 is no {\"file\""
    ),
    (
      "{\"file\":\"a.png\",\"text\":\"x\"}\n{\"file\":\"sub/d.png\",\"text\":\"y\"}\n{\"file\": 3",
      "line 3 is not JSON"
    ),
    (
      "{\"file\":\"a.png\",\"text\":\"x\"}\n\n{\"file\":\"sub/d.png\",\"text\":\"y\"}\n{\"text\":\"z\"}",
      "line 4 names no picture"
    ),
  ])
  func aBadLineIsSkippedAndNamed(_ text: String, _ words: String) throws {
    let all = try found(Array(text.utf8), "metadata.jsonl")
    #expect(all.pairs.map(\.caption) == ["x", "y"] && all.badLines.count == 1, "\(all)")
    #expect(all.badLines[0].contains("metadata.jsonl: \(words)"), "\(all.badLines)")
    // The same where nobody named the list.
    let brought = try FolderImport.pairs(in: folder)
    #expect(brought.pairs.map(\.caption) == ["x", "y"] && brought.badLines == all.badLines, "\(brought)")
    #expect(throws: DataSetError.self) { try FolderImport.pairs(in: folder, mostBad: 0) }
  }

  @Test func manyBadLinesAreRefused() throws {
    let text = "file,caption\n" + String(repeating: "a.png,x\n", count: 300) + ",y\na.png\nb,b,b\n,z\n"
    let error = #expect(throws: DataSetError.self) { try found(Array(text.utf8)) }
    #expect(
      error?.reason.contains("4 of 304 lines") == true && error?.reason.contains("line 302") == true
        && error?.reason.contains("--max-skipped 0.02") == true, "\(error as Any)")
    #expect(try found(Array(text.utf8), mostBad: 0.02).badLines.count == 4)
    // Lines are counted, however many captions one has.
    let lines =
      (["\"x\",\"y\""] + Array(repeating: "\"x\"", count: 3)).map {
        "{\"file\":\"a.png\",\"caption\":[\($0)]}"
      }
      + ["{}", "{}"]
    let few = #expect(throws: DataSetError.self) {
      try found(Array(lines.joined(separator: "\n").utf8), "list.jsonl")
    }
    #expect(few?.reason.contains("2 of 6 lines") == true, "\(few as Any)")
  }

  @Test(arguments: [
    ([UInt8]("file,caption\na.png,s".utf8) + [0xFC, 0xDF, 10], "line 2 is no UTF-8; it looks like Latin-1"),
    ([0xFF, 0xFE, 0x41], "UTF-16"), ([0xFF, 0xFE, 0x00, 0xD8], "UTF-16"),
    ([0x41, 0, 0, 0x41, 0x42, 0x43], "zero bytes"), ([0], "zero bytes alone"),
    ([0, 0, 0], "zero bytes alone"),
  ])
  func otherEncodingsAreRefusedByName(_ bytes: [UInt8], _ words: String) throws {
    let error = #expect(throws: DataSetError.self) { try found(bytes) }
    #expect(error?.description.contains(words) == true, "\(error as Any)")
  }

  @Test func survivesDamage() throws {
    var random = Philox(seed: 9)
    let rounds = damageRounds(60, share: 40)
    let json = Array("{\"file\":\"a.png\",\"caption\":\"a \\u00e4 cat\"}\r\n".utf8)
    for whole in Self.marked + [json + json, Array("\"a.png\";\"a \"\"cat\"\"\"\r\n".utf8)] {
      for _ in 0..<rounds {
        do { _ = try found(damaged(whole, &random)) } catch {
          #expect(error is DataSetError && !"\(error)".contains("\n"), "\(error)")
        }
      }
    }
  }

  @Test func whatIsNotThereAndWhatIsNotNamedIsCounted() throws {
    let all = try found(Array("file,caption\na.png,a cat\ngone.png,x\na.png,again\nsub/d.png,\n".utf8))
    #expect(all.pairs.map(\.caption) == ["a cat", "again"])
    #expect(all.missing == ["gone.png"] && all.empty.count == 1)
    #expect(all.unnamed == [folder + "/b, c.png"])
  }

  /// What a list in the folder names, and what is none of the folder's pictures, is told.
  @Test func whatLeadsElsewhereIsCounted() throws {
    let place = try temporaryFolder(), manager = FileManager.default
    try manager.copyItem(atPath: folder + "/a.png", toPath: place + "/out.png")
    try manager.createDirectory(atPath: place + "/in/.hidden", withIntermediateDirectories: true)
    for name in ["in/own.png", "in/.hidden/a.png", "in/no-name"] {
      try manager.copyItem(atPath: folder + "/a.png", toPath: "\(place)/\(name)")
    }
    let outside = ["../out.png", "\(place)/out.png", ".hidden/a.png", "no-name"]
    let names = ["own.png"] + outside, path = place + "/in/metadata.csv"
    let csv = "file,caption\n" + names.map { "\($0),x\n" }.joined()
    try csv.write(toFile: path, atomically: true, encoding: .utf8)
    let all = try FolderImport.pairs(in: place + "/in")
    #expect(all.pairs.map(\.path) == [place + "/in/own.png"] && all.missing.isEmpty)
    // One picture may be named twice.
    #expect(all.elsewhere == ["../out.png", ".hidden/a.png", "no-name"].map { "\($0) (\(path))" }, "\(all)")
    // Of a list that is named all are read.
    #expect(try FolderImport.pairs(in: place + "/in", list: path).pairs.count == names.count)
    try "file,caption\n../out.png,x\n".write(toFile: path, atomically: true, encoding: .utf8)
    let error = #expect(throws: DataSetError.self) { try FolderImport.pairs(in: place + "/in") }
    #expect(error?.reason.contains("../out.png") == true && error?.reason.contains("--captions") == true)
  }

  @Test func textsBesidePicturesAreReadTheSameWay() throws {
    func put(_ bytes: [UInt8], _ name: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    try put(Array("s".utf8) + [0xFC, 0xDF], "a.txt")
    let error = #expect(throws: DataSetError.self) { try FolderImport.pairs(in: folder) }
    #expect(error?.description.contains("Latin-1") == true)
    try put(Self.utf16("a dög\r\n", bigEndian: false), "sub/d.caption")
    try FileManager.default.createDirectory(atPath: folder + "/.hidden", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: folder + "/a.png", toPath: folder + "/.hidden/a.png")
    let all = try FolderImport.pairs(in: folder)
    #expect(all.pairs.map { "\($0.path): \($0.caption)" } == [folder + "/sub/d.png: a dög"])
    #expect(all.unnamed == [folder + "/b, c.png"] && all.unreadable.count == 1)
    #expect(all.unreadable[0].hasPrefix(folder + "/a.txt: line 1 is no UTF-8"))
  }
}

extension Array {
  fileprivate func appending(_ other: [Element]) -> [Element] { self + other }
}
