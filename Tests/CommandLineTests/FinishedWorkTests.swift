import Foundation
import ProgramSupport
import TestSupport
import Testing

/// What is finished is not thrown away, whatever ends the program, and what several programs write at once is all there.
@FirstCommands
struct FinishedWorkTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// So many pictures in `in`.
  private func pictures(_ count: Int) throws {
    try shell.writePictures((1000..<1000 + count).map { "in/\($0).png" })
  }

  /// Ctrl-C, and other signals that ask for the end, beside a list that is there: it stays, and so does what is finished.
  @Test(arguments: ["INT", "TERM", "HUP"])
  func interruptingKeepsBoth(_ signal: String) throws {
    try pictures(400)
    let found = try shell.run(
      """
      echo before >l.jsonl; cp in/1000.png s.png
      env --default-signal=INT "$P" caption in -o l.jsonl --sheet s.png --overwrite --max-tokens 3 --batch 2 2>said & p=$!
      \(Shell.until("[ -s l.jsonl.partial ]")); kill -\(signal) $p; wait $p; echo $?
      cat l.jsonl; cmp s.png in/1000.png && echo same; head -c 4 s-2.png | tail -c 3; echo
      ls -I in -I said; grep -vc '^{"caption":.*}$' l-2.jsonl; sed 's/after [0-9]* of/after N of/' said; wc -l <l-2.jsonl
      """)
    let status = ["INT": "130", "TERM": "143", "HUP": "129"][signal] ?? ""
    let start = """
      \(status)
      before
      same
      PNG
      l-2.jsonl
      l.jsonl
      s-2.png
      s.png
      0
      vugen: interrupted after N of 400 pictures; l.jsonl is as it was, and l-2.jsonl holds these
      vugen: interrupted after N of 400 pictures; s.png is as it was, and s-2.png holds these

      """
    #expect(found.out.hasPrefix(start), "\(found)")
    let kept = found.out.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    #expect(kept > 0 && kept < 400, "\(found)")
  }

  /// Ctrl-C behind a picture that could not be read: the list has the others.
  @Test func anInterruptionTellsWhatTheListHolds() throws {
    try pictures(400)
    try shell.write("no picture", "in/0.png")
    let found = try shell.run(
      """
      env --default-signal=INT "$P" caption in -o l.csv --max-tokens 3 --batch 2 2>said & p=$!
      \(Shell.until("[ $(wc -l <l.csv.partial) -gt 2 ]")); kill -INT $p; wait $p
      tail -n 1 said | sed 's/after [0-9]* of/after N of/'; tail -n +2 l.csv | wc -l
      """)
    let lines = found.out.split(separator: "\n").map(String.init)
    #expect(
      lines.count == 2
        && lines[0]
          == "vugen: interrupted after N of 401 pictures; l.csv holds the captions of \(lines[1]), as 1 could not be described",
      "\(found)")
  }

  /// What nobody can take leaves the list as it grew.
  @Test func aKilledProgramLeavesItsList() throws {
    try pictures(400)
    let found = try shell.run(
      """
      "$P" caption in -o l.csv --max-tokens 3 --batch 2 & p=$!
      \(Shell.until("[ -s l.csv.partial ]")); kill -KILL $p; wait $p; ls -I in; head -2 l.csv.partial
      """)
    #expect(
      found.out.hasPrefix("l.csv.partial\nfile,caption\nin/1000.png,"), "\(found)")
    // Another one has a name of its own.
    let again = try shell.run("V caption in/1000.png -o l.csv --max-tokens 3; wc -l <l.csv; ls -I in")
    #expect(again.out == "2\nl.csv\nl.csv.partial\n", "\(again)")
  }

  /// Where the disk is full, or a file may not grow, what fits is kept in whole lines.
  @Test(arguments: ["csv", "jsonl", "txt"])
  func aFullDiskKeepsWhatFits(_ ending: String) throws {
    try pictures(60)
    for (before, place) in [("rm -f l.*", "l"), ("echo before >l.\(ending)", "l-2")] {
      let found = try shell.run(
        """
        \(before); (ulimit -f 1; V caption in -o l.\(ending) --overwrite --max-tokens 3); echo $?
        tail -c 1 \(place).\(ending) | od -An -c; grep -c 'in/1' \(place).\(ending); ls -I in; cat l.\(ending) | head -1
        """)
      let lines = found.out.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(lines.count > 3 && lines[0] == "1" && lines[1] == "\\n", "\(found)")
      let count = lines.count > 2 ? Int(lines[2]) ?? 0 : 0
      #expect(count > 1 && count < 60, "\(found)")
      #expect(
        found.error.hasPrefix("vugen: l.\(ending): cannot be written: File too large; ")
          && found.error.contains("; what is finished, \(count) of 60 pictures, is in \(place).\(ending)\n")
          && found.error.split(separator: "\n").count == 1, "\(found)")
      #expect(place == "l" || lines.last == "before", "\(found)")
    }
    let device = try shell.run("V caption in/1000.png -o /dev/full --max-tokens 3 --json; echo $?")
    #expect(
      device.out
        == "{\"error\":\"/dev/full: cannot be written: No space left on device; make room, or name another place\"}\n1\n",
      "\(device)")
  }

  /// What is told to be in a list is in it: of pictures that cannot be read it has nothing, unless it is JSON.
  @Test(arguments: ["csv", "jsonl"]) func whatIsToldToBeInAListIs(_ ending: String) throws {
    try pictures(60)
    try shell.write("no picture", "in/1001-odd.png")
    let found = try shell.run(
      "(ulimit -f 1; V caption in -o l.\(ending) --max-tokens 3); grep -c in/1 l.\(ending)")
    let held = found.out.split(separator: "\n").last.map(String.init) ?? ""
    #expect(
      !held.isEmpty
        && found.error.contains("; what is finished, \(held) of 61 pictures, is in l.\(ending)\n"),
      "\(found)")
  }

  /// Pictures beside a Markdown that is not written go with it: ended by a signal, or where it cannot be written; what
  /// was in their folder stays.
  @Test func aMarkdownThatIsNotWrittenLeavesNoPictures() throws {
    let made = try shell.run(
      """
      S=.home/.local/share/vugen/sessions/20260101-000000-abcd; mkdir -p $S/pictures
      for i in $(seq 100); do
        echo $i >p; h=$(sha256sum <p); h=${h%% *}; mv p $S/pictures/$h.png
        echo '{"version":1,"time":1,"event":{"attached":{"picture":"'$h'","name":"'$i'"}}}' >>$S/log.jsonl
      done
      V sessions export last -o whole.md >said; echo $?; ls whole-pictures | wc -l
      """)
    #expect(made.out == "0\n100\n", "\(made)")
    // A crash is not among them: sent to a thread that makes a file at this moment, it finds the lock taken.
    for signal in ["TERM", "INT", "HUP", "QUIT"] {
      for mine in [":", "mkdir x-pictures; echo mine >x-pictures/mine"] {
        let found = try shell.run(
          """
          ulimit -c 0; for i in $(seq 50); do
            rm -rf x*; \(mine)
            env --default-signal=INT,QUIT "$P" sessions export last -o x.md >said 2>&1 & p=$!
            until compgen -G 'x-pictures/?????????*.png' >/dev/null || ! kill -0 $p; do :; done; kill -STOP $p
            [ -s x.md ] || break; kill -CONT $p; wait $p
          done
          kill -\(signal) $p; kill -CONT $p; wait $p 2>/dev/null; ls -d x*; ls x-pictures
          """)
        #expect(found.out == (mine == ":" ? "" : "x-pictures\nmine\n"), "\(signal): \(found.out.prefix(300))")
      }
    }
    // The pictures fit, the text does not.
    let full = try shell.run(
      "(ulimit -f 4; V sessions export last -o x.md); echo $?; ls -d x*; ls x-pictures")
    #expect(
      full.out == "1\nx-pictures\nmine\n" && full.error.hasPrefix("vugen: x.md: cannot be written"), "\(full)"
    )
  }

  /// What is measured and drawn before Ctrl-C is told.
  @Test func anEvaluationTellsWhatItHas() throws {
    let session = try Session(
      ["evaluate", "understanding", "--scenes", "24", "--json", "--threads", "1"], rows: 24, columns: 100,
      home: shell.folder)
    #expect(session.expect("held-out: ", rows: 24), "\(session.screen(24))")
    session.type("\u{3}")
    #expect(session.end() == 130)
    let said = String(decoding: session.sent, as: UTF8.self)
    #expect(said.contains("\"error\":\"interrupted\"") && said.contains("\"val caption\":"), "\(said)")
    #expect(!said.contains("\"held-out caption\":"), "\(said)")
    try shell.write("before", "s.png")
    let drawing = try Session(
      [
        "evaluate", "generation", "--samples", "3", "--steps", "25", "--cfg", "3", "--threads", "1",
        "--sheet", "s.png",
        "--overwrite",
      ], rows: 24, columns: 100, home: shell.folder)
    #expect(drawing.expect("guidance 3.0: 1 pictures", rows: 24), "\(drawing.screen(24))")
    drawing.type("\u{3}")
    #expect(drawing.end() == 130)
    let told = String(decoding: drawing.sent, as: UTF8.self)
    #expect(told.contains("; s-2.png holds them"), "\(told)")
    #expect(try shell.run("cat s.png; head -c 4 s-2.png | tail -c 3").out == "beforePNG")
  }

  /// What is measured is printed at once, also where nobody looks.
  @Test func whatIsMeasuredIsPrintedAtOnce() throws {
    let found = try shell.run(
      """
      "$P" evaluate understanding --scenes 24 --threads 1 >told & p=$!
      \(Shell.until("grep -q 'val, 24 scenes' told")); kill -TERM $p; wait $p; echo $?; grep -c 'scenes$' told
      """)
    #expect(found.out == "143\n1\n", "\(found)")
  }

  /// Each of several programs that write one name at once has a file of its own, and says which.
  @Test func manyAtOnceLoseNothing() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    let store = ".home/.local/share/vugen/sessions"
    for (i, said) in ["one", "two", "three", "four"].enumerated() {
      let note = #"{"version":1,"time":1,"event":{"note":{"_0":"\#(said)"}}}"# + "\n"
      try shell.write(note, "\(store)/2026010\(i + 1)-000000-abcd/log.jsonl")
    }
    // One that comes later finds the file there, and refuses.
    for (command, name) in [
      ("sessions export 2026010$i -o", "same.html"), ("sessions export 2026010$i -o", "same.md"),
      ("encode in/a.png -o", "same.safetensors"), ("caption in --max-tokens 2 -o", "same.csv"),
      ("caption in --max-tokens 2 --sheet", "same.png"),
    ] {
      let found = try shell.run(
        """
        rm -f same*; for i in 1 2 3 4; do (V \(command) \(name) >told.$i && echo done) & done; wait; ls same*
        """)
      let lines = found.out.split(separator: "\n")
      let (done, files) = (lines.count { $0 == "done" }, lines.count { $0.hasPrefix("same") })
      #expect(done > 0 && done == files, "\(command): \(found)")
      let (refused, moved) = (
        "already exists", "was written by another program meanwhile; this one's is same-"
      )
      let said = found.error.split(separator: "\n")
      #expect(
        said.count { $0.contains(refused) } == 4 - done && said.count { $0.contains(moved) } == done - 1,
        "\(command): \(found)")
    }
    // A name that the program chooses is a free one.
    for _ in 0..<4 {
      let found = try shell.run(
        "rm -f vugen-*; for i in 1 2 3 4; do V sessions export 20260101 & done; wait; ls vugen-*")
      #expect(found.error.isEmpty && found.out.split(separator: "\n").count == 8, "\(found)")
      #expect(Set(found.out.split(separator: "\n")).count == 4, "\(found)")
    }
  }
}
