import ArgumentParser
import Recipes

struct TrainPlot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Plot a run's losses, in the terminal and as a picture.",
    discussion: "Example: vugen train plot runs/nano")

  @Argument(help: "Folder of the run.", completion: .directory, transform: readPath)
  var folder: String
  @Option(
    name: .shortAndLong,
    help: "Picture to write, as .png, .jpg or .webp (default: loss.png in the run's folder).",
    completion: .file(extensions: ["png", "jpg", "webp"]), transform: picturePath)
  var output: String?
  @OptionGroup var existing: OverwriteOption

  func run() throws {
    BinaryOutput.take([output])
    try checkOutput(output, isNoneOf: ["metrics.jsonl", "checkpoint.safetensors"].map { "\(folder)/\($0)" })
    try existing.check(output)
    // The run's own plot is drawn anew.
    let lines =
      try output.map { try existing.write($0) { try LossPlot.write(run: folder, to: $0) } }
      ?? LossPlot.write(run: folder, to: folder + "/loss.png")
    print(lines.joined(separator: "\n"))
  }
}
