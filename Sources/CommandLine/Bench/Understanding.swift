import ArgumentParser
import Benchmarks
import VUGEN

extension Bench {
  struct Understanding: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The understanding tower: encoder, prefill and decoding, in bf16, 8 and 4 bits.",
      discussion: """
        Weights are random. The share for decoding is relative to the read bandwidth, measured beside it, with every \
        weight read once per token. Example: vugen bench understanding --shape plm-1b
        """)
    @OptionGroup var options: Options
    @Option(help: "Shape of the model: plm-1b or tiny.") var shape = ModelShape.plm1B
    @Option(
      name: .customLong("part"),
      help: "Measure only this: encoder, prefill, decode or first-token; repeat for several.")
    var parts: [UnderstandingPart] = []
    @Option(
      help: "Weight format of prefill and decode: bf16, int8 or int4; repeat for several (default: all).")
    var format: [UnderstandingFormat] = []
    @Option(
      help: "Measure loading time and memory of this model folder instead.", completion: .models,
      transform: folderPath)
    var model: String?

    func run() async throws {
      try await options.run { _ in
        if let model {
          return try folderMeasurements(EmbeddedModel.folder(for: model), repeats: options.repeats)
        }
        let parts = Set(self.parts.isEmpty ? UnderstandingPart.allCases : self.parts)
        let formats = format.isEmpty ? UnderstandingFormat.allCases : format
        // The embedded model computes exactly; first, as the others set bf16 products.
        let first = parts.contains(.firstToken) ? [try firstTokenMeasurement(repeats: options.repeats)] : []
        guard !parts.subtracting([.firstToken]).isEmpty else { return first }
        return understandingMeasurements(shape, parts, formats, repeats: options.repeats) + first
      }
    }
  }
}

extension UnderstandingPart: ExpressibleByArgument {}
extension UnderstandingFormat: ExpressibleByArgument {}
