import Files
import Foundation
import TestSupport
import Testing

/// A file that grows beside the one that it becomes.
struct GrowingFileTests {
  private let folder: String

  init() throws { folder = try temporaryFolder() }

  private func text(_ name: String) -> String? {
    (try? FileName.contents(ofPlain: "\(folder)/\(name)")).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func whatIsWrittenIsThereAtOnce() throws {
    let path = folder + "/list.csv", link = folder + "/link.csv"
    try AtomicFile.write(Data("before".utf8), to: path, mode: 0o640)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "list.csv")
    try AtomicFile.write(Data("another's".utf8), to: path + ".partial")
    let file = GrowingFile(link)
    #expect(file.isEmpty && file.heldAt == nil)
    for piece in ["a\n", "", "b\n"] { try file.append(Data(piece.utf8)) }
    #expect(text("list.csv") == "before" && text("list.csv.partial") == "another's")
    #expect(file.heldAt == "\(folder)/list.csv-2.partial" && text("list.csv-2.partial") == "a\nb\n")
    try file.finish(as: link)
    #expect(text("list.csv") == "a\nb\n" && FileName.isLink(link))
    #expect(FileName.status(path).map { $0.st_mode & 0o777 } == 0o640)
    #expect(try FileName.names(in: folder) == ["link.csv", "list.csv", "list.csv.partial"])
  }

  @Test func whatIsLeftIsKeptUnlessItIsEmpty() throws {
    for (name, piece) in [("empty", ""), ("full", "x")] {
      let file = GrowingFile("\(folder)/\(name)")
      try file.append(Data(piece.utf8))
    }
    #expect(try FileName.names(in: folder) == ["full.partial"])
    let none = GrowingFile(folder + "/none")
    try none.finish(as: folder + "/none")
    #expect(text("none") == "")
    #expect(throws: FileAccessError.self) { try GrowingFile(folder + "/no/x").append(Data([1])) }
    let long = folder + "/" + String(repeating: "n", count: 255), file = GrowingFile(long)
    try file.append(Data("x".utf8))
    try file.finish(as: long)
    #expect(text(FileName.last(of: long)) == "x")
  }

  /// A pipe and a device get each piece at once, and nothing lies beside them.
  @Test func whatIsNoFileIsWrittenThrough() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let file = GrowingFile("/dev/fd/\(ends[1])")
    var buffer = [UInt8](repeating: 0, count: 8)
    for piece in ["one", "two"] {
      try file.append(Data(piece.utf8))
      #expect(read(ends[0], &buffer, 8) == 3 && String(decoding: buffer.prefix(3), as: UTF8.self) == piece)
    }
    try file.finish(as: "/dev/fd/\(ends[1])")
    #expect(fcntl(ends[1], F_GETFD) >= 0, "it is the caller's, and stays open")
    ends.forEach { close($0) }
    #expect(throws: FileAccessError.self) { try GrowingFile("/dev/full").append(Data([1])) }
  }
}
