import ArgumentParser
import Benchmarks
import VUGEN

extension Bench {
  struct Generation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The drawing half: a guided step of the generation tower, and the pixel decoder.",
      discussion: """
        Weights are random, in bf16 where the processor multiplies it. A step draws one picture with guidance: two \
        rows of latents after a prompt of 20 tokens. The decoder's share is relative to its convolutions and \
        products measured alone. Example: vugen bench generation --shape plm-1b
        """)
    @OptionGroup var options: Options
    @Option(help: "Shape of the model: plm-1b or tiny.") var shape = ModelShape.plm1B

    func run() async throws {
      try await options.run { generationMeasurements(shape, $0, repeats: options.repeats) }
    }
  }
}
