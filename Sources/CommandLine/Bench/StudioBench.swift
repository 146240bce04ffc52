import ArgumentParser
import Benchmarks
import Files
import Foundation
import VUGEN

extension Bench {
  struct StudioBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "studio", abstract: "The studio: keystroke latency, scrolling, an unchanged screen.",
      discussion: """
        Draws into a pseudo-terminal of 160 × 50 cells with sixel pictures: opens sessions of 10 000 messages and 500 \
        pictures and of a line of 50 MB, scrolls, then types keys while the model draws on all cores. \
        Example: vugen bench studio --json
        """)
    @Flag(help: "Print one JSON object.") var json = false
    @Option(
      help: "Model folder (default: nano, the built-in model).", completion: .models, transform: folderPath)
    var model: String?

    func run() async throws {
      let results = try await StudioMeasurement(model: EmbeddedModel.folder(for: model)).run()
      if json {
        var report: [String: ReportValue] = [:]
        for (name, value) in results { report[name] = .number(value) }
        print(try jsonLine(report))
      } else {
        for (name, value) in results {
          print(
            "\(name.padding(toLength: 52, withPad: " ", startingAt: 0))\(String(format: "%10.3f", value))")
        }
      }
    }
  }
}
