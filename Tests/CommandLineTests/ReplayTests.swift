import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing
import VUGEN

/// What `replay --verify` calls identical is wholly there and was wholly compared.
@FourthCommands
struct ReplayTests {
  private let shell: Shell
  private static let examples = URL(fileURLWithPath: #filePath).appendingPathComponent(
    "../../../Examples/sessions"
  )
  .standardizedFileURL.path

  init() throws { shell = try Shell() }

  /// - Parameter change: bash that spoils the log `l`.
  private func verify(_ example: String, _ change: String) throws -> (
    out: String, error: String, status: Int32
  ) {
    try shell.run(
      """
      rm -rf s; cp -r '\(Self.examples)/\(example)' s; l=s/log.jsonl; \(change)
      export OMP_NUM_THREADS=1; timeout -s KILL 60 "$P" replay ./s --verify
      """)
  }

  @Test func whatIsWholeIsIdentical() throws {
    // Fewer drawings take less time.
    for (example, change, says) in [
      ("questions", ":", " answers are"), ("guidance", "sed -i '5,$d' $l", "1 picture is"),
    ] {
      let found = try verify(example, change)
      // They were made where there is AVX-512.
      let isSame =
        found.out.contains("\(says) identical, bit for bit")
        || example == "guidance" && found.out.contains(rounding)
      #expect(found.status == 0 && isSame && found.error.isEmpty, "\(found)")
    }
  }

  private let rounding = "1 picture is as recorded but for rounding"

  /// Processors of other kinds add up in another order: what differs by no more than that is the same picture.
  @Test(arguments: [(2, 0), (40, 1)] as [(UInt8, Int32)])
  func roundingIsNoDifference(_ step: UInt8, _ status: Int32) throws {
    let log = try String(contentsOfFile: Self.examples + "/guidance/log.jsonl", encoding: .utf8)
    let hash = try #require(log.firstMatch(of: /"picture":"([0-9a-f]{64})"/)?.1)
    let file = Self.examples + "/guidance/pictures/\(hash).png"
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
    var picture = try Picture(bytes: bytes, name: file)
    picture.pixels[0] = picture.pixels[0] < 128 ? picture.pixels[0] + step : picture.pixels[0] - step
    let other = try PictureMetadata(bytes: bytes, name: file).png(of: picture)
    try Data(other).write(to: URL(fileURLWithPath: shell.folder + "/other.png"))
    let found = try verify(
      "guidance",
      "sed -i '5,$d' $l; h=$(sha256sum other.png | cut -c1-64); cp other.png s/pictures/$h.png; sed -i s/\(hash)/$h/ $l"
    )
    let says = status == 0 ? rounding : "the picture of 'a yellow star' differs, by up to "
    #expect(found.status == status && found.out.contains(says), "\(found)")
  }

