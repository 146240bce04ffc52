import Foundation
import ProgramSupport
import TestSupport
import Testing

/// A run that is resumed with another recipe: what may change is said, what may not is refused, and begins a new run.
@FourthCommands
struct ForkTests {
  private let shell: Shell

  init() throws {
    shell = try Shell()
    try shell.writePictures("in/a.png", "in/b.png", "in/c.png", "in/d.png")
    for name in ["a", "b", "c", "d"] { try shell.write("red \(name)", "in/\(name).txt") }
  }

  private static let settings = [
    "data.shards=s", "data.batch=1", "data.questions=1", "model.imageSize=32", "model.patchSize=8",
    "model.visionWidth=16", "model.visionLayers=1", "model.visionHeads=2", "model.textWidth=16",
    "model.textLayers=1", "model.textHeads=2", "model.keyValueHeads=1", "model.textHidden=32",
    "model.vocabulary=400", "optimization.steps=2", "optimization.warmUp=0",
  ].map { "--set \($0)" }.joined(separator: " ")

  private func bytes(_ path: String) -> Data? {
    FileManager.default.contents(atPath: "\(shell.folder)/\(path)")
  }

  @Test func aChangedRecipeIsSaidOrRefused() throws {
    let begun = try shell.run(
      "V data build folder in -o s >/dev/null; V train understanding -o r \(Self.settings) >/dev/null; echo $?"
    )
    #expect(begun.out == "0\n", "\(begun)")
    let checkpoint = bytes("r/checkpoint.safetensors")
    for (change, said) in [
      ("--set data.batch=2", "data.batch from 1 to 2"), ("--set data.seed=5", "data.seed from 1 to 5"),
      ("--set model.textHidden=48", "model.textHidden from 32 to 48"),
      ("--set optimization.accumulation=2", "optimization.accumulation from 1 to 2"),
      ("--set objectives.text=2", "objectives.text from 1.0 to 2.0"),
      ("--set data.validation=0", "data.validation from '0.02' to '0'"),
    ] {
      let refused = try shell.run("V train understanding -o r --resume --set optimization.steps=3 \(change)")
      #expect(
        refused.status == 1
          && refused.error
            == "vugen: r: \(said) would make it another run; leave it as the folder's recipe has it, or begin a new run from its weights: add --fork NEWFOLDER\n",
        "\(refused)")
    }
    #expect(checkpoint != nil && bytes("r/checkpoint.safetensors") == checkpoint)
    // A recipe that leaves values out leaves them as they are.
    try shell.write("[optimization]\nsteps = 3\n[run]\nnice = 0\n", "more.toml")
    let changed = try shell.run("V train understanding -o r --resume --recipe more.toml")
    #expect(
      changed.status == 0
        && changed.error.contains("vugen: changed: optimization.steps from 2 to 3, run.nice from 10 to 0\n"),
      "\(changed)")
    let plain = try shell.run("V train understanding -o r --resume")
    #expect(!plain.error.contains("changed:"), "\(plain)")
    try forks()
  }

  /// The new run has its own steps, the old one stays as it was.
  private func forks() throws {
    let old = bytes("r/checkpoint.safetensors"), metrics = bytes("r/metrics.jsonl")
    let fork = try shell.run(
      """
      V train understanding -o r --fork n --set data.batch=2 --set optimization.steps=1 >/dev/null; echo $?
      V train understanding -o r --resume --fork w --set model.textHidden=48 --set optimization.steps=1 >/dev/null; echo $?
      grep -c step n/metrics.jsonl; grep '^batch = 2' n/recipe.toml; cmp r/tokenizer.json n/tokenizer.json; echo $?
      V caption --model w/model in/a.png >/dev/null; echo $?
      """)
    #expect(fork.out == "0\n0\n1\nbatch = 2\n0\n0\n", "\(fork)")
    #expect(
      fork.error.contains("vugen: r has different sizes; starting from scratch: ")
        && fork.error.contains("gate_proj") && !fork.error.contains("learning words"), "\(fork)")
    #expect(bytes("r/checkpoint.safetensors") == old && bytes("r/metrics.jsonl") == metrics)
    for (words, said) in [
      ("-o r --fork n", "n: holds a run"), ("-o r --fork r", "r"),
      ("-o gone --fork m", "gone: there is no run here"),
      ("-o r --fork m --from n/model", "--fork has its own weights"), ("--fork m", "--output"),
    ] {
      let refused = try shell.run("V train understanding \(words); echo $?; ls -d m")
      #expect(!refused.out.hasPrefix("0") && refused.error.contains(said), "\(words): \(refused)")
    }
  }

  /// A run upon another model's weights has that model's sizes, unless its recipe says otherwise; what it exports is called as
  /// the recipe says, and found by the run's folder.
  @Test func sizesAndNamesComeAlong() throws {
    let found = try shell.run(
      """
      V data build folder in -o s --per-shard 3 >/dev/null; ls s
      V train understanding --from nano --show-recipe -o r --set model.textLayers=2 | grep -E '^(patchSize|pooling|textLayers) '
      V train understanding --from nano -o r --set data.shards=s --set data.batch=1 --set optimization.steps=1 --set run.name='our own' >/dev/null
      echo $?; V model info r | head -n 1; V caption --model r in/a.png >/dev/null; echo $?; cp -r r/model moved; V model info moved | head -n 1
      """)
    #expect(
      found.out.hasPrefix(
        "train-000000.tar\ntrain-000001.tar\npatchSize = 8\npooling = 4\ntextLayers = 2\n0\nour own ("),
      "\(found)")
    #expect(
      found.out.components(separatedBy: "\nour own (").count == 3 && !found.error.contains("differs in size"),
      "\(found)")
  }

  /// A stage that is built upon a model is forked upon the same one.
  @Test func aForkKeepsItsBase() throws {
    let found = try shell.run(
      """
      V data build folder in -o s >/dev/null; V train understanding -o u \(Self.settings) >/dev/null
      D='--set run.sampleMinutes=0 --set model.ratio=4 --set data.shards=s --set data.batch=1'
      V train decoder --model u/model -o d $D --set optimization.steps=1 >/dev/null; echo $?
      V train decoder -o d --fork e --set data.batch=2 >/dev/null; echo $?
      cmp d/base.json e/base.json; echo $?; V reconstruct --model e/model in/a.png -o p.png >/dev/null; echo $?
      """)
    #expect(found.out == "0\n0\n0\n0\n", "\(found)")
  }
}
