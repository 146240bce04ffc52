import Files
import Foundation
import TestSupport
import Testing

/// What a person has is not destroyed by what is written.
struct AtomicFileTests {
  private let folder: String

  init() throws {
    folder = temporaryPath()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func text(_ name: String) -> String? {
    try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
  }

  private func put(_ text: String, _ name: String) throws {
    try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
  }

  private func mode(_ name: String) -> mode_t {
    var status = stat()
    return lstat("\(folder)/\(name)", &status) == 0 ? status.st_mode : 0
  }

  @Test func modesAndLinksStay() throws {
    try put("old", "file")
    #expect(chmod("\(folder)/file", 0o640) == 0)
    #expect(symlink("file", "\(folder)/link") == 0 && symlink("link", "\(folder)/far") == 0)
    try AtomicFile.write(Data("new".utf8), to: "\(folder)/far")
    #expect(text("file") == "new" && mode("file") & 0o777 == 0o640)
    #expect(mode("far") & S_IFMT == S_IFLNK && mode("link") & S_IFMT == S_IFLNK)
    // A link to nothing yet makes what it names.
    #expect(symlink("later", "\(folder)/ahead") == 0)
    try AtomicFile.write(Data("x".utf8), to: "\(folder)/ahead")
    #expect(text("later") == "x" && mode("ahead") & S_IFMT == S_IFLNK)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { !$0.hasSuffix(".partial") })
  }

  @Test func devicesAndPipesAreWrittenTo() throws {
    try AtomicFile.write(Data("gone".utf8), to: "/dev/null")
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    #expect(throws: FileAccessError.self) { try AtomicFile.write(Data("x".utf8), to: "/dev/full") }
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    try AtomicFile.write(Data("through".utf8), to: "/dev/fd/\(ends[1])")
    var buffer = [UInt8](repeating: 0, count: 16)
    #expect(read(ends[0], &buffer, 16) == 7 && String(decoding: buffer.prefix(7), as: UTF8.self) == "through")
    ends.forEach { close($0) }
    #expect(throws: FileAccessError.self) { try AtomicFile.write(Data(), to: folder) }
  }

  /// What a killed process left half written goes with the next file that is written there; nothing else does.
  @Test func whatAKilledProcessLeftGoes() throws {
    let child = try ChildProgram(["/bin/true"])
    _ = try child.outcome()
    var host = [CChar](repeating: 0, count: 256)
    #expect(gethostname(&host, 255) == 0)
    let here = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let dead = child.identifier, left = ".vugen-\(here)-\(dead)-7.partial"
    let others = [
      ".vugen-\(here)-1-7.partial", ".vugen-other-host-\(dead)-7.partial", ".vugen-\(dead)-7.partial",
      "vugen-\(here)-\(dead)-7.partial", ".vugen-\(here)-\(dead)-7.txt", ".vugen-\(here)-\(dead)-8.partial",
    ]
    for name in [left] + others { try put("x", name) }
    // Held: by a process that has another number where it lives.
    let held = open("\(folder)/\(others[5])", O_RDONLY)
    #expect(held >= 0 && flock(held, LOCK_EX) == 0)
    defer { close(held) }
    try AtomicFile.write(Data("new".utf8), to: "\(folder)/file")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(Set(names) == Set(others + ["file"]))
  }

  @Test func longNamesAreWritten() throws {
    let name = String(repeating: "n", count: 255)
    try AtomicFile.write(Data("x".utf8), to: "\(folder)/\(name)")
    #expect(text(name) == "x")
  }

  @Test(arguments: [("config.json", "a model"), ("train-000000.tar", "shards"), ("recipe.toml", "a run")])
  func foldersThatHoldWorkAreNotWrittenOver(_ name: String, _ held: String) throws {
    let place = folder + "/place"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try put("old", "place/\(name)")
    try put("stale", "place/train-000009.tar")
    let error = #expect(throws: FileAccessError.self) {
      try OutputFolder.write(to: place, replacing: false) { _ in Issue.record("nothing is to be written") }
    }
    #expect(
      error?.reason.contains("holds \(name == "recipe.toml" || name == "config.json" ? held : "shards")")
        == true)
    // What fails changes nothing.
    struct Stop: Error {}
    #expect(throws: Stop.self) { try OutputFolder.write(to: place, replacing: true) { _ in throw Stop() } }
    #expect(text("place/\(name)") == "old")
    try OutputFolder.write(to: place, replacing: true) {
      try AtomicFile.write(Data("new".utf8), to: $0 + "/model.safetensors")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["model.safetensors"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["place"])
  }

