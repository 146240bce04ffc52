/// What people, files and scripts really bring, at its limits: for the tests that type at random.
public enum OddInput {
  public static let numbers = [
    "0", "-1", "1", "7.5", "15", "15.1", "16", "17", "1000", "1001", "1e30", "-1e30", "1e-40", "nan", "inf",
    "-inf",
    "18446744073709551615", "18446744073709551616", "9223372036854775807", "-9223372036854775808",
    "99999999999999999999999", "0x1p3", "１２", "٣", "", " ", "random", "1..9", "1..", "..", "..9", "9..1", ",",
    ",,",
    "1..9,0", "1..9,1e-9", "1..15,nan", "0..15,0.5", "1..2,", "nan..inf",
  ]

  /// What stands where a file should have a value or a name.
  public static let values = [
    "null", "true", "[]", "{}", "[[]]", "{\"a\":1}", "\"\"", "''", "\"\\u0000\"", "\"\\ud800\"", "\"\\n\"",
    "1979-05-27",
    "1979-05-27T07:32:00Z", "07:32:00", "0xff", "0b1", "+inf", "nan", "-0", "1e400", "[a]", "a.b.c", "\"\"\"",
    "#", "\\",
    "é", "👩‍👩‍👧", "\u{FEFF}", "\u{202E}", "\u{1B}[31m", String(repeating: "[", count: 400),
    String(repeating: "{\"a\":", count: 400), String(repeating: "a.", count: 400) + "a",
    String(repeating: "9", count: 400),
  ]

  /// Commands that take a number, or a word where one is expected.
  public static let commands = [
    "/cfg", "/steps", "/seed", "/count", "/grid", "/sweep", "/negative", "/stop", "/search", "/rename",
    "/theme", "/export",
    "/solver", "/interval", "/image", "/caption", "/save", "/replay", "/vary", "/retry", "/undo", "/compare",
    "/critique", "/gallery",
    "/edit", "/redo", "/queue", "/size", "/things", "/model",
  ]

  public static let pastes = [
    "/tmp/my cat.png", "'/tmp/it'\\''s.png'", "\"/tmp/a b.png\" /tmp/c.jpg", "file:///tmp/%zz%20.png",
    "~/x.png ./y.webp",
    "/tmp/half 'open.png", "it'\\''s.png", "'", "\"\\", "/", ".png", "@", "@/tmp/a.png @b.png what?",
    "\u{0}\u{1B}[31m",
    "a\r\nb\tc", "👩‍👩‍👧\u{0301}\u{200D}", "/tmp/a.png\n/tmp/b.png\n",
  ]

  /// Whole lines of a log, each with a number that can be read and cannot be.
  public static let logLines = [
    entry(
      #""answered":{"request":9223372036854775807,"text":"a","tokens":9000000000000000000,"seconds":1e-9,"isPartial":false}"#
    ),
    entry(
      #""answered":{"request":-9223372036854775808,"text":"b","tokens":-9223372036854775808,"seconds":1e300,"isPartial":true}"#
    ),
    entry(#""drawingAsked":{"request":3,"settings":\#(settings("1e30")),"count":9223372036854775807}"#),
    entry(
      #""drawn":{"request":3,"picture":"aa","origin":{"settings":\#(settings("1e30")),"stepsDone":9223372036854775807},"seconds":1e300,"isPartial":true}"#
    ),
    entry(
      #""drawn":{"request":4,"picture":"bb","origin":{"settings":\#(settings("-1e30")),"stepsDone":-9223372036854775808},"seconds":-1e300,"isPartial":false}"#
    ),
    entry(
      #""drawn":{"request":9223372036854775807,"picture":"cc","origin":{"settings":\#(settings("20")),"stepsDone":1},"seconds":0,"isPartial":false}"#
    ),
    entry(#""attached":{"picture":"dd","name":"n","settings":\#(settings("30")),"details":["x"]}"#),
    entry(
      #""asked":{"request":9223372036854775806,"text":"?","pictures":["aa"],"sampling":{"temperature":-1e38,"seed":18446744073709551615}}"#
    ),
    entry(#""undone":{"request":-1}"#), entry(#""note":{"_0":"n"}"#, time: "-1e300"),
  ]

  private static func settings(_ guidance: String) -> String {
    #"{"prompt":"p","negative":"","seed":18446744073709551615,"guidanceScale":\#(guidance),"steps":9223372036854775807,"decoderSteps":-9223372036854775808}"#
  }

  private static func entry(_ event: String, time: String = "1e300") -> String {
    #"{"version":1,"time":\#(time),"event":{\#(event)}}"#
  }
}
