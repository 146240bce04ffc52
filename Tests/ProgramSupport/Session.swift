import Foundation
import TerminalProbe
import TestSupport
import Testing

/// The real program in a pseudo-terminal, before a real terminal emulator.
public final class Session {
  /// The terminal.
  public let probe: OpaquePointer
  /// The person's folder, where the program runs.
  public let home: String

  /// Where the program under test was built: beside the tests.
  public static func program(_ name: String = "vugen") throws -> String {
    try #require(
      [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()].compactMap { $0 }
        .map { $0.appendingPathComponent(name).path }
        .first { FileManager.default.isExecutableFile(atPath: $0) })
  }

  /// - Parameters:
  ///   - terminal: variables that say which terminal it is.
  ///   - name: what the program is called by, where it is not its path.
  public init(
    _ arguments: [String] = [], rows: Int32 = 36, columns: Int32 = 120, home: String? = nil,
    terminal: [String] = ["TERM=xterm-256color", "COLORTERM=truecolor"], name: String? = nil,
    path: String = "/usr/bin:/bin"
  ) throws {
    let program = try name ?? Self.program()
    self.home = home ?? temporaryPath()
    try FileManager.default.createDirectory(atPath: self.home, withIntermediateDirectories: true)
    let environment =
      terminal + ["HOME=\(self.home)", "PATH=\(path)", "LANG=C.UTF-8", "EDITOR=true"]
      // Others wait for the processors, too.
      + ["OMP_WAIT_POLICY=passive"]
    // In a folder of its own: what it saves must not lie about.
    var list = (["/usr/bin/env", "-C", self.home, program] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { (list + variables).forEach { free($0) } }
    probe = try #require(probe_start(&list, &variables, rows, columns))
  }

  deinit { probe_free(probe) }

  /// So many rows of the screen, the first above.
  public func screen(_ count: Int32) -> String {
    (0..<count).map { row in
      var text = [CChar](repeating: 0, count: 4096)
      let length = Int(probe_row(probe, row, &text, 4096))
      // Blanks where a picture lay are sent as text.
      return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        .replacing("\u{A0}", with: " ")
    }.joined(separator: "\n")
  }

  /// After so many seconds something will never come, however busy the machine is.
  public static let ceiling = 240.0

  /// Waits until the screen shows a text: a condition, never a fixed time.
  public func expect(_ text: String, within seconds: Double = Session.ceiling, rows: Int32 = 36) -> Bool {
    wait(within: seconds) { screen(rows).contains(text) }
  }

  /// Waits until a drawing has made some of its steps: before the first nothing is there that could be a part of it.
  public func expectStep(of steps: Int) -> Bool {
    wait { screen(36).matches(of: /step [1-9]\d+ of (\d+)/).contains { $0.1 == "\(steps)" } }
  }

  /// Waits until what the screen or a file shows is as it should be; looked at whenever something has come, and every
  /// quarter of a second, as files change without a word.
  public func wait(within seconds: Double = Session.ceiling, until isReached: () -> Bool) -> Bool {
    let clock = ContinuousClock(), end = clock.now + .seconds(seconds)
    while clock.now < end {
      if isReached() { return true }
      let shown = probe_shown(probe), next = clock.now + .milliseconds(250)
      while probe_shown(probe) == shown, clock.now < min(end, next) {
        guard probe_pump_some(probe, 50) != 0 else { return isReached() }
      }
    }
    return isReached()
  }

  /// Sends keys as the terminal would.
  public func type(_ text: String) {
    Array(text.utf8).withUnsafeBufferPointer { probe_type(probe, $0.baseAddress, $0.count) }
  }

  /// Waits until a text is gone from the screen.
  public func expectGone(_ text: String, rows: Int32 = 36) -> Bool {
    wait { !screen(rows).contains(text) }
  }

  /// Waits until the program has done what it was told, shown it, and waits for something else than the time: one that
  /// waits for a processor has not settled. Not while the model works, which does not sleep.
  public func settle() {
    let clock = ContinuousClock(), end = clock.now + .seconds(60)
    while clock.now < end {
      guard probe_pump(probe, 1) != 0 else { return }
      let before = sentCount
      guard probe_shown(probe) == before else { continue }
      switch probe_is_idle(probe) {
      case 0: guard probe_pump_some(probe, 2) != 0 else { return }
      case 1:
        // What it wrote while it was looked at.
        guard probe_pump(probe, 0) != 0, sentCount != before else { return }
      default: return rest(0.12, until: end)
      }
    }
  }

  /// The same by the time: nothing comes for a while.
  public func rest(_ seconds: Double, until end: ContinuousClock.Instant = .now + .seconds(60)) {
    var before = -1
    while before != sentCount, .now < end {
      before = sentCount
      guard probe_pump(probe, Int32(seconds * 1000)) != 0 else { return }
      while before == sentCount, probe_is_asleep(probe) == 0, .now < end {
        guard probe_pump(probe, 5) != 0 else { return }
      }
    }
  }

  /// Pixels of pictures in each of 36 × 120 cells.
  public var pictureCells: [[Int32]] {
    (0..<36).map { y in (0..<120).map { x in probe_picture_pixels(probe, y, x) } }
  }

  /// `+` is a cell with a ghost, `-` one with a hole.
  public static func difference(_ found: [[Int32]], _ wanted: [[Int32]]) -> String {
    zip(found, wanted).map { a, b in
      String(zip(a, b).map { $0 == $1 ? ($0 > 0 ? "#" : ".") : $0 > $1 ? "+" : "-" })
    }.joined(separator: "\n")
  }

  /// All that the program has written.
  public var sent: [UInt8] {
    var count = 0
    let bytes = probe_sent(probe, &count)
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// How much that is.
  private var sentCount: Int {
    var count = 0
    _ = probe_sent(probe, &count)
    return count
  }

  /// The exit status.
  public func end() -> Int32 {
    let status = probe_wait(probe, Int32(Self.ceiling * 1000))
    return status < 0 ? status : status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// Sixel pictures among what was sent.
  public var sentPictures: Int { places(of: "\u{1B}P").count }

  /// Where a sequence begins in what was sent.
  private func places(of sequence: String) -> [Int] {
    var count = 0
    let bytes = probe_sent(probe, &count)
    return TestSupport.places(of: sequence, in: UnsafeBufferPointer(start: bytes, count: count))
  }

  /// Whether what was switched on, if ever, was switched off after that.
  private func isOver(_ on: String, _ off: String) -> Bool {
    guard let set = places(of: on).last else { return true }
    return places(of: off).last.map { $0 > set } ?? false
  }

  /// Whether the terminal is as it was in every way: modes of the line, cursor, no picture or update left half done.
  public var isAsItWas: Bool {
    leftClean && probe_is_cooked(probe) != 0 && isOver("\u{1B}[?25l", "\u{1B}[?25h")
      && isOver("\u{1B}P", "\u{1B}\\") && isOver("\u{1B}[?2026h", "\u{1B}[?2026l")
  }

  /// Whether every mode that was switched on was switched off, and the screen given back.
  public var leftClean: Bool {
    ["1049", "2004", "1002", "1006"].allSatisfy { isOver("\u{1B}[?\($0)h", "\u{1B}[?\($0)l") }
  }
}
