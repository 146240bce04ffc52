import Files
import Foundation
import Synchronization
import TestSupport
import Testing

/// Names of new files that several writers want at once.
struct FileReservationTests {
  private let folder: String

  init() throws { folder = try temporaryFolder() }

  @Test func noTwoWritersGetOneName() throws {
    let path = folder + "/picture.png", names = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 24) { i in
      _ = try? FileReservation.withName(path) { free in
        usleep(2000)
        try AtomicFile.write(Data("\(i)".utf8), to: free)
        names.withLock { $0.append(free) }
      }
    }
    let taken = names.withLock { $0 }
    #expect(Set(taken).count == 24 && taken.contains(path) && taken.contains(folder + "/picture-24.png"))
    let found = try FileName.names(in: folder)
    #expect(found.count == 24, "\(found)")
    let texts = try Set(taken.map { try String(contentsOfFile: $0, encoding: .utf8) })
    #expect(texts.count == 24, "each has its own content")
  }

  @Test func whatFailsKeepsNoName() throws {
    struct Stop: Error {}
    let path = folder + "/x", empty = folder + "/empty"
    #expect(FileManager.default.createFile(atPath: empty, contents: nil))
    for name in [path, empty] {
      #expect(throws: Stop.self) { try FileReservation.withName(name) { _ in throw Stop() } }
    }
    #expect(try FileName.names(in: folder) == ["empty"], "an empty file of the person's stays")
    let used = try FileReservation.withName(empty) { free in
      try AtomicFile.write(Data([1]), to: free)
      return free
    }
    #expect(used == empty)
    #expect(try FileReservation.withName(empty) { $0 } == folder + "/empty-2")
    #expect(try FileReservation.withName(folder + "/none/x.png") { $0 } == folder + "/none/x.png")
  }

  /// A pipe may never begin, a device never end.
  @Test func onlyPlainFilesAreRead() throws {
    let pipe = folder + "/pipe", file = folder + "/file"
    #expect(mkfifo(pipe, 0o600) == 0)
    try Data("text".utf8).write(to: URL(fileURLWithPath: file))
    #expect(try FileName.contents(ofPlain: file) == Data("text".utf8))
    for path in [pipe, "/dev/zero", folder, folder + "/none"] {
      #expect(throws: FileAccessError.self) { try FileName.contents(ofPlain: path) }
    }
  }
}
