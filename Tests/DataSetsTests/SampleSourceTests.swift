import DataSets
import Files
import Foundation
import Pictures
import TestSupport
import Testing

/// Sources as recipes name them: patterns, lists, folders of classes, members and keys of choice.
@Suite struct SampleSourceTests {
  private let folder: String
  private let png: [UInt8]

  init() throws {
    folder = try temporaryFolder()
    png = try Picture(width: 8, height: 8, red: 200, green: 30, blue: 30).pngData()
  }

  private func write(_ text: String, _ name: String) throws -> String {
    let path = "\(folder)/\(name)"
    try FileName.makeFolder(FileName.parent(of: path))
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func shard(_ name: String, _ captions: [String]) throws {
    try FileName.makeFolder(FileName.parent(of: "\(folder)/\(name)"))
    let samples = captions.enumerated().map {
      Sample(key: "\($0)", picture: png, pictureType: "png", caption: $1, record: [])
    }
    try Shards.write(samples, to: "\(folder)/\(name)")
  }

  /// An archive of files in this order, by the system's tar.
  private func tar(_ members: [(name: String, bytes: [UInt8])], _ name: String) throws {
    let place = folder + "/members-\(UUID().uuidString)"
    try FileName.makeFolder(place)
    for (name, bytes) in members { try Data(bytes).write(to: URL(fileURLWithPath: "\(place)/\(name)")) }
    let ended = try ChildProgram.run(
      ["/bin/tar", "-cf", "\(folder)/\(name)", "-C", place, "--"] + members.map(\.name))
    #expect(ended.status == 0, "\(ended.errors)")
  }

  private func captions(_ index: ShardIndex) throws -> [String] {
    try (0..<index.count).map { try index.said($0).caption }
  }

  private func index(_ sources: [String], _ reading: SampleReading = .init()) throws -> ShardIndex {
    try ShardIndex(sources.map { try SampleSource("\(folder)/\($0)") }, reading)
  }

  @Test func bracesStandForWhatTheyDoInAShell() throws {
    #expect(
      try SampleSource.expanded("a-{000008..000011}.tar") == [
        "a-000008.tar", "a-000009.tar", "a-000010.tar", "a-000011.tar",
      ])
    #expect(
      try SampleSource.expanded("{x,y}/{1..2}{3..2}") == [
        "x/13", "x/12", "x/23", "x/22", "y/13", "y/12", "y/23", "y/22",
      ])
    #expect(try SampleSource.expanded("{8..10}") == ["8", "9", "10"])
    #expect(try SampleSource.expanded("a{b}c{,d}{") == ["a{b}c{", "a{b}cd{"])
    for name in ["{0..99999999}", "{0..9999}{0..9999}"] {
      #expect(throws: DataSetError.self) { try SampleSource.expanded(name) }
    }
  }

  @Test func patternsAndListsAreRead() throws {
    for i in 0..<4 { try shard("s/p-00\(i).tar", ["p\(i)"]) }
    try shard("s/validation-000.tar", ["v"])
    try shard("{odd}.tar", ["odd"])
    #expect(try captions(index(["s/p-{001..003}.tar"])) == ["p1", "p2", "p3"])
    #expect(try captions(index(["s/p-00[02].tar", "{odd}.tar"])) == ["p0", "p2", "odd"])
    #expect(try captions(index(["s"])) == ["p0", "p1", "p2", "p3"])
    let several = try index(["s/p-00?.tar", "{odd}.tar", "s/v*.tar"])
    #expect(several.ranges == [0..<4, 4..<5, 5..<6] && several.files.count == 6)
    #expect(several.part([1, 3, 5], isRest: true).ranges == [0..<2, 2..<2, 2..<3])
    for (name, said) in [
      ("s/p-{002..006}.tar", "3 of 5 files are not there, such as \(folder)/s/p-004.tar"),
      ("s/*.gz", "no file is called so"), ("s/none.tar", "none.tar"),
    ] {
      let error = #expect(throws: DataSetError.self) { try index([name]) }
      #expect(error?.description.contains(said) == true, "\(String(describing: error))")
    }
    // One source that holds nothing is named, whatever the others hold.
    try Data(repeating: 0, count: 1024).write(to: URL(fileURLWithPath: folder + "/empty.tar"))
    let empty = #expect(throws: DataSetError.self) { try index(["s", "empty.tar"]) }
    #expect(empty?.description.contains("empty.tar: ") == true, "\(String(describing: empty))")
  }

  /// ImageNet's layout: a folder a class.
  private func classFolders() throws -> String {
    for (name, count) in [("n01440764", 2), ("n01443537", 1), ("n02084071", 3)] {
      for i in 0..<count {
        let path = try write("", "classes/\(name)/\(name)_\(i).JPEG")
        try Data(png).write(to: URL(fileURLWithPath: path))
      }
    }
    return "classes"
  }

  @Test(arguments: [
    ("names.txt", "n01440764 tench, Tinca tinca\nn01443537 gold_fish\nn02084071\tdog, domestic dog\n"),
    ("plain.txt", "tench\ngold fish\ndog\n"), ("list.json", #"["tench", "gold fish", "dog"]"#),
    (
      "index.json",
      #"{"0": ["n01440764", "tench"], "1": ["n01443537", "gold_fish"], "2": ["n02084071", "dog"]}"#
    ),
    ("keys.json", #"{"n01440764": "tench", "n01443537": "gold fish", "n02084071": "dog"}"#),
  ])
  func foldersOfClassesAreASource(_ name: String, _ text: String) throws {
    let place = try classFolders(),
      names = try ClassNames(file: write(text, name), template: "A photo of a [CLS].")
    let index = try index([place], SampleReading(classes: names))
    let wanted = ["tench", "tench", "gold fish", "dog", "dog", "dog"].map { "A photo of a \($0)." }
    #expect(try captions(index) == wanted)
    let (sample, picture) = try index.decoded(3)
    #expect(sample.key == "n02084071_0.JPEG" && sample.pictureType == "png" && picture.width == 8)
    #expect(
      try SampleSource("\(folder)/\(place)").note?.hasSuffix(
        "3 folders are taken for classes, with 6 pictures") == true)
    // Numbers in shards have the same names, where the file has numbers.
    guard name != "keys.json" else { return }
    try tar(
      [("a.png", png), ("a.cls", Array("2".utf8)), ("b.png", png), ("b.cls", Array("7\n".utf8))],
      "numbers.tar")
    let numbers = try self.index(["numbers.tar"], SampleReading(classes: names))
    #expect(try numbers.said(0).caption == "A photo of a dog.")
    let skipped = #expect(throws: SkippedSample.self) { try numbers.said(1) }
    #expect(
      skipped?.detail.contains("has no name for its class, '7") == true, "\(String(describing: skipped))")
    // Without names a number is a text like others.
    #expect(try self.index(["numbers.tar"]).said(0).caption == "2")
  }

  @Test func foldersThatAreNoClassesAreNone() throws {
    let place = try classFolders(), template = "This is an image of a [CLS]."
    let plain = try index([place], SampleReading(classes: ClassNames(file: "", template: template)))
    #expect(try plain.said(0).caption == "This is an image of a n01440764.")
    let few = try ClassNames(file: write("n01440764 tench\n", "few.txt"), template: template)
    let error = #expect(throws: DataSetError.self) { try index([place], SampleReading(classes: few)) }
    #expect(error?.description.contains("few.txt: has no name for the folder n01443537") == true)
    #expect(throws: DataSetError.self) { try ClassNames(file: folder + "/gone", template: template) }
    #expect(throws: DataSetError.self) { try ClassNames(file: write("\n \n", "blank"), template: template) }
    // Photographs by year, with their captions: to be imported.
    for year in ["2019", "2020"] {
      try Data(png).write(to: URL(fileURLWithPath: write("", "photos/\(year)/a.png")))
      _ = try write("a dog", "photos/\(year)/a.txt")
    }
    let refused = #expect(throws: DataSetError.self) { try SampleSource(folder + "/photos") }
    #expect(refused?.description.contains("vugen data build folder") == true)
  }

  @Test func theTextIsThatOfTheKey() throws {
    let json = Array(#"{"caption": "of json", "alt": "other", "Title-Text": 7}"#.utf8)
    try tar(
      [
        ("a.png", png), ("a.txt", Array("of txt".utf8)), ("a.alt", Array("of alt".utf8)), ("a.json", json),
        ("b.png", png), ("b.txt", Array("alone".utf8)),
      ], "keys.tar")
    for (reading, texts, lacking) in [
      (SampleReading(), ["of txt", "alone"], 0), (SampleReading(textKey: "alt"), ["of alt"], 1),
      (SampleReading(textKey: "JSON"), ["of json"], 1),
      (SampleReading(textKey: "json", jsonKey: "alt"), ["other"], 1),
      (SampleReading(textKey: "json", jsonKey: "title_text"), ["7"], 1),
    ] {
      let index = try index(["keys.tar"], reading)
      #expect(try captions(index) == texts && index.skippedCount == lacking, "\(reading)")
    }
    let skipped = #expect(throws: SkippedSample.self) {
      try index(["keys.tar"], SampleReading(textKey: "json", jsonKey: "none")).said(0)
    }
    #expect(skipped?.detail == "its JSON names no caption under 'none'")
  }
}
