import Files
import Foundation
import TestSupport
import Testing

struct FileNameTests {
  @Test(
    arguments: [
      ("A red Apple, two!", "a-red-apple-two"), ("--", "picture"), ("", "picture"),
      ("grüner 🍏 Baum", "grüner-baum"),
      ("abcdefghijklmnop", "abcdefghijkl"),
    ])
  func filesAreNamedAfterTexts(_ text: String, _ stem: String) {
    #expect(FileName.stem(of: text, most: text.hasPrefix("abc") ? 12 : 40) == stem)
  }

  /// What completion looks through: folders that hold a file, as far as was typed, and not for ever.
  @Test func foldersAreFoundByWhatTheyHold() throws {
    let base = try temporaryFolder()
    for name in ["a/one", "a/two", "b", "a/one/deep", ".hidden", "c/d/e/f"] {
      try FileName.makeFolder("\(base)/\(name)")
    }
    for name in ["a/one", "b", "a/one/deep", ".hidden", "c/d/e/f"] {
      #expect(FileManager.default.createFile(atPath: "\(base)/\(name)/config.json", contents: nil))
    }
    func found(_ typed: String, most: Int = 2000) -> [String] {
      FileName.folders(holding: "config.json", below: base + "/" + typed, most: most).map {
        String($0.dropFirst(base.count + 1))
      }
    }
    #expect(found("") == ["b", "a/one"])
    #expect(found("a/t").isEmpty && found("a/o") == ["a/one"] && found("c/d/") == ["c/d/e/f"])
    #expect(found("", most: 1).isEmpty)
  }

  @Test func whatIsWrittenToAsItStands() throws {
    let folder = try temporaryFolder(), pipe = folder + "/pipe", plain = folder + "/plain"
    #expect(mkfifo(pipe, 0o600) == 0 && FileManager.default.createFile(atPath: plain, contents: nil))
    for path in [pipe, "/dev/null", "/dev/fd/77", "/dev/stdout"] {
      #expect(AtomicFile.isSpecial(path), "\(path)")
    }
    for path in [plain, folder, folder + "/nothing"] { #expect(!AtomicFile.isSpecial(path), "\(path)") }
  }

  @Test(
    arguments: [
      [0x63, 0x61, 0x66, 0xE9], [0xFF], [0x80, 0x41], [0xC3], [0xC3, 0xA9], [0xED, 0xA0, 0x80],
      [0xF4, 0x8F, 0xBB, 0xA9],
      [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0xAF], [0xF0, 0x9F, 0x90, 0x8C, 0xF0, 0x9F],
      [],
    ] as [[UInt8]])
  func everyNameComesBack(_ name: [UInt8]) {
    #expect(FileName.bytes(FileName.text(name)) == name)
  }

  @Test func differentNamesAreDifferentTexts() {
    // A name that looks like the text of another.
    let odd: [UInt8] = [0x63, 0xE9], twin = Array(FileName.text(odd).utf8)
    #expect(FileName.text(odd) != FileName.text(twin) && FileName.bytes(FileName.text(twin)) == twin)
    #expect(FileName.shown(FileName.text(odd)) == "c\\xE9")
    #expect(FileName.text(Array("Café 🐌".utf8)) == "Café 🐌")
  }

  /// In one line, and back again.
  @Test(arguments: [
    ("a\nb", "a\\x0Ab"), ("a\tb\u{7F}", "a\\x09b\\x7F"), ("plain é", "plain é"), ("a\\xZZ", "a\\xZZ"),
    ("a\\x41", "a\\x41"),
    (FileName.text([0x63, 0xE9, 0x0A]), "c\\xE9\\x0A"),
  ])
  func oddNamesAreWrittenInOneLine(_ name: String, _ escaped: String) {
    #expect(FileName.escaped(name) == escaped && FileName.named(escaped) == name)
  }

  @Test func filesOfAnyNameAreFoundAndRead() throws {
    let folder = try temporaryFolder(), name = FileName.text([0x61, 0xE9])
    try FileName.makeFolder("\(folder)/\(name)/b")
    let file = FileName.open("\(folder)/\(name)/b/\(name).txt", O_WRONLY | O_CREAT, 0o600)
    #expect(file >= 0 && write(file, "text", 4) == 4)
    close(file)
    #expect(try FileName.names(in: folder) == [name])
    #expect(try FileName.filesBelow(folder) == ["\(name)/b/\(name).txt"])
    #expect(try FileName.contents(ofText: "\(folder)/\(name)/b/\(name).txt") == "text")
    #expect(FileName.exists("\(folder)/\(name)") && !FileName.exists("\(folder)/a"))
  }

  /// A whole disk is not walked: what is bounded ends in one line.
  @Test func aWalkCanBeBounded() throws {
    let folder = try temporaryFolder()
    for name in ["a/1", "a/2", "b/3"] {
      try FileName.makeFolder("\(folder)/\(FileName.parent(of: name))")
      try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    #expect(try FileName.filesBelow(folder, most: 5) == ["a/1", "a/2", "b/3"])
    let error = #expect(throws: FileAccessError.self) { try FileName.filesBelow(folder, most: 4) }
    #expect(error?.description == "\(folder): more than 4 files and folders lie below it; name a smaller one")
  }

  /// Relative places are ignored wherever they are given, as the XDG rules demand: what is kept does not depend on where a
  /// program is started.
  @Test func relativePlacesAreIgnored() {
    let names = ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"]
    func all(_ environment: [String: String]) -> [String] {
      [
        Paths.data(environment), Paths.configuration(environment), Paths.state(environment),
        Paths.cache(environment),
      ]
    }
    let plain = all(["HOME": "/u"])
    #expect(
      plain == ["/u/.local/share/vugen", "/u/.config/vugen", "/u/.local/state/vugen", "/u/.cache/vugen"])
    for relative in ["rel", "./rel", "~/rel", ""] {
      let given = Dictionary(uniqueKeysWithValues: names.map { ($0, relative) })
      #expect(all(given.merging(["HOME": "/u"]) { $1 }) == plain, "\(relative)")
      #expect(all(given.merging(["HOME": relative]) { $1 }) == all([:]), "\(relative)")
      #expect(Paths.home(["HOME": relative]).hasPrefix("/"))
    }
  }

  @Test(arguments: [
    ("a", "", "a"), ("/", "/", ""), ("//", "//", ""), ("/a", "/", "a"), ("a/b", "a", "b"), ("a/b/", "a", "b"),
    ("/a//b", "/a", "b"), ("", "", ""), ("a/", "", "a"), ("é/🐌", "é", "🐌"),
  ])
  func pathsHaveParents(_ path: String, _ parent: String, _ last: String) {
    #expect(FileName.parent(of: path) == parent && FileName.last(of: path) == last)
  }

  /// What never ends or never begins is no file of settings.
  @Test func pipesAndDevicesAreNotWaitedFor() throws {
    let pipe = temporaryPath()
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(try FileName.contents(ofText: pipe) == "")
    for path in ["/dev/zero", "/tmp", "/nothing"] {
      #expect(throws: FileAccessError.self) { try FileName.contents(ofText: path) }
    }
  }
}
