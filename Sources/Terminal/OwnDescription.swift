import CNCurses
import Files
import Foundation

/// Descriptions of terminals that are the studio's own, made by `tic` and kept among the caches.
///
/// They know no scrolling: ncurses scrolls parts of the screen whatever it is told (`idlok`), and pictures with them or not,
/// as the terminal likes. And they have 24 bits of colour where the terminal says so (`COLORTERM`), for which a description
/// is rarely installed.
enum OwnDescription {
  /// The description's name; nil where there is none and none can be made.
  static func name(for term: String, isTruecolor: Bool, _ environment: [String: String]) -> String? {
    own(term, isTruecolor, environment) ?? (isTruecolor ? installed(term) : nil)
  }

  private static func installed(_ term: String) -> String? {
    let name = term.replacingOccurrences(of: "-256color", with: "") + "-direct"
    return vt_knows(name) ? name : nil
  }

  private static func own(_ term: String, _ isTruecolor: Bool, _ environment: [String: String]) -> String? {
    let isPlain = term.utf8.allSatisfy { c in
      (48...57).contains(c) || (65...90).contains(c) || (97...122).contains(c) || "+-._".utf8.contains(c)
    }
    guard isPlain, !term.isEmpty else { return nil }
    let folder = folder(environment)
    let name = "vugen-\(term)-\(isTruecolor ? "direct" : "palette")-still"
    let others = environment["TERMINFO_DIRS"] ?? ""
    // ncurses keeps which of the folders are there when it looks first.
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    setenv("TERMINFO_DIRS", "\(folder):\(others)", 1)
    if vt_knows(name) || make(name, of: term, isTruecolor, in: folder) && vt_knows(name) { return name }
    forget(environment)
    return nil
  }

  /// Other programs find their descriptions as before.
  static func forget(_ environment: [String: String]) {
    if let before = environment["TERMINFO_DIRS"] {
      setenv("TERMINFO_DIRS", before, 1)
    } else {
      unsetenv("TERMINFO_DIRS")
    }
  }

  private static func folder(_ environment: [String: String]) -> String {
    Paths.cache(environment) + "/terminfo"
  }

  /// The terminal's own description without scrolling, and with other colours.
  private static func make(_ name: String, of term: String, _ isTruecolor: Bool, in folder: String) -> Bool {
    let parts = #"%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%dm"#
    let colours = #"""
      \#tRGB, ccc@, colors#0x1000000, pairs#0x7FFF, initc@, initp@, oc@, ncv@,
      \#tsetaf=\E[38;2;\#(parts), setab=\E[48;2;\#(parts), setf@, setb@,

      """#
    let source = """
      \(name)|\(term) as the studio uses it,
      \tcsr@, ind@, ri@, indn@, rin@, il@, il1@, dl@, dl1@,
      \(isTruecolor ? colours : "")\tuse=\(term),

      """
    let path = "\(folder)/\(getpid()).ti"
    defer { unlink(path) }
    do {
      try source.write(toFile: path, atomically: false, encoding: .utf8)
      return QuietProgram.run(["tic", "-x", "-o", folder, path], seconds: 2) == 0
    } catch {
      // 256 colours, then.
      return false
    }
  }
}
