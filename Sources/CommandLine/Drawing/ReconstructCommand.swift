import ArgumentParser
import Files
import Foundation
import Pictures
import Requests
import Tensors
import VUGEN

struct Reconstruct: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Encode a picture and draw it again from its latents.",
    discussion: """
      Both pictures are shown as the model sees them: squares of its size, whatever the proportions of the file. An output \
      without an ending is a folder, as that of vugen imagine; it is made, and the picture in it is called by the file's name.

      Example: vugen reconstruct cat.png --output pair.png
      """)

  @OptionGroup var model: ModelOptions
  @Option(
    name: .shortAndLong,
    help: """
      File to write (.png, .jpg or .webp), - for standard output, or a folder: the original as the model sees it, next to \
      its reconstruction.
      """,
    completion: .file(extensions: ["png", "jpg", "webp"]),
    transform: { isFolderName($0) ? $0 : try picturePath($0) })
  var output: String?
  @Option(parsing: .unconditional, help: "Pixel decoder steps; 1 uses the distilled decoder.")
  var decoderSteps = 8
  @Option(parsing: .unconditional, help: "Seed of the decoder's noise.") var seed: UInt64 = 0
  @OptionGroup var existing: OverwriteOption
  @Flag(help: "Print one JSON object.") var json = false
  @Argument(help: "Picture file, or - for standard input.", completion: .pictures, transform: namedPath)
  var file: String

  func validate() throws {
    try checkOutput(output, isNoneOf: [file])
    try BinaryOutput.check([output], isJSON: json)
    if !(1...ImageSettings.mostDecoderSteps).contains(decoderSteps) {
      throw ValidationError("--decoder-steps must be 1 to \(ImageSettings.mostDecoderSteps).")
    }
  }

  /// What the picture in a folder is called: by the file's name.
  private static func stem(of file: String) -> String {
    let stem = (FileName.last(of: file) as NSString).deletingPathExtension, ending = "-reconstructed"
    return file == "-" ? "reconstruction" : FileName.fitting(stem, before: ending + ".webp") + ending
  }

  @NumericActor
  func run() async throws {
    Interruption.watch()
    BinaryOutput.take([output])
    let target = try output.map {
      try PictureTarget($0, count: 1, format: nil)
    }
    try existing.check(target?.file)
    let loaded = try model.load(), drawing = try loaded.generation()
    let side = drawing.configuration.imageSize
    // Both read it at one size, as a rule.
    let isOneSize = loaded.tower.configuration.vision.imageSize == side
    let given = try readPicture(file, model.pictureLimits(isOneSize ? .square(side) : nil))
    let original = (given.isOpaque ? given : given.overWhite()).resizedBicubic(width: side, height: side)
    var drawn = original
    let seconds =
      try ContinuousClock().measure {
        drawn = try drawing.reconstruct(given, loaded.tower, steps: decoderSteps, seed: seed) { _ in
          try Interruption.check()
        }
      } / .seconds(1)
    let psnr = drawn.psnr(original)
    var place: String?
    if let target {
      try target.makeFolder()
      place = try existing.write(target.path(called: Self.stem(of: file)), isNamed: target.file != nil) {
        try AtomicFile.write(Data(try original.beside(drawn).data(for: $0)), to: $0)
        return $0
      }
    }
    try tell(psnr, seconds, place)
  }

  private func tell(_ psnr: Double, _ seconds: Double, _ place: String?) throws {
    if json {
      var report: [String: ReportValue] = ["psnr": .number(psnr), "seconds": .number(seconds)]
      if let place { report["path"] = .text(place) }
      print(try jsonLine(report))
    } else {
      let text = String(format: "PSNR %.1f dB, %.2f s", psnr, seconds)
      let isTaken = output.map(AtomicFile.isStandardOutput) ?? false
      if isTaken { note(text) } else { print(text + (place.map { ": \($0.oneLine)" } ?? "")) }
      if output == nil {
        try Output.finish()
        note("no picture is written; --output FILE.png writes the original next to its reconstruction")
      }
    }
  }
}
