import Foundation

/// How a program is started.
struct Start {
  var program: String
  var arguments: [[UInt8]]
  var environment: [String]
  /// Where it runs; what it writes to its outputs lies beside that folder.
  var folder: String
  /// What standard input is: a path.
  var input = "/dev/null"
  /// nil for a file that is read afterwards; a path, or an empty one for an output that is closed.
  var output: String?
  /// Kilobytes of addresses.
  var memory = 4_000_000
  var seconds = 12.0
}

/// What came of it.
struct Observation {
  var status: Int32 = 0
  var signal: Int32 = 0
  /// Ctrl-C was sent because it took long.
  var wasInterrupted = false
  /// It slept for good.
  var hung = false
  var output: [UInt8] = []
  var errors: [UInt8] = []
  var seconds = 0.0
  var peakKilobytes = 0
}

extension Start {
  private var outputFile: String { folder + ".out" }
  private var errorFile: String { folder + ".err" }

  /// Runs it to its end. One that takes longer than `seconds` is sent Ctrl-C when it works, and counts as hung when it
  /// sleeps or does not end upon that.
  func run() -> Observation {
    var found = Observation()
    let clock = ContinuousClock(), begun = clock.now
    guard let child = spawn() else {
      found.status = -1
      return found
    }
    var status: Int32 = 0, usage = rusage(), patience = seconds
    while wait4(child, &status, WNOHANG, &usage) == 0 {
      usleep(clock.now - begun < .milliseconds(200) ? 2000 : 20_000)
      guard clock.now - begun > .seconds(patience) else { continue }
      if found.wasInterrupted || Self.sleeps(child) {
        found.hung = true
        kill(-child, SIGKILL)
        patience += 60
      } else {
        found.wasInterrupted = true
        kill(child, SIGINT)
        patience += 60
      }
    }
    kill(-child, SIGKILL)  // what it left running
    found.seconds = (clock.now - begun) / .seconds(1)
    found.signal = status & 0x7F
    found.status = found.signal == 0 ? status >> 8 & 0xFF : -1
    found.peakKilobytes = usage.ru_maxrss
    found.output = Self.contents(outputFile)
    found.errors = Self.contents(errorFile)
    return found
  }

  private func spawn() -> pid_t? {
    var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // A session of its own: no terminal is within reach.
    posix_spawnattr_setflags(&attributes, Int16(0x80))
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, 1, (output ?? "").isEmpty ? outputFile : output ?? "", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    if output == "" { posix_spawn_file_actions_addclose(&actions, 1) }
    let words = [Array("/bin/sh".utf8), Array("-c".utf8), Array(limit.utf8), Array(program.utf8)] + arguments
    var list = words.map(Self.cString) + [nil], variables = environment.map { strdup($0) } + [nil]
    defer { (list + variables).forEach { free($0) } }
    var child: pid_t = 0
    return posix_spawn(&child, "/bin/sh", &actions, &attributes, &list, &variables) == 0 ? child : nil
  }

  private var limit: String {
    "cd \(Self.quoted(Array(folder.utf8))) && ulimit -v \(memory); ulimit -c 0; exec \"$0\" \"$@\""
  }

  /// To be freed.
  static func cString(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    (bytes.filter { $0 != 0 } + [0]).withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.flatMap { strdup($0) } }
    }
  }

  private static func contents(_ path: String) -> [UInt8] {
    FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
  }

  /// Whether no thread of it and of what it started runs or wants to, at twenty looks.
  private static func sleeps(_ process: pid_t) -> Bool {
    func names(_ folder: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { Int($0) != nil }
    }
    /// State and parent.
    func facts(_ path: String) -> (state: Substring, parent: Substring) {
      let line = (try? String(contentsOfFile: path + "/stat", encoding: .utf8)) ?? ""
      let words = (line.split(separator: ")").last ?? "").split(separator: " ")
      return words.count > 1 ? (words[0], words[1]) : ("", "")
    }
    for _ in 0..<20 {
      let parents = Dictionary(
        names("/proc").map { ($0, String(facts("/proc/\($0)").parent)) },
        uniquingKeysWith: { first, _ in first })
      var family: Set<String> = ["\(process)"], size = 0
      while size != family.count {
        size = family.count
        for (child, parent) in parents where family.contains(parent) { family.insert(child) }
      }
      let states = family.flatMap { id in
        names("/proc/\(id)/task").map { facts("/proc/\(id)/task/\($0)").state }
      }
      guard states.allSatisfy({ $0 == "S" || $0.isEmpty }) else { return false }
      usleep(50_000)
    }
    return true
  }

  /// A line of shell that does the same.
  var line: String {
    let from = input == "/dev/null" ? "</dev/null" : "<" + Self.quoted(Array(input.utf8))
    let to = output.map { $0.isEmpty ? " >&-" : " >\($0)" } ?? ""
    let words = ([Array(program.utf8)] + arguments).map(Self.quoted).joined(separator: " ")
    let variables = environment.map { Self.quoted(Array($0.utf8)) }.joined(separator: " ")
    return
      "cd \(Self.quoted(Array(folder.utf8))) && (ulimit -v \(memory); env -i \(variables) \(words) \(from)\(to))"
  }

  static func quoted(_ bytes: [UInt8]) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%".utf8)
    if !bytes.isEmpty, bytes.allSatisfy(plain.contains) { return String(decoding: bytes, as: UTF8.self) }
    if bytes.allSatisfy({ (32..<127).contains($0) && $0 != 39 }) {
      return "'" + String(decoding: bytes, as: UTF8.self) + "'"
    }
    let escaped = bytes.map { byte in
      plain.contains(byte) ? String(UnicodeScalar(byte)) : String(format: "\\x%02x", byte)
    }
    return "$'" + escaped.joined() + "'"
  }
}
