import DataSets
import Foundation
import Pictures
import TestSupport
import Tensors
import Testing

/// Shards as other programs write them.
@Suite struct TarTests {
  private let folder: String
  private static let png = (try? Picture(width: 6, height: 4, red: 200, green: 30, blue: 30).pngData()) ?? []

  init() throws { folder = try temporaryFolder() }

  /// An archive of files in this order, by the system's tar.
  private func tar(_ members: [(name: String, bytes: [UInt8])], _ format: String = "pax") throws -> String {
    let place = folder + "/members-\(UUID().uuidString)", path = place + ".tar"
    for (name, bytes) in members {
      let file = URL(fileURLWithPath: "\(place)/\(name)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
    }
    let ended = try ChildProgram.run(
      ["/bin/tar", "-cf", path, "--format=\(format)", "-C", place, "--"] + members.map(\.name))
    #expect(ended.status == 0, "\(format): \(ended.errors)")
    return path
  }

  private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

  /// Keys and captions of what can be used, and what is skipped.
  private func read(_ files: String...) throws -> (
    used: [String], skipped: [SkippedSample], problems: [String]
  ) {
    let index = try ShardIndex(files: files)
    var used: [String] = [], skipped = (0..<index.skippedCount).map(index.skipped)
    try index.readAll { _, result in
      switch result {
      case .success(let read):
        #expect(read.picture.width == 6)
        used.append("\(read.sample.key): \(read.sample.caption)")
      case .failure(let sample): skipped.append(sample)
      }
    }
    return (used, skipped, index.problems.map(\.description))
  }

  @Test(arguments: ["v7", "oldgnu", "gnu", "ustar", "pax"])
  func everyDialectIsRead(_ format: String) throws {
    let long = String(repeating: "d", count: 90) + "/" + String(repeating: "k", count: 80)
    let longest = String(repeating: "e", count: 120) + "/" + String(repeating: "m", count: 180)
    var keys = ["0001", "猫", "deep/er/0001"]
    if format != "v7" { keys.append(long) }
    if format != "v7", format != "ustar" { keys.append(longest) }
    let members = keys.enumerated().flatMap { i, key in
      [("\(key).png", Self.png), ("\(key).txt", text("number \(i)\n"))]
    }
    let found = try read(tar(members, format))
    #expect(found.used == keys.enumerated().map { "\($1): number \($0)" })
    #expect(found.skipped.isEmpty && found.problems.isEmpty)
  }

  /// The key ends at the first dot of the file's name, and only a picture is the picture.
  @Test func otherMembersAreLeftAlone() throws {
    let junk = text("not a picture")
    let found = try read(
      tar([
        ("list", junk), ("._a.png", junk), (".hidden.txt", junk), ("v1.2/a.png", Self.png),
        ("v1.2/a.npy", junk),
        ("v1.2/a.seg.png", junk), ("v1.2/a.txt", text("first")), ("v1.2/a.cls", text("7")),
        ("b.crop.PNG", Self.png), ("b.long.caption", text("second")), ("c.txt", text(" \n")),
        ("c.json", text(#"{"id": 3, "Caption": "third"}"#)), ("c.png", Self.png),
        ("d.caption", text("fourth")),
        ("d.png", Self.png), ("d.json", text(#"{"caption": "not this"}"#)),
        ("e.json", text(#"{"TEXT": ["fifth", "x"]}"#)),
        ("e.png", Self.png), ("f.png", Self.png), ("f.cls", text("cat")), ("f.json", text(#"{"id": 4}"#)),
      ]))
    #expect(
      found.used == ["v1.2/a: first", "b: second", "c: third", "d: fourth", "e: fifth", "f: cat"])
    #expect(found.skipped.isEmpty)
  }

  @Test func whatCannotBeUsedIsSkippedAndNamed() throws {
    let found = try read(
      tar([
        ("a.png", Self.png), ("a.txt", text("good")), ("b.txt", text("no picture")), ("c.png", Self.png),
        ("d.png", Array(Self.png.prefix(12))), ("d.txt", text("broken")), ("e.png", Self.png),
        ("e.txt", text("\n")),
        ("f.png", Self.png), ("f.txt", [0x73, 0xFC, 0xDF]), ("g.png", Self.png), ("g.json", text("{}")),
        ("h.png", []), ("h.txt", text("empty")), ("i.png", Self.png),
        ("i.txt", [0xFF, 0xFE] + Array("süß".utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }),
      ]))
    #expect(found.used == ["a: good", "i: süß"])
    #expect(
      found.skipped.map { "\($0.key) \($0.kind.rawValue)" } == [
        "b no picture", "c no text", "d damaged picture", "e no text", "f unreadable text", "g no text",
        "h damaged picture",
      ])
    #expect(found.skipped.contains { $0.detail.contains("Latin-1") })
  }

  @Test func anArchiveWithoutSamplesIsOneClearLine() throws {
    let zeros = folder + "/zeros.tar", empty = folder + "/empty.tar", other = folder + "/other.tar"
    try Data(count: 10240).write(to: URL(fileURLWithPath: zeros))
    try Data().write(to: URL(fileURLWithPath: empty))
    try Data([0x1F, 0x8B] + [UInt8](repeating: 3, count: 600)).write(to: URL(fileURLWithPath: other))
    let lacking = try tar([("a.txt", text("x")), ("b.png", Self.png)])
    for (path, words) in [
      (zeros, "holds no samples"), (empty, "the file is empty"), (other, "gunzip"),
      (lacking, "none of 2 samples"),
      (folder + "/none.tar", "No such file"), (folder, "not a plain file"),
    ] {
      let error = #expect(throws: DataSetError.self) { try ShardIndex(files: [path]) }
      #expect(
        error?.description.contains(words) == true && error?.description.contains("\n") == false,
        "\(error as Any)")
    }
  }

  /// What is whole is read, wherever a file is cut; archives that were joined are read to their end.
  @Test func cutAndJoinedArchives() throws {
    let members = (0..<3).flatMap { [("\($0).png", Self.png), ("\($0).txt", text("number \($0)"))] }
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: tar(members, "ustar"))))
    let path = folder + "/x.tar", all = (0..<3).map { "\($0): number \($0)" }
    for cut in stride(from: 0, through: 13 * 512, by: 128) {
      try Data(whole.prefix(cut)).write(to: URL(fileURLWithPath: path))
      // A header and a block for each member.
      guard cut >= 3 * 512 + 8 else {
        #expect(throws: DataSetError.self) { try ShardIndex(files: [path]) }
        continue
      }
      let index = try ShardIndex(files: [path])
      #expect(index.count >= (cut - 8) / 2048 && index.count <= cut / 2048 + 1, "\(cut)")
      #expect(index.problems.isEmpty == (cut > 12 * 512), "\(cut): \(index.problems)")
    }
    try Data(whole + whole).write(to: URL(fileURLWithPath: path))
    #expect(try read(path).used == all + all)
    // Behind the end anything may lie.
    try Data(whole + text("something else")).write(to: URL(fileURLWithPath: path))
    let found = try read(path)
    #expect(found.used == all && found.problems.isEmpty)
  }

  @Test func largeMembersCostNoMemory() throws {
    let path = try tar([("a.png", Self.png), ("a.txt", text("good"))], "ustar")
    let rest = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // 20 GB that are on no disk, by a size in binary, as GNU tar writes it.
    var header = Array(rest[0..<512])
    let size = 20 << 30
    header.replaceSubrange(0..<5, with: text("x.bin"))
    header[5] = 0
    for i in 0..<12 {
      header[124 + i] = i == 0 ? 0x80 : i < 4 ? 0 : UInt8(truncatingIfNeeded: size >> (8 * (11 - i)))
    }
    header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    header.replaceSubrange(
      148..<156, with: Array(String(repeating: "0", count: 6 - sum.count).utf8) + sum.utf8 + [0, 32])
    let large = folder + "/large.tar"
    try Data(header).write(to: URL(fileURLWithPath: large))
    let file = try #require(FileHandle(forWritingAtPath: large))
    try file.truncate(atOffset: UInt64(512 + size))
    try file.seekToEnd()
    try file.write(contentsOf: rest)
    try file.close()
    defer { unlink(large) }
    let before = Self.residentBytes
    #expect(try read(large).used == ["a: good"])
    #expect(Self.residentBytes - before < 100 << 20)
  }

  private static var residentBytes: Int {
    let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
    return (pages.flatMap { Int($0) } ?? 0) * Int(getpagesize())
  }

  @Test func survivesDamage() throws {
    let members = (0..<4).flatMap { i in
      [
        (String(repeating: "n", count: 120) + "\(i).png", Self.png),
        (String(repeating: "n", count: 120) + "\(i).txt", text("x")),
      ]
    }
    var random = Philox(seed: 8)
    let rounds = damageRounds(100, share: 40)
    for format in ["gnu", "pax"] {
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: tar(members, format))))
      let path = folder + "/damaged.tar"
      for _ in 0..<rounds {
        try Data(damaged(whole, &random)).write(to: URL(fileURLWithPath: path))
        do { try ShardIndex(files: [path]).readAll { _, _ in } } catch {
          #expect(error is DataSetError && !"\(error)".contains("\n"), "\(error)")
        }
      }
    }
  }

  @Test func anyNameIsAShard() throws {
    func put(_ names: [String]) throws -> String {
      let place = try temporaryFolder()
      for name in names {
        let file = URL(fileURLWithPath: "\(place)/\(name)")
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: file)
      }
      return place
    }
    func training(_ names: String...) throws -> [String] {
      try Shards.trainingFiles(at: put(names)).map { ($0 as NSString).lastPathComponent }
    }
    #expect(
      try training("shard-000000.tar", "b.TAR", "._b.tar", "notes.txt") == ["b.TAR", "shard-000000.tar"])
    #expect(try training("train-000000.tar", "val-000000.tar", "x.tar") == ["train-000000.tar"])
    #expect(try training("a.tar", "val_1.tar", "validation.tar", "test-0.tar") == ["a.tar"])
    #expect(try training("test.tar") == ["test.tar"])
    #expect(try training("sub/0.tar", "sub/deep/1.tar") == ["0.tar", "1.tar"])
    for names in [["val-000000.tar"], ["x.tar.gz"], []] {
      #expect(throws: DataSetError.self) { try Shards.trainingFiles(at: put(names)) }
    }
  }
}