  /// What is written bit by bit takes the place of what was there once it stands.
  @Test func aReplacedFolderComesBackWhereNothingStands() throws {
    let place = folder + "/run"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try put("old", "run/recipe.toml")
    func begin() throws {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    }
    try OutputFolder.putAside(place)
    try begin()
    OutputFolder.putBack(place)
    OutputFolder.putBack(place)
    #expect(text("run/recipe.toml") == "old")
    try OutputFolder.putAside(place)
    try begin()
    OutputFolder.removeOld(place)
    OutputFolder.putBack(place)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["run"])
  }

  /// Nothing of a person's goes with what is replaced.
  @Test func filesOfOthersAreNotReplaced() throws {
    let place = folder + "/mixed"
    let ours = [
      "config.json", "model-00001-of-00002.safetensors", "train-000001.tar", "held-out-000000.tar",
      "samples-200.png", "metrics.jsonl", "model/config.json", "events.out.tfevents.vugen",
      "best/model.safetensors", "best/validation.json", "best.host.7.partial/config.json",
      ".cache/huggingface/download/config.json.metadata",
    ]
    for name in ours + ["notes.txt", "mine.tar", "model/photo.jpg", "x.safetensors"] {
      try FileManager.default.createDirectory(
        atPath: FileName.parent(of: "\(place)/\(name)"), withIntermediateDirectories: true)
      try put("x", "mixed/\(name)")
    }
    for _ in 0..<2 {
      let error = #expect(throws: FileAccessError.self) {
        try OutputFolder.write(to: place, replacing: true) { _ in Issue.record("nothing is to be written") }
      }
      #expect(
        error?.reason
          == "4 files were not written by this program (mine.tar, model/photo.jpg, notes.txt, …) and would be lost; move them, or name another folder"
      )
      #expect(throws: FileAccessError.self) { try OutputFolder.putAside(place) }
      #expect(text("mixed/notes.txt") == "x")
    }
    for name in ["notes.txt", "mine.tar", "model/photo.jpg", "x.safetensors"] {
      FileName.remove("\(place)/\(name)")
    }
    try OutputFolder.write(to: place, replacing: true) {
      try AtomicFile.write(Data("x".utf8), to: $0 + "/config.json")
    }
    #expect(try FileName.filesBelow(place) == ["config.json"])
  }

  /// A file that comes while the new is made keeps its folder, and the new is not lost either.
  @Test func filesThatComeMeanwhileAreKept() throws {
    let place = folder + "/mixed"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try put("x", "mixed/config.json")
    let late = #expect(throws: FileAccessError.self) {
      try OutputFolder.write(to: place, replacing: true) {
        try AtomicFile.write(Data("y".utf8), to: $0 + "/config.json")
        try put("x", "mixed/thesis.txt")
      }
    }
    var host = [CChar](repeating: 0, count: 256)
    #expect(gethostname(&host, 255) == 0)
    let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let made = "\(place).\(name).\(getpid()).new"
    #expect(late?.reason.hasSuffix("what was made is in \(made)") == true, "\(late?.reason ?? "")")
    #expect(try FileName.filesBelow(place) == ["config.json", "thesis.txt"])
    #expect(try FileName.filesBelow(made) == ["config.json"])
  }

  /// Where a signal has asked for the end, what is finished still gets its place: in an empty folder, beside what is there,
  /// and instead of it. The search for pictures ends.
  @Test func finishedWorkGetsItsPlaceThoughTheEndIsAskedFor() async throws {
    let folder = self.folder
    try await Task.detached {
      // Only here: tests beside this one wait for others as ever.
      Patience.watch(isEnded: { FinishedWork.isEnded }, tell: { _ in })
      try FinishedWork.$isEnded.withValue(true) {
        #expect(Patience.isEnded)
        for (name, replacing) in [("new", false), ("mine", false), ("old", true)] {
          let place = "\(folder)/\(name)"
          try FileName.makeFolder(place)
          if name == "mine" { try Data().write(to: URL(fileURLWithPath: place + "/notes.txt")) }
          let before = name == "old" ? 200 : 0
          for i in 0..<before { try Data().write(to: URL(fileURLWithPath: "\(place)/train-\(i).tar")) }
          try OutputFolder.write(to: place, replacing: replacing) { new in
            for i in 0..<150 { try Data().write(to: URL(fileURLWithPath: "\(new)/train-\(i).tar")) }
          }
          let names = try FileName.names(in: place).filter { $0 != "notes.txt" }
          #expect(names.count == 150, "\(name): \(names.count)")
          #expect(throws: Patience.Ended.self) { try FileName.filesBelow(place, endsEarly: true) }
        }
      }
    }.value
  }

  @Test func otherFoldersAreWrittenInto() throws {
    try FileManager.default.createDirectory(atPath: folder + "/mine", withIntermediateDirectories: true)
    try put("a note", "mine/notes.txt")
    for name in ["mine", "new/deep"] {
      try OutputFolder.write(to: "\(folder)/\(name)", replacing: false) {
        try AtomicFile.write(Data("x".utf8), to: $0 + "/config.json")
      }
      #expect(text("\(name)/config.json") == "x")
    }
    #expect(text("mine/notes.txt") == "a note")
    #expect(OutputFolder.contents(of: folder + "/new/deep") == "a model")
  }
}

/// Whether a signal has asked for the end, as far as one task can see.
private enum FinishedWork {
  @TaskLocal static var isEnded = false
}
