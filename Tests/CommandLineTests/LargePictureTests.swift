import Foundation
import ProgramSupport
import Testing

/// Pictures that a decoder gets no memory for: one line that says so, whatever the decoder's library says or prints.
@ThirdCommands
struct LargePictureTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  private func fixture(_ name: String) throws -> Data {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try Data(contentsOf: tests.appendingPathComponent("PicturesTests/Fixtures/\(name)"))
  }

  private static func little(_ value: Int, _ bytes: Int = 4) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// 6000 × 4000 pixels in runs, of which none is written: all have the first colour.
  private static var bitmap: [UInt8] {
    let head = little(40) + little(6000) + little(4000) + little(1, 2) + little(8, 2) + little(1) + little(2)
    return Array("BM".utf8) + little(64) + little(0) + little(62) + head + little(0) + little(0) + little(2)
      + little(0) + [40, 120, 80, 0, 0, 0, 0, 0] + [0, 1]
  }

  /// The same in gray, whose strips all lie in one place.
  private static var tiff: [UInt8] {
    let strips = 40, strip = 600_000, lists = 8 + 2 + 9 * 12 + 4
    func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: Int) -> [UInt8] {
      little(tag, 2) + little(type, 2) + little(count) + little(value)
    }
    let entries =
      entry(256, 4, 1, 6000) + entry(257, 4, 1, 4000) + entry(258, 3, 1, 8) + entry(259, 3, 1, 1)
      + entry(262, 3, 1, 1) + entry(273, 4, strips, lists) + entry(277, 3, 1, 1) + entry(278, 4, 1, 100)
      + entry(279, 4, strips, lists + 4 * strips)
    let start = lists + 8 * strips
    return Array("II*\0".utf8) + little(8) + little(9, 2) + entries + little(0)
      + (0..<strips).flatMap { _ in little(start) } + (0..<strips).flatMap { _ in little(strip) }
      + [UInt8](repeating: 90, count: strip)
  }

  private func largeFiles() throws -> [(ending: String, bytes: Data)] {
    try ["avif", "heic", "jp2", "gif", "webp", "png"].map { ($0, try fixture("Large/large.\($0)")) }
      + [("bmp", Data(Self.bitmap)), ("tif", Data(Self.tiff))]
  }

  @Test func whatDecodersGetNoMemoryForIsOneLine() throws {
    var refused: Set<String> = [], read: Set<String> = []
    for (ending, bytes) in try largeFiles() {
      try shell.write(bytes, "\(ending)/large.\(ending)")
      try shell.write("green", "\(ending)/large.txt")
      // What is read with little needs no more.
      for limit in [420_000, 480_000, 560_000, 2_000_000] where limit < 2_000_000 || !read.contains(ending) {
        let found = try shell.run(
          "ulimit -c 0; ulimit -v \(limit); OMP_NUM_THREADS=1 \"$P\" data build folder \(ending) --size 64 -o s.\(ending) --overwrite"
        )
        if found.error.contains("may lack a decoder") { continue }
        let lines = found.error.split(separator: "\n")
        let isRefusal = found.status == 1 && lines.count == 1 && lines[0].contains("memory")
        #expect(
          isRefusal || found.status == 0 && lines.isEmpty && found.out.hasPrefix("1 picture in"),
          "\(ending) \(limit): \(found)")
        if isRefusal { refused.insert(ending) } else { read.insert(ending) }
        if limit == 2_000_000 { #expect(found.status == 0, "\(ending): \(found)") }
      }
    }
    #expect(refused.isSuperset(of: ["avif", "jp2", "gif", "webp", "png", "bmp", "tif"]), "\(refused)")
  }

  /// A file that takes most of the memory by itself is read once, or refused in one line.
  @Test func aLargeFileIsNotCopied() throws {
    try shell.write(Data(Self.tiff), "in/large.tif")
    try shell.write("green", "in/large.txt")
    for limit in [700_000, 800_000, 900_000, 1_100_000] {
      let found = try shell.run(
        """
        truncate -s 300M in/large.tif; ulimit -c 0; ulimit -v \(limit)
        OMP_NUM_THREADS=1 "$P" data build folder in --size 64 -o s --overwrite
        """)
      let lines = found.error.split(separator: "\n")
      let isRefusal = found.status == 1 && lines.count == 1 && lines[0].contains("no memory for its")
      #expect(isRefusal || found.status == 0 && lines.isEmpty, "\(limit): \(found)")
      if limit > 1_000_000 { #expect(found.status == 0, "\(found)") }
    }
  }

  /// libde265 writes to standard error by itself; what is seen is this program's line alone.
  @Test func librariesAreNotHeard() throws {
    var bytes = [UInt8](try fixture("Kinds/plain.heic"))
    let box = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("hvcC".utf8)) })
    // Its picture's parameters: blocks that do not fit the picture.
    bytes[box + 80] = 10
    try shell.write(Data(bytes), "a/odd.heic")
    try shell.write("green", "a/odd.txt")
    let found = try shell.run("V data build folder a -o s")
    #expect(
      found.status == 1 && found.error.split(separator: "\n").count == 1
        && found.error.hasPrefix("vugen: ") && found.error.contains("odd.heic"), "\(found)")
  }
}
