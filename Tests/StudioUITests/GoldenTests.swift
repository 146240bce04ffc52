import Foundation
import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// The main screens, whole: each row as a person sees it, pictures as boxes of `#`. With VUGEN_GOLDENS=write in the
/// environment they are written anew; look at what changed before it is committed.
@Suite struct GoldenTests {
  /// Where they are read, and where they are written anew.
  private static let folder = Bundle.module.bundleURL.appendingPathComponent("Fixtures/screens")
  private static let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/screens")

  private static let screens: [(name: String, make: @Sendable (Size) -> Bench)] = [
    ("welcome", { Bench($0) }),
    ("loading", { Bench($0, isReady: false) }),
    ("conversation", conversation),
    ("running", running),
    ("commands", { pressed(conversation($0), .character("/"), .character("s")) }),
    ("palette", { pressed(conversation($0), .control("p"), .down) }),
    ("help", { pressed(Bench($0), .function(1)) }),
    ("gallery", { pressed(conversation($0), .function(3)) }),
    ("viewer", { pressed(conversation($0), .function(3), .character("i")) }),
    ("compare", { pressed(conversation($0), .function(4)) }),
    ("replay", replay),
  ]

  @Test(arguments: [Size(60, 16), Size(80, 24), Size(120, 36)])
  func mainScreens(_ size: Size) throws {
    for (name, make) in Self.screens {
      let file = "\(name)-\(size.width)x\(size.height).txt"
      let seen = Self.text(view(make(size).state, LayoutCache()))
      if ProcessInfo.processInfo.environment["VUGEN_GOLDENS"] == "write" {
        try seen.write(to: Self.source.appendingPathComponent(file), atomically: true, encoding: .utf8)
        continue
      }
      let golden = try String(contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8)
      #expect(seen == golden, "\(name):\n\(seen)\nis not\n\(golden)")
    }
  }

  /// Rows without the blanks at their ends; a line at the end says where the cursor is.
  private static func text(_ frame: Frame) -> String {
    var rows = (0..<frame.size.height).map { Array(frame.row($0)) }
    for placement in frame.placements {
      let area = placement.visible
      for y in area.y..<area.maxY {
        for x in area.x..<area.maxX where rows[y].indices.contains(x) { rows[y][x] = "#" }
      }
    }
    let lines = rows.map { row in
      String(row.map { $0 == Frame.filler ? " " : $0 }).replacing(#/ +$/#, with: "")
    }
    let cursor = frame.cursor.map { "cursor \($0.x), \($0.y)" } ?? "no cursor"
    return (lines + [cursor]).joined(separator: "\n") + "\n"
  }

  private static func pressed(_ base: Bench, _ keys: Key...) -> Bench {
    var b = base
    keys.forEach { b.press($0) }
    return b
  }

  /// A drawing, a question about it, and words from the studio.
  @Sendable private static func conversation(_ size: Size) -> Bench {
    var b = Bench(size)
    b.send("/seed 7")
    b.send("a red apple left of a green pear on a white background")
    b.act(.pictureKnown(.hash("0123456789"), Size(128, 128)))
    b.finish("0123456789")
    b.send("/cfg 5")
    b.act(.tick(1))
    b.act(.pictureKnown(.hash("abcdef0123"), Size(128, 96)))
    b.finish("abcdef0123")
    b.press(.control("a"))
    b.send("What is on the left?")
    b.answer("An apple, red, on a white background; beside it there is a green pear.")
    b.act(.session(.note("a note of the studio")))
    b.act(.tick(9))
    return b
  }

  @Sendable private static func running(_ size: Size) -> Bench {
    var b = conversation(size)
    b.send("/count 2")
    b.press(.tab)
    b.send("two stars")
    b.send("three moons")
    b.act(.pictureKnown(.preview(1), Size(64, 64)))
    b.happen(.step(20, of: 50, picture: 0, preview: .preview(1)))
    b.act(.tick(13))
    b.type("words that are being written, as many as the prompt takes in one of its lines and more")
    return b
  }

  @Sendable private static func replay(_ size: Size) -> Bench {
    var b = conversation(size)
    let entries = (0..<4).map { SessionEntry(time: Double($0), event: .note("note \($0)")) }
    b.act(.played(Replay(entries)))
    b.act(.tick(10.5))
    return b
  }
}
