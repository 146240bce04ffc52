import Foundation
import ProgramSupport
import TestSupport
import Testing

/// Training on what a person brings, and how it tells of itself.
@FourthCommands
struct OwnDataTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  private static let settings = [
    "data.batch=1", "data.questions=1", "model.imageSize=32", "model.patchSize=8", "model.visionWidth=16",
    "model.visionLayers=1", "model.visionHeads=2", "model.textWidth=16", "model.textLayers=1",
    "model.textHeads=2", "model.keyValueHeads=1", "model.textHidden=32", "model.vocabulary=400",
    "optimization.steps=2",
  ].map { "--set \($0)" }.joined(separator: " ")

  /// Words come from the captions given; what the data cannot feed is off, and said to be; a finished run says so.
  @Test func wordsComeFromOnesOwnCaptions() throws {
    try shell.writePictures("in/a.png", "in/b.png")
    for name in ["a", "b"] { try shell.write("ein blaugrünes Zahnradgetriebe", "in/\(name).txt") }
    let found = try shell.run(
      """
      V data build folder in -o s >/dev/null
      V train understanding -o r --set data.shards=s \(Self.settings); echo $?
      grep -q Zahnradgetriebe r/tokenizer.json; echo $?; grep -c apple r/tokenizer.json
      """)
    #expect(found.out.hasSuffix("step 2 of 2, finished: the model is in r/model\n0\n0\n0\n"), "\(found)")
    #expect(
      found.error.contains("vugen: learning words from 2 captions\n") && !found.error.contains("scenes")
        && found.error.contains("localisation, centres, colours, outlines: off"), "\(found)")
    let metrics = try String(contentsOfFile: shell.folder + "/r/metrics.jsonl", encoding: .utf8)
    #expect(metrics.contains("\"text\"") && !metrics.contains("localisation"))
    // Title and axes; and nothing is left to do.
    let plot = try shell.run("V train plot r").out.split(separator: "\n")
    #expect(plot.count == 12 && plot.first?.contains("r: loss") == true, "\(plot)")
    #expect(plot.last?.contains(#/ 1 +step +2$/#) == true, "\(plot)")
    let again = try shell.run("V train understanding -o r --resume")
    #expect(again.out.hasSuffix("step 2 of 2, already finished: the model is in r/model\n"), "\(again)")
    #expect(
      again.error.hasSuffix("nothing was done; to continue, raise optimization.steps (now 2)\n"), "\(again)")
    // Interrupted in its first new step, which is long, it has what it had.
    let left = try shell.run(
      """
      sed -i 's/^batch = 1$/batch = 4096/' r/recipe.toml
      env --default-signal=INT "$P" train understanding -o r --resume --set optimization.steps=9 2>said & p=$!
      \(Shell.until("grep -q parameters said")); kill -INT $p; wait $p; echo $?; tail -n 1 said
      """)
    #expect(
      left.out
        == "130\nvugen: interrupted before the first new step; the checkpoint of step 2 is as it was, and --resume goes on from there\n",
      "\(left)")
    // Nothing is left to learn from.
    let none = try shell.run(
      "V train understanding -o n --set data.shards=s \(Self.settings) --set objectives.text=0 --set objectives.contrastive=0 --set objectives.shades=0; ls -d n"
    )
    #expect(none.error.contains("nothing under objectives can be learnt from these data"), "\(none)")
  }

  /// Before its first step a run leaves nothing, and says so.
  @Test func anInterruptionBeforeTheFirstStepIsSaid() throws {
    let found = try shell.run(
      """
      env --default-signal=INT "$P" train understanding -o r \(Self.settings) 2>said & p=$!
      \(Shell.until("grep -q words said")); kill -INT $p; wait $p; echo $?; cat said; ls -d r
      """)
    #expect(
      found.out
        == "130\nvugen: learning words from 20000 scenes\nvugen: interrupted before the first step; nothing to resume\n",
      "\(found)")
    for (command, says) in [
      ("train plot nothing", "nothing: no such folder; name the folder of a run"),
      ("train plot e", "e: there is no step in it to plot; name the folder of a run that has done one"),
      ("train understanding -o e --resume", "e: there is no run here to resume"),
    ] {
      let failed = try shell.run("mkdir -p e; V \(command)")
      #expect(
        failed.status == 1 && failed.error.hasPrefix("vugen: \(says)")
          && failed.error.split(separator: "\n").count == 1, "\(failed)")
    }
    let pipe = try shell.run("mkfifo fifo; V train understanding -o p --recipe fifo; echo $?; ls -d p")
    #expect(pipe.out == "1\n" && pipe.error.hasPrefix("vugen: fifo: nothing comes out"), "\(pipe)")
  }
}
