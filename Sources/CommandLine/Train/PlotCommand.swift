import ArgumentParser
import Evaluation
import Files
import Foundation
import Training

struct TrainPlot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Plot a run's losses, in the terminal and as a PNG.",
    discussion: "Example: vugen train plot runs/nano")

  @Argument(help: "Folder of the run.", completion: .directory, transform: namedPath)
  var folder: String
  @Option(
    name: .shortAndLong, help: "PNG to write (default: loss.png in the run's folder).",
    completion: .file(extensions: ["png"]), transform: picturePath)
  var output: String?

  func run() throws {
    print(try LossPlot.write(run: folder, to: output ?? folder + "/loss.png").joined(separator: "\n"))
  }
}

/// A run's losses as a picture and as text.
enum LossPlot {
  /// Writes the picture and returns the text plot. Throws where there are no metrics.
  static func write(run: String, to path: String) throws -> [String] {
    let lines = try MetricsLog.read(run + "/metrics.jsonl")
    guard !lines.isEmpty else {
      throw CommandError("\(run)/metrics.jsonl: contains no steps; name the folder of a run")
    }
    func curve(_ name: String, _ value: (MetricsLog.Line) -> Float?) -> Curve {
      Curve(name, lines.compactMap { line in value(line).map { SIMD2(Double(line.step), Double($0)) } })
    }
    let total = curve("loss", \.loss)
    let terms = (lines[0].terms.keys.sorted()).map { name in curve(name) { $0.terms[name] } }
    let plot = LinePlot(title: FileName.last(of: run), x: "step", y: "loss", [total] + terms)
    try AtomicFile.write(Data(try plot.draw().data(for: path)), to: path)
    return TextPlot.lines(total)
  }
}