  @Test(arguments: [
    ("questions", #"sed -i 's/"modelHash":"[0-9a-f]*"/"modelHash":"0123"/' $l"#, "which is not here"),
    ("questions", "sed -i '0,/answered/{/answered/d}' $l", "'What is this?' has no result"),
    ("questions", "sed -i '/answered/d' $l", "nothing is compared"),
    // What follows upon an answer that was cut off is not vouched for, whatever it says.
    (
      "questions", #"sed -i '5s/"isPartial":false/"isPartial":true/; 7s/"red"/"HACKED"/; 8,$d' $l"#,
      "1 answer not checked, as it follows one that was cut off"
    ),
    ("questions", "sed -i '/asked/d' $l", "a request that the log does not have"),
    (
      "questions", #"grep -m1 answered $l | sed 's/"text":"[^"]*"/"text":"LIES"/' >>$l"#,
      "is one result more than the question 'What is this?' asked for"
    ),
    ("guidance", "sed -i '5,$d; 4p' $l", "is one result more than the drawing of"),
    ("questions", "sed -i '0,/asked/{/asked/p}' $l", "'What is this?' has no result"),
    (
      "questions", #"echo '{"event":{"flown":{"a":1}},"time":1795619528.6,"version":1}' >>$l"#,
      "1 entry of an unknown kind is not checked"
    ),
    ("questions", #"sed -i 's/"isPartial":false/"isPartial":true/' $l"#, "nothing is compared"),
    (
      "guidance", #"sed -i '5,$d; s/"steps":50/"steps":4096/g; s/"stepsDone":50/"stepsDone":4096/' $l"#,
      "number of steps"
    ),
    ("guidance", #"sed -i '5,$d; 3s/"steps":50/"steps":4096/' $l"#, "its request's number of steps"),
    ("guidance", #"sed -i '5,$d; s/"isPartial":false/"isPartial":true/' $l"#, "calls the picture cut off"),
    ("guidance", "sed -i '4,$d' $l", "nothing is compared"),
    ("guidance", "sed -i '5,$d' $l; cp $(ls s/pictures/* | tail -1) s/pictures/8d0a*", "was altered"),
    ("guidance", "sed -i '5,$d' $l; for f in s/pictures/*; do echo >>$f; done", "was altered"),
    ("guidance", "sed -i '5,$d' $l; rm s/pictures/*", "is missing"),
    ("questions", ": >$l", "the log is empty; nothing is compared"),
    ("questions", "sed -i 's/^{/[/' $l", "entries are damaged; nothing is compared"),
    ("questions", "head -c 700 $l >t; mv t $l", "1 damaged entry could not be read"),
    ("guidance", "sed -i '4d; 7,$d' $l", "'a yellow star' has no result"),
    ("guidance", "sed -i '5,$d; 3s/\"count\":1/\"count\":3/' $l", "1 of 3 results"),
  ])
  func whatIsNotWholeIsNotIdentical(_ example: String, _ change: String, _ says: String) throws {
    let found = try verify(example, change)
    #expect(found.status == 1 && !found.out.contains("identical"), "\(change): \(found)")
    #expect(found.error.contains(says), "\(change): \(found)")
  }

  /// What waited when a studio was killed, what the next one writes of it, and that it was asked again. Bash has the model's
  /// hash in `h`, and a picture in `p`.
  private static var killed: (waits: String, owed: [String], done: [String]) {
    func asked(_ request: Int, _ text: String) -> String {
      #"{"asked":{"pictures":[],"request":\#(request),"sampling":{"seed":0,"temperature":0},"text":"\#(text)"}}"#
    }
    func failed(_ request: Int, _ reason: String) -> String {
      #"{"failed":{"reason":"\#(reason)","request":\#(request)}}"#
    }
    let star =
      #"{"drawingAsked":{"count":1,"request":4,"settings":{"decoderSteps":1,"guidanceScale":3,"negative":"","prompt":"a star","seed":9,"steps":50}}}"#
    let waits = #"{"queued":{"_0":[\#(asked(3, "And now?")),\#(star)]}}"#
    // As the next studio writes it.
    let again =
      #"{"queued":{"_0":[\#(asked(2, "What color is the car?")),\#(asked(3, "And now?")),\#(star)]}}"#
    let owed = [
      failed(2, "not finished: the studio ended before it was done"), asked(3, "And now?"),
      failed(3, "was waiting when the studio ended"), star, failed(4, "was waiting when the studio ended"),
      again, #"{"opened":{"model":"nano","modelHash":"'"$h"'","program":"p"}}"#,
    ]
    let done = [
      #"{"unqueued":{"_0":[2,3,4]}}"#, asked(5, "What is this?").replacing("[]", with: "['\"$p\"']"),
      #"{"answered":{"isPartial":false,"request":5,"seconds":1,"text":"a red car","tokens":3}}"#,
    ]
    return (waits, owed, done)
  }

  /// What a killed studio left is told as that, before and after the session is taken up; it is not whole until it was asked
  /// again or dropped.
  @Test func whatAKilledStudioLeftIsCounted() throws {
    let (waits, owed, done) = Self.killed
    let told = "; 1 was cut off and 2 were never begun, as the studio ended"
    for (events, says, status) in [
      ([waits], "1 answer is as recorded" + told, 1), ([waits] + owed, "1 answer is as recorded" + told, 1),
      ([waits] + owed + done, "2 answers are identical, bit for bit" + told, 0),
    ] as [([String], String, Int32)] {
      let lines = events.map { #"echo '{"event":\#($0),"time":1795619540,"version":1}' >>$l"# }
      let found = try verify(
        "questions",
        #"""
        h=$(sed -n 's/.*"modelHash":"\([0-9a-f]*\).*/\1/p' $l | head -1)
        p='"'$(sed -n '4s/.*"\([0-9a-f]\{64\}\)".*/\1/p' $l)'"'; sed -i '7,$d' $l
        """# + "\n" + lines.joined(separator: "\n"))
      #expect(found.status == status && found.out == says + "\n", "\(found)")
      #expect(!found.error.contains("no result"), "\(found)")
      guard status == 1 else { continue }
      for line in [
        "entry 6: the question 'What color is the car?' was cut off: its studio ended before it was done",
        "the question 'And now?' was never begun", "the drawing of 'a star' was never begun",
      ] {
        #expect(found.error.contains(line), "\(line): \(found)")
      }
    }
    // Nothing else is there.
    let found = try verify("questions", "sed -i '5,$d' $l")
    #expect(
      found.status == 1 && found.error.contains("1 was cut off, as the studio ended; nothing is compared"))
  }

  /// What was taken out of the queue was never told the model, which goes on with what it was asked.
  @Test func whatOnlyWaitedIsForgottenByNobody() throws {
    let undone = #"{"event":{"undone":{"request":9}},"time":1795619526,"version":1}"#
    let found = try verify("questions", "sed -i '8,$d' $l; sed -i '5a \(undone)' $l")
    #expect(found.status == 0 && found.out == "2 answers are identical, bit for bit\n", "\(found)")
  }

  /// A picture without settings was altered; that other programs' pictures have some is no help.
  @Test func aPictureWithoutSettingsWasAltered() throws {
    try shell.writePictures("gray.png")
    let found = try verify(
      "guidance", "sed -i '5,$d' $l; for f in s/pictures/*; do cp gray.png $f; done")
    #expect(
      found.status == 1
        && found.error.contains("has no settings that vugen can read; the picture was altered")
        && !found.error.contains("AUTOMATIC1111"), "\(found)")
  }
}
