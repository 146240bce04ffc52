import TestSupport

/// Random typing that is the same in every run.
struct Cat {
  var state: UInt64

  mutating func below(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % count
  }

  private static let sequences = [
    "[A", "[B", "[C", "[D", "[5~", "[6~", "[H", "[F", "[3~", "OP", "OQ", "OR", "OS", "[15~", "[Z", "[1;5C",
    "[200~pasted\u{1B}[0m text\n\u{1B}[201~", "[200~", "[201~", "[?62;4c", "[6;16;8t",
    "]11;rgb:ffff/ffff/ffff\u{07}",
    "P>|xterm(1)\u{1B}\\", "[", "]", "_Gi=31;OK\u{1B}\\", "[99999;99999H", "[99999999999u",
    "[4;9223372036854775807;9223372036854775807t", "[<0;9223372036854775807;6M",
    "[<32;99999999999999999999;7m",
    "[1;99999999999999999999R", "\r", ",", ".", "c", "m", "b", "d",
  ]
  private static let words = [
    "a red apple", "/cfg 4", "/gallery", "/compare", "/tour", "/theme", "/sessions", "/undo", "/retry",
    "/sweep 1..3",
    "/new", "/replay", "/replay 20250101-000000-evil", "/gallery\r\t", "/search note\r", "/critique",
    "/doctor", "/stop discard", "/count 2", "/steps 3", "/search apple", "é漢👩‍👩‍👧 \u{0301}",
  ]

  mutating func key() -> String {
    switch below(20) {
    case 0..<6: return String(UnicodeScalar(UInt8(32 + below(95))))
    case 6..<9:
      // Control characters, but not Ctrl-Z: nobody is there to bring the program back.
      let code = 1 + below(31)
      return String(UnicodeScalar(UInt8(code == 26 ? 12 : code == 4 && below(50) > 0 ? 8 : code)))
    case 9..<14: return "\u{1B}" + Self.sequences[below(Self.sequences.count)]
    case 14, 15:
      let (x, y) = (1 + below(130), 1 + below(40))
      return "\u{1B}[<\([0, 2, 32, 64, 65][below(5)]);\(x);\(y)\(below(2) == 0 ? "M" : "m")"
    case 16: return "\u{1B}"
    case 17:
      if below(2) == 0 { return Self.words[below(Self.words.count)] + "\r" }
      let command = OddInput.commands[below(OddInput.commands.count)]
      return "\u{15}\(command) \(OddInput.numbers[below(OddInput.numbers.count)])\r"
    case 18 where below(3) == 0:
      return "\u{1B}[200~\(OddInput.pastes[below(OddInput.pastes.count)])\u{1B}[201~"
    case 18: return Self.words[below(Self.words.count)]
    default: return "\r"
    }
  }
}
