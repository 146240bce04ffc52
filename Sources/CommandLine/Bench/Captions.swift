import ArgumentParser
import Benchmarks
import Tensors
import VUGEN

extension Bench {
  struct Captions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Captions of pictures one by one and in batches, in turn.",
      discussion: """
        Pictures are random, and so are weights unless a model folder is given. One by one, each picture has a \
        conversation of its own. Example: vugen bench captions --batch 16
        """)
    @OptionGroup var options: Options
    @Option(help: "Shape of the model: plm-1b or tiny.") var shape = ModelShape.plm1B
    @Option(
      help: "Model folder to use instead of random weights.", completion: .models, transform: folderPath)
    var model: String?
    @Option(parsing: .unconditional, help: "Pictures per batch, 2 to 32.") var batch = 16
    @Option(parsing: .unconditional, help: "Tokens per answer.") var tokens = 64
    @Option(help: "Precision: f32 or bf16 (default: the model's usual one).") var precision: Precision?

    func validate() throws {
      if !(2...AnswerBatch.mostSlots).contains(batch) {
        throw ValidationError("--batch must be 2 to \(AnswerBatch.mostSlots).")
      }
      if !(2...4096).contains(tokens) { throw ValidationError("--tokens must be 2 to 4096.") }
    }

    func run() async throws {
      try await options.run { _ in
        let bench = try CaptionBench(
          shape, folder: model.map { EmbeddedModel.folder(for: $0) }, batch: batch, tokens: tokens, precision)
        return try bench.measurements(repeats: options.repeats)
      }
    }
  }
}
