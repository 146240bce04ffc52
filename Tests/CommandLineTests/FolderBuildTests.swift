import Foundation
import Pictures
import ProgramSupport
import Tensors
import TestSupport
import Testing

/// `data build folder` goes on where it was ended, whatever ended it.
@FirstCommands
struct FolderBuildTests {
  private let shell: Shell
  private static let build = "data build folder in --per-shard 10 --size 120 -o"
  /// The program in `s`, until it has finished three shards of thirty; what it says is in `said`.
  private static let begun =
    "env --default-signal=INT,QUIT \"$P\" \(build) s 2>said & p=$!; \(Shell.until("[ -e s.partial/shards/train-000002.tar ]"))"

  /// Three hundred pictures that take a while.
  init() throws {
    shell = try Shell()
    var random = Philox(seed: 4)
    let rgb = random.integers(below: 256, count: 300 * 300 * 3).map { UInt8($0) }
    try shell.write(Data(try Picture(width: 300, height: 300, rgb: rgb).pngData()), "noise.png")
    let made = try shell.run(
      "mkdir in; for i in {100..399}; do cp noise.png in/$i.png; echo picture $i >in/$i.txt; done")
    #expect(made.status == 0, "\(made)")
  }

  /// Shards of before the end are those of after it, and the whole is that of a build that nothing ended.
  @Test func whatEndsItLeavesWhatIsFinished() throws {
    #expect(try shell.run("V \(Self.build) whole").status == 0)
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131), ("KILL", 137)] {
      let found = try shell.run(
        """
        \(Self.begun); kill -\(signal) $p; wait $p; echo $?
        ls -d s 2>/dev/null; stat -c %y s.partial/shards/train-00000[01].tar >before
        V \(Self.build) s 2>again; echo $?; stat -c %y s/train-00000[01].tar | cmp - before && echo kept
        diff -r s whole && echo same; ls -d s.*
        sed 's/[0-9]* of/N of/' said; sed 's/[0-9]* of/N of/' again; rm -r s
        """)
      let isAsked = ["INT", "TERM", "HUP"].contains(signal)
      let said = "s.partial holds N of 300 pictures"
      #expect(
        found.out == """
          \(status)
          \(signal == "KILL" ? "s\n" : "")300 pictures in s
          0
          kept
          same
          \(isAsked ? "vugen: interrupted; \(said), and the same command goes on with them\n" : "")vugen: goes on: \(said)

          """, "\(signal): \(found)")
    }
  }

  /// What is no more as it was is made again, and nothing else: a caption, a picture of the same size, a shard, half a line.
  @Test func whatHasChangedIsMadeAgain() throws {
    let found = try shell.run(
      """
      echo no picture >in/101.png; \(Self.begun); kill -KILL $p; wait $p
      for i in 0 1 2; do stat -c %y s.partial/shards/train-00000$i.tar >before$i; done
      echo other >in/115.txt; printf x | dd of=in/125.png bs=1 seek=99 conv=notrunc 2>/dev/null
      V \(Self.build) s 2>&1
      for i in 0 1 2; do stat -c %y s/train-00000$i.tar | cmp -s - before$i && echo kept || echo made again; done
      V \(Self.build) whole 2>/dev/null; diff -r s whole && echo same; ls -d s.*
      """)
    let lines = found.out.split(separator: "\n").map {
      String($0.replacing(#/holds \d+/#, with: "holds N").replacing(#/(png:) .*/#) { $0.1 })
    }
    #expect(
      lines == [
        "vugen: goes on: s.partial holds N of 300 pictures", "vugen: in/101.png:", "vugen: in/125.png:",
        "298 pictures in s, 2 left out", "kept", "made again", "made again",
        "298 pictures in whole, 2 left out", "same",
      ], "\(found)")
    // Another size; a folder that has fewer pictures; an account whose last line is cut.
    for change in ["", "rm in/39?.png in/39?.txt", "truncate -s -5 s.partial/made.jsonl"] {
      let size = change.isEmpty ? " --size 60" : ""
      let found = try shell.run(
        """
        rm -r s whole; \(Self.begun); kill -KILL $p; wait $p; \(change)
        V \(Self.build) s\(size) >/dev/null 2>again; V \(Self.build) whole\(size) >/dev/null 2>&1
        diff -r s whole && echo same; ls -d s.*; head -n 1 again
        """)
      let says =
        size.isEmpty ? "vugen: goes on: s.partial holds" : "vugen: what s.partial held was made of other"
      #expect(found.out.hasPrefix("same\n\(says)"), "\(change): \(found)")
    }
  }

  /// A full disk: what fits stays, also where a folder of before is to be replaced.
  @Test func withoutRoomWhatFitsStays() throws {
    try shell.writePictures("gray.png")
    let found = try shell.run(
      """
      rm in/[23]??.*; for i in {100..199}; do [ $i = 115 ] || cp gray.png in/$i.png; done
      mkdir s; echo old >s/train-000000.tar; build='data build folder in --per-shard 10 --overwrite -o s'
      (ulimit -f 200; V $build 2>&1); echo $?; cat s/train-000000.tar; ls s.partial/shards
      V $build 2>&1; echo $?; ls s | wc -l; ls -d s.*
      """)
    #expect(
      found.out == """
        vugen: s/train-000001.tar: cannot be written: File too large; raise the limit (ulimit -f), or name another place; s.partial holds 10 of 100 pictures, and the same command goes on with them
        1
        old
        train-000000.tar
        vugen: goes on: s.partial holds 10 of 100 pictures
        100 pictures in s
        0
        10

        """, "\(found)")
  }

  /// Two at once: one of them works.
  @Test func twoExcludeEachOther() throws {
    let found = try shell.run(
      """
      V \(Self.build) whole >/dev/null; \(Self.begun); kill -STOP $p
      V \(Self.build) s; echo $?; kill -CONT $p; wait $p; echo $?; diff -r s whole && echo same; ls -d s.*
      """)
    #expect(found.out == "1\n300 pictures in s\n0\nsame\n", "\(found)")
    #expect(found.error.contains("vugen: s: another run writes here"), "\(found)")
  }

  /// Where its place is somebody's, or none can be made, nothing is kept, and nothing of others is touched.
  @Test func foldersOfOthersAreLeftAlone() throws {
    let found = try shell.run(
      """
      V \(Self.build) whole >/dev/null
      mkdir -p a.partial/shards c.partial; echo mine >a.partial/shards/notes.txt; echo mine >b.partial
      ln -s ../whole c.partial/shards
      for o in a b c; do
        env --default-signal=INT,QUIT "$P" \(Self.build) $o 2>said & p=$!
        \(Shell.until("ls $o.*.*.partial/train-000002.tar 2>/dev/null")) >/dev/null; kill -INT $p; wait $p; echo $?; cat said
        V \(Self.build) $o; diff -r $o whole && echo same
      done
      cat a.partial/shards/notes.txt b.partial; ls whole | wc -l; ls -d *.partial
      """)
    let each = ["a", "b", "c"].map { "130\n300 pictures in \($0)\nsame\n" }.joined()
    #expect(found.out == each + "mine\nmine\n30\na.partial\nb.partial\nc.partial\n", "\(found)")
  }
}
