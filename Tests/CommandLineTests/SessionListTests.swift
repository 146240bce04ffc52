import Foundation
import ProgramSupport
import TestSupport
import Testing

/// What commands say of sessions, in lines.
@FourthCommands
struct SessionListTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  private let example = URL(fileURLWithPath: #filePath).appendingPathComponent(
    "../../../Examples/sessions/guidance"
  ).standardizedFileURL.path

  /// A picture whose file is not there says so, and no other does; neither does one that was deleted.
  @Test func missingPicturesAreMarked() throws {
    let found = try shell.run(
      """
      s=.home/.local/share/vugen/sessions; mkdir -p $s; cp -r '\(example)' $s/20260102-030405-abcd
      V sessions show | grep -c missing; cd $s/20260102-030405-abcd/pictures; set -- *; rm "$1" "$2"
      cd - >/dev/null; echo "$1" "$2"
      printf '{"event":{"deleted":{"isDeleted":true,"picture":"%s"}},"time":1795619528.6,"version":1}\\n' ${2%.png} \\
        >>$s/20260102-030405-abcd/log.jsonl
      V sessions show
      """)
    let lines = found.out.split(separator: "\n").map(String.init)
    let gone = lines[1].split(separator: " ").map { $0.replacing(".png", with: "") }
    let pictures = lines.filter { $0.hasPrefix("  picture ") }
    #expect(lines[0] == "0" && pictures.count > 2 && gone.count == 2, "\(found)")
    for line in pictures {
      let isMissing = line.contains(gone[0]), isDeleted = line.contains(gone[1])
      #expect(
        line.hasSuffix("  (missing)") == isMissing && line.hasSuffix("  (deleted)") == isDeleted, "\(line)")
    }
    #expect(pictures.contains { $0.hasSuffix("  (missing)") } && found.status == 0, "\(found)")
  }

  @Test func sessionsAreToldInLines() throws {
    let found = try shell.run(
      """
      mkdir -p .home/.local/share/vugen/sessions; cp -r '\(example)' .home/.local/share/vugen/sessions/20260102-030405-abcd
      V sessions show last >show; V sessions search a >hits; V sessions search a --json | wc -l
      V sessions export last -o out.md; V sessions delete 20260102; V sessions undelete
      """)
    let show = try String(contentsOfFile: shell.folder + "/show", encoding: .utf8).split(separator: "\n")
    let pictures = show.filter { $0.hasPrefix("  picture ") }
    #expect(
      !pictures.isEmpty && pictures.allSatisfy { $0.contains(#/  guidance [0-9.]+, seed \d+/#) }, "\(show)")
    let starts = [
      "  picture ", "model: ", "title: ", "question: ", "answer: ", "drawing: ", "attached: ", "note: ",
    ]
    #expect(
      show.allSatisfy { line in starts.contains { line.hasPrefix($0) } }
        && show.contains { $0.hasPrefix("drawing: ") }, "\(show)")
    // Those of a sweep differ in nothing else.
    #expect(Set(pictures.compactMap { $0.firstMatch(of: #/guidance [0-9.]+/#)?.output }).count > 1, "\(show)")
    let lines = found.out.split(separator: "\n").map(String.init)
    let count = Int(lines.first?.trimmingCharacters(in: .whitespaces) ?? "") ?? 0
    let hits = try String(contentsOfFile: shell.folder + "/hits", encoding: .utf8)
    #expect(
      count > 1 && hits.split(separator: "\n").count == 1
        && hits.hasPrefix("20260102-030405-abcd  \(count) hits  "), "\(hits) \(found)")
    #expect(
      lines.dropFirst().first == "out.md" && found.error == "vugen: its pictures are in out-pictures\n",
      "\(found)")
    #expect(
      lines.last?.contains(
        #/^20260102-030405-abcd  \d{4}-\d\d-\d\d \d\d:\d\d  \d+ prompts?, \d+ pictures?  \w/#) == true,
      "\(found)")
  }

  /// What a picture was drawn with beside the defaults stands with it.
  @Test func settingsAreShown() throws {
    let settings =
      #"{"prompt":"a cat","negative":"fog","seed":5,"guidanceScale":3,"guidanceStart":0.2,"guidanceEnd":0.8,"steps":9,"decoderSteps":2,"solver":"heun"}"#
    let picture = String(repeating: "a", count: 64)
    let found = try shell.run(
      """
      s=.home/.local/share/vugen/sessions/20260102-030405-abcd; mkdir -p $s
      echo '{"version":1,"time":1,"event":{"drawingAsked":{"request":1,"settings":\(settings),"count":1}}}' >$s/log.jsonl
      echo '{"version":1,"time":2,"event":{"drawn":{"request":1,"picture":"\(picture)","origin":{"settings":\(settings),"stepsDone":9},"seconds":1,"isPartial":false}}}' >>$s/log.jsonl
      V sessions show last
      """)
    let told =
      "  guidance 3, seed 5, 9 steps, heun, guided from 0.2 to 0.8, 2 decoder steps, without 'fog'  (missing)\n"
    #expect(found.out.hasSuffix(told), "\(found)")
  }
}
