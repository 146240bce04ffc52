import Files
import Testing

@Suite struct TOMLHeaderTests {
  @Test(
    arguments: [
      ("", nil), ("[a]\nx = 1\n[[b]]\n[ c ]\n[[ 'd' ]]\n[\"e\"]\n[]\n[", nil), ("[=]", 1),
      ("x = 1\n [#a]", 2),
      ("[[\u{E9}]]", 1), ("\u{FEFF}[=", 1), ("\u{FEFF}x = 1\n[=", 2), ("[ [a]", nil), ("\n\n[ %", 3),
      // Lists and texts of several lines, in which a line may begin so.
      ("x = [\n[=\n]]\n[?]", 4), ("x = \"\"\"\n[=]\n\\\"\"\"\"\"\n[!]", 4), ("x = '''\n[=]\n''''\n[a]", nil),
      ("x = \"a # [\" # \" [\n[=]", 2), ("x = 'a\\'\n[=]", 2), ("x = { y = [ '}' ] }\n[,]", 2),
      ("a.\"b[\".c = 1\n[.]", 2),
      ("[a\u{0}]\r\n[$]\r\n", 2),
    ] as [(String, Int?)])
  func aHeaderThatBeginsWithNoKeyIsFound(_ text: String, _ line: Int?) {
    #expect(TOMLHeader.broken(in: text) == line, "\(text)")
  }
}
