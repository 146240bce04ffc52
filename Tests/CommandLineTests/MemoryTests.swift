import Foundation
import Pictures
import ProgramSupport
import Recipes
import Tensors
import TestSupport
import Testing
import VUGEN

/// Little memory: one line and a status of failure, or the work done; no crash, and no waiting without an end.
@ThirdCommands
struct MemoryTests {
  @Test func littleMemoryIsOneLine() throws {
    let shell = try Shell()
    try shell.writePictures("a.png")
    var refusals = 0
    for limit in stride(from: 300_000, through: 560_000, by: 20_000) {
      for (number, command) in [
        "caption a.png --max-tokens 2", "imagine x --steps 1 -o o.png --overwrite",
        "reconstruct a.png -o r.png --overwrite",
      ]
      .enumerated() {
        // Each limit with one of them, and the lowest with all.
        guard limit == 300_000 || limit / 20_000 % 3 == number else { continue }
        let found = try shell.run("ulimit -c 0; ulimit -v \(limit); timeout -s KILL 60 \"$P\" \(command)")
        let isRefusal =
          found.status == 1 && found.error.hasPrefix("vugen: not enough memory: ")
          && found.error.contains(" MB may be used here") && found.error.split(separator: "\n").count == 1
        // What was foreseen is an estimate: near it the pool may find that there is no more, and says so as well.
        let isNoticed =
          found.status == 1 && found.error.hasPrefix("vugen: out of memory: ")
          && found.error.split(separator: "\n").count == 1
        #expect(
          isRefusal || isNoticed || found.status == 0 && found.error.isEmpty, "\(limit) \(command): \(found)")
        if isRefusal { refusals += 1 }
      }
    }
    #expect(refusals > 3)
    let data = try shell.run("ulimit -d 100000; timeout -s KILL 60 \"$P\" ask hi --max-tokens 2")
    #expect(data.status == 1 && data.error.contains("ulimit -d"), "\(data)")
    let told = try shell.run("ulimit -v 380000; OMP_NUM_THREADS=1 timeout -s KILL 60 \"$P\" imagine x --json")
    #expect(told.status == 1 && told.out.hasPrefix("{\"error\":\"not enough memory: "), "\(told)")
    let enough = try shell.run(
      "ulimit -v 700000; OMP_NUM_THREADS=1 timeout -s KILL 60 \"$P\" imagine x --steps 1 -o o.png --overwrite"
    )
    #expect(enough.status == 0 && enough.error.isEmpty, "\(enough)")
  }

  /// The cut-outs that scenes are made of are many, and are counted before they are read.
  @Test func scenesAreRefusedInOneLine() throws {
    let shell = try Shell()
    var refusals = 0
    for (limit, command) in [
      (370_000, "evaluate understanding --scenes 2"), (390_000, "evaluate understanding --scenes 2"),
      (410_000, "evaluate understanding --scenes 2"), (440_000, "evaluate understanding --scenes 2"),
      (500_000, "data build scenes -o s --train 8 --validation 0 --held-out 0"),
      (560_000, "data build scenes -o s --train 8 --validation 0 --held-out 0"),
    ] {
      let found = try shell.run(
        "ulimit -c 0; ulimit -v \(limit); OMP_NUM_THREADS=1 timeout -s KILL 60 \"$P\" \(command) --json")
      let object = try JSONSerialization.jsonObject(with: Data(found.out.utf8)) as? [String: Any]
      let isRefusal =
        found.status == 1 && (object?["error"] as? String)?.hasPrefix("not enough memory: ") == true
      #expect(isRefusal || found.status == 0, "\(limit) \(command): \(found)")
      if isRefusal { refusals += 1 }
    }
    #expect(refusals > 1)
  }

  /// Before anything begins, too, whatever is short; behind -- it is a word.
  @Test func whatKeepsItFromBeginningIsAnObject() throws {
    let shell = try Shell()
    for (limit, says) in [("v 330000", "ulimit -v"), ("n 5", "ulimit -n")] {
      for words in ["doctor --json", "sessions list --json", "caption --json x.png"] {
        let found = try shell.run("ulimit -c 0; ulimit -\(limit); OMP_NUM_THREADS=1 \"$P\" \(words)")
        guard limit.hasPrefix("v") || geteuid() != 0 else { continue }
        let object = try JSONSerialization.jsonObject(with: Data(found.out.utf8)) as? [String: String]
        #expect(
          found.status == 1 && object?["error"]?.contains(says) == true && found.error.isEmpty,
          "\(words): \(found)")
      }
    }
    let word = try shell.run("ulimit -v 330000; OMP_NUM_THREADS=1 \"$P\" imagine -- --json")
    #expect(word.status == 1 && word.out.isEmpty && word.error.hasPrefix("vugen: not enough"), "\(word)")
  }

  /// The most that a program has held, in bytes.
  private func peak(_ command: String, _ shell: Shell) throws -> Double {
    let found = try shell.run(
      """
      "$P" \(command) >said 2>&1 & p=$!
      while kill -0 $p 2>/dev/null; do t=$(grep VmHWM /proc/$p/status 2>/dev/null) && s=$t; sleep 0.05; done
      wait $p; echo "$?" $s
      """)
    let words = found.out.split(whereSeparator: \.isWhitespace)
    #expect(words.first == "0" && words.count == 4, "\(command): \(found)")
    return words.count == 4 ? (Double(words[2]) ?? 0) * 1024 : 0
  }

  /// What is refused for want of memory is about what would be taken.
  @Test func estimatesAreMeasured() throws {
    let shell = try Shell()
    try shell.writePictures("in/a.png", "in/b.png", "in/c.png", "in/d.png")
    _ = try shell.run(
      "for i in a b c d; do echo 'a gray square' >in/$i.txt; done; V data build folder in -o s")
    let c = try UnderstandingConfiguration(folder: EmbeddedModel.folder)
    let drawing = try GenerationConfiguration(folder: EmbeddedModel.folder)
    let settings =
      "-o r --overwrite --set data.shards=s --set optimization.steps=1 --set run.sampleMinutes=0 --set data.batch"
    var decoder = DecoderRecipe(), generator = GeneratorRecipe(), understanding = UnderstandingRecipe()
    (understanding.data.shards, understanding.data.batch) = ("s", 4)
    (decoder.data.shards, decoder.data.batch) = ("s", 4)
    (generator.data.shards, generator.data.batch, generator.data.scenes) = ("s", 8, 4)
    for (command, need) in [
      (
        "train understanding -o u --set data.shards=s --set optimization.steps=1 --set data.batch=4",
        understanding.memoryNeed
      ),
      ("train decoder \(settings)=4", try decoder.memoryNeed(upon: c)),
      (
        "train generator \(settings)=8 --set data.scenes=4 --set measure.minutes=0",
        generator.memoryNeed(of: drawing, beside: c, stored: 4)
      ),
      ("caption in", Double(LoadedModel.peakBytes(of: EmbeddedModel.folder))),
      (
        // Several: the peak comes with the first, and is there to be seen while the others are drawn.
        "imagine x --steps 2 --count 4 -o o",
        Double(LoadedModel.peakBytes(of: EmbeddedModel.folder, drawing: true))
      ),
    ] {
      let found = try peak(command, shell), share = need / found
      #expect(share > 0.65 && share < 1.5, "\(command): \(need) for \(found) bytes, \(share)")
    }
    let refused = try shell.run("V train decoder \(settings)=65536")
    #expect(
      refused.status == 1 && refused.error.contains("data.batch")
        && refused.error.contains(" GB are free; make them smaller"), "\(refused)")
  }

  /// Shards are mapped and indexed: a set of a gigabyte takes no more than one of a few megabytes; and a shard is written
  /// some pictures at a time.
  @Test func aLargeSetTakesNoMoreMemory() throws {
    let shell = try Shell()
    var random = Philox(seed: 6)
    let rgb = random.integers(below: 256, count: 200 * 200 * 3).map { UInt8($0) }
    try shell.write(Data(try Picture(width: 200, height: 200, rgb: rgb).pngData()), "noise.png")
    let made = try shell.run(
      """
      mkdir in many; for i in {100..139}; do cp noise.png in/$i.png; echo picture $i >in/$i.txt; done
      V data build folder in -o one
      for i in {100..339}; do ln -s ../one/train-000000.tar many/$i.tar; done; V data inspect many
      """)
    #expect(made.out == "40 pictures in one\n9600 samples in 240 shards\n", "\(made)")
    let settings = "--set data.batch=2 --set optimization.steps=2 --set data.validation=0 -o r --overwrite"
    let peaks = try ["one", "many"].map {
      try peak("train understanding --from nano --set data.shards=\($0) \(settings)", shell)
    }
    #expect(peaks[1] < peaks[0] + 60e6, "\(peaks)")
    // Six hundred pictures of half a megabyte.
    _ = try shell.run(
      "head -c 500000 /dev/zero >>noise.png; for i in {100..699}; do ln -f noise.png in/$i.png; echo x >in/$i.txt; done"
    )
    let build = try peak("data build folder in -o large", shell)
    #expect(build < 250e6, "\(build)")
  }
}
