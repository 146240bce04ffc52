import ArgumentParser
import Digests
import Files
import Foundation
import ModelFiles
import Pictures
import Requests
import Studio
import StudioUI
import Tensors
import VUGEN

extension Solver: ExpressibleByArgument {}

struct Imagine: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw images from a prompt.",
    discussion: """
      Image i of several uses the seed + i, so that each can be drawn again on its own. The settings are stored in the \
      picture; --from repeats them bit for bit, and options given beside it override them; --show-settings prints them \
      and draws nothing. Without --output a picture is called by its prompt's first words and its seed, and where there \
      is one of that name, by the next free number. --from also reads prompt, seed, \
      guidance and steps from PNG, JPEG, WebP, GIF, TIFF, AVIF and HEIC files by \(TextToImageSettings.programs.replacing("VUGEN Studio, ", with: "")). \
      nano draws one thing well, or several of one kind; words of the prompt that a model was not taught are named on \
      standard error, with the nearest one that it was, or with --json under "unknown".

      Example: vugen imagine 'a red car on a white background' --seed 3 --output car.png
      """)

  @OptionGroup var model: ModelOptions
  // Numbers are taken as they stand, so that a negative one is a number and no option.
  @Option(
    parsing: .unconditional,
    help:
      "Guidance scale, \(DrawingDefaults.guidanceLimits); 1 means no guidance (default: \(DrawingDefaults.guidance.formatted()))."
  )
  var cfg: Float?
  @Option(parsing: .unconditional, help: "Sampling steps (default: 50).") var steps: Int?
  @Option(
    parsing: .unconditional,
    help: "Noise seed, 0 to \(UInt64.max); -1 picks one at random (default: -1).",
    transform: DrawingSeed.init)
  var seed: DrawingSeed?
  @Option(parsing: .unconditional, help: "Number of images.") var count = 1
  @Option(help: "Negative prompt: what the images should not show.", transform: spokenText) var negative:
    String?
  @Option(
    parsing: .unconditional, help: "Pixel decoder steps; 1 uses the distilled decoder (default: 1).")
  var decoderSteps: Int?
  @Option(help: "Solver: euler or heun (default: euler).") var solver: Solver?
  @Option(
    parsing: .unconditional, help: "Guide only from this time on, 0 (noise) to 1 (image) (default: 0).")
  var guidanceStart: Float?
  @Option(parsing: .unconditional, help: "Guide only up to this time (default: 1).") var guidanceEnd: Float?
  @Option(
    help: """
      Reuse the prompt and settings stored in this picture, by vugen imagine or another program; - reads the picture \
      from standard input.
      """,
    completion: .pictures, transform: namedPath)
  var from: String?
  @Option(
    name: .shortAndLong,
    help: """
      Output file for one image (.png, .jpg or .webp), - for standard output, or a folder, which is made: a name \
      without an ending (default: the working directory).
      """,
    completion: .file(), transform: picturesPath)
  var output: String?
  @Option(
    help:
      "File format: png, jpeg or webp (default: as the output's name ends, else png). PNG and WebP are lossless."
  )
  var format: WrittenFormat?
  @Option(
    parsing: .unconditional,
    help: "Write a preview to FILE.preview.png every so many steps; 0 for none.")
  var previewEvery = 0
  @OptionGroup var existing: OverwriteOption
  @Flag(help: "Print the settings that would be drawn with, and exit.") var showSettings = false
  @Flag(help: "Print one JSON object.") var json = false
  @Argument(help: "Prompt, or - to read it from standard input.", transform: spokenText) var prompt: String?

  func validate() throws {
    if prompt == nil, from == nil {
      throw ValidationError("say what to draw, or name a picture with --from.")
    }
    if !(1...10_000).contains(count) { throw ValidationError("--count must be 1 to 10000.") }
    if let format, let output, !isFolderName(output), let named = WrittenFormat(path: output), named != format
    {
      throw ValidationError("--format \(format.rawValue) does not suit \(output); leave one of them out.")
    }
    if output.map(AtomicFile.isStandardOutput) ?? false, !showSettings {
      try BinaryOutput.check([output], isJSON: json)
      guard count == 1, previewEvery == 0 else {
        throw ValidationError(
          "--output - writes one picture to standard output, and nothing else goes there.")
      }
    }
    if from == "-", prompt == "-" {
      throw ValidationError("only one of the prompt and the picture can come from standard input.")
    }
    if previewEvery < 0 { throw ValidationError("--preview-every must be 0 or more.") }
  }

  private struct Drawn: Codable {
    var path, prompt, negative, model: String
    var seed: UInt64
    var guidanceScale, guidanceStart, guidanceEnd: Float
    var solver: Solver
    var steps, decoderSteps: Int
    var seconds: Double
    var sha256: String
  }

  private struct Drawings: Codable {
    var images: [Drawn]
    /// Words that the model was not taught; nil where its folder does not list those that it was.
    var unknown: [Vocabulary.UnknownWord]?
    /// What kept the others from being drawn.
    var error: String?
  }

  /// Words of the prompt that the model was not taught, which are told unless an object is printed; nil where its folder does not list
  /// those that it was.
  private func unknownWords(_ settings: ImageSettings) -> [Vocabulary.UnknownWord]? {
    guard let vocabulary = Vocabulary(modelFolder: model.folder) else { return nil }
    let unknown = vocabulary.unknownWords(in: settings.prompt)
    if !json, !unknown.isEmpty {
      let named = unknown.prefix(5).map(\.shown).joined(separator: ", ")
      let rest = unknown.count > 5 ? " and \(unknown.count - 5) more" : ""
      note("\(ModelFolder.name(of: model.folder)) was not taught \(named)\(rest); it draws the rest".oneLine)
    }
    return unknown
  }

  @NumericActor
  func run() async throws {
    Interruption.watch()
    let told = try from.map(ToldSettings.init)
    var first = try settings(told)
    // Numbers without words are settings, too.
    try check(first, told)
    if showSettings {
      print(try json ? first.report(told) : first.lines(told))
      return
    }
    BinaryOutput.take([output])
    try checkOutput(output, isNoneOf: from.map { [$0] } ?? [])
    // A name that does not end like a picture's is a folder, which is made.
    let file = output.flatMap { WrittenFormat(path: $0) != nil && !isFolderName($0) ? $0 : nil }
    try existing.check(file, previewEvery > 0 ? file.map(Self.preview) : nil)
    let imaginer = try Imaginer(model.load())
    told?.tell(
      drawnNowBy: ModelFolder.name(of: model.folder), side: imaginer.model.configuration.imageSize)
    if from != nil, prompt == nil {
      let (fitted, cut) = imaginer.fitted(first)
      for name in cut { note(ImageSettings.shortened(name)) }
      first = fitted
    }
    let unknown = unknownWords(first)
    let target = try PictureTarget(output, count: count, format: format)
    var drawn: [Drawn] = [], failure: (any Error)?
    do {
      try drawAll(first, imaginer, target) {
        drawn.append($0)
        InterruptionReport.note(Drawings(images: drawn, unknown: unknown))
      }
    } catch {
      guard json, !drawn.isEmpty, !(error is CancellationError) else { throw error }
      // Those that are drawn are told with it.
      failure = error
    }
    if json {
      print(try jsonLine(of: Drawings(images: drawn, unknown: unknown, error: failure.map(Failure.reason))))
    }
    if failure != nil { throw ExitCode(1) }
  }

  /// Throws `ValidationError`; where it is the picture of `--from` that says what cannot be drawn, a failure that names it.
  private func check(_ settings: ImageSettings, _ told: ToldSettings?) throws {
    let needsPrompt = from == nil || !showSettings
    do { try settings.checkAsOptions(needsPrompt: needsPrompt) } catch let refusal {
      guard let from, let told else { throw refusal }
      let own = Result { try told.settings.check(needsPrompt: needsPrompt) }
      guard case .failure(let reason) = own, "\(refusal)".hasPrefix("\(reason)") else { throw refusal }
      throw CommandError("\(from == "-" ? "standard input" : from): of its settings, \(reason)")
    }
  }

  @NumericActor
  private func drawAll(
    _ first: ImageSettings, _ imaginer: Imaginer, _ target: PictureTarget, _ take: (Drawn) -> Void
  ) throws {
    let isTold = !json && !(output.map(AtomicFile.isStandardOutput) ?? false)
    for i in 0..<count {
      guard let one = try draw(first.numbered(i), imaginer, target) else { throw CancellationError() }
      if isTold { try Output.show(name: one.path) }
      take(one)
      if i + 1 < count { try Interruption.check() }
    }
  }

  /// What the options say, over what the picture of `--from` says.
  private func settings(_ told: ToldSettings?) throws -> ImageSettings {
    var given: Set<SettingChange.Setting> = []
    if cfg != nil { given.insert(.guidance) }
    if steps != nil { given.insert(.steps) }
    if seed != nil { given.insert(.seed) }
    if prompt != nil { given.insert(.prompt) }
    if negative != nil { given.insert(.negative) }
    told?.tell(besides: given)
    var s = told?.settings ?? ImageSettings(prompt: "")
    if let prompt { s.prompt = prompt == "-" ? try Self.standardInput() : prompt }
    if from == nil || seed != nil {
      s.seed = seed?.value ?? UInt64.random(in: 0..<1 << 32)
    }
    s.guidanceScale = cfg ?? s.guidanceScale
    s.steps = steps ?? s.steps
    s.negative = negative ?? s.negative
    s.decoderSteps = decoderSteps ?? s.decoderSteps
    s.solver = solver ?? s.solver
    s.guidanceStart = guidanceStart ?? s.guidanceStart
    s.guidanceEnd = guidanceEnd ?? s.guidanceEnd
    return s
  }

  private static func standardInput() throws -> String {
    try StandardInput.text(most: 4 * ImageSettings.mostPromptCharacters)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func preview(of path: String) -> String { path + ".preview.png" }

  /// Draws and writes one picture; nil where it was interrupted before the first step.
  @NumericActor
  private func draw(_ settings: ImageSettings, _ imaginer: Imaginer, _ target: PictureTarget) throws
    -> Drawn?
  {
    let clock = ContinuousClock(), start = clock.now, preview = Self.preview(of: target.path(settings))
    // Behind a link there may be anything.
    let previewEvery = FileName.isLink(preview) ? 0 : previewEvery
    let partial = previewEvery > 0 ? PartialOutput(preview) : nil
    defer {
      if let partial {
        FileName.remove(preview)
        partial.forget()
      }
    }
    let result = try imaginer.imagine(settings, isCancelled: { Interruption.isRequested }) { step in
      ProgressLine.show("seed \(settings.seed): step \(step.number) of \(step.total)")
      if previewEvery > 0, step.number % previewEvery == 0, let png = try? step.preview().pngData() {
        // A preview that cannot be written must not end the work.
        try? AtomicFile.write(Data(png), to: preview)
      }
    }
    ProgressLine.end()
    guard let result else { return nil }
    // A picture that is not whole takes no whole one's name.
    guard !result.isPartial else {
      note(
        "interrupted after step \(result.stepsDone) of \(settings.steps); nothing is written of this picture")
      return nil
    }
    let metadata = PictureMetadata(
      settings, stepsDone: result.stepsDone, model: ModelFolder.name(of: model.folder))
    // Others may have taken the name meanwhile, or removed the folder that they began.
    try target.makeFolder()
    let (path, bytes) = try existing.write(target.path(settings), isNamed: target.file != nil) { path in
      let bytes = try metadata.data(of: result.picture, format ?? WrittenFormat(path: path) ?? .png)
      try AtomicFile.write(Data(bytes), to: path)
      return (path, bytes)
    }
    let seconds = (clock.now - start) / .seconds(1)
    return drawn(settings, result.stepsDone, path, seconds, try Digest.sha256(bytes))
  }

  /// What is told of a picture that is written.
  private func drawn(
    _ settings: ImageSettings, _ steps: Int, _ path: String, _ seconds: Double, _ hash: String
  ) -> Drawn {
    Drawn(
      path: path, prompt: settings.prompt, negative: settings.negative,
      model: ModelFolder.name(of: model.folder),
      seed: settings.seed, guidanceScale: settings.guidanceScale, guidanceStart: settings.guidanceStart,
      guidanceEnd: settings.guidanceEnd, solver: settings.solver, steps: steps,
      decoderSteps: settings.decoderSteps, seconds: seconds, sha256: hash)
  }
}

/// A seed as it is typed: all that settings and logs can hold, or -1.
struct DrawingSeed {
  /// nil for one at random.
  let value: UInt64?

  /// Throws `ValidationError`.
  init(_ text: String) throws {
    value = UInt64(text)
    guard value != nil || text == "-1" else {
      throw ValidationError("a seed is 0 to \(UInt64.max), or -1 for a random one.")
    }
  }
}

extension WrittenFormat: ExpressibleByArgument {}

extension ImageSettings {
  /// Throws `ValidationError`: values of options, not the work, are wrong.
  func checkAsOptions(needsPrompt: Bool = true) throws {
    do { try check(needsPrompt: needsPrompt) } catch let error as GenerationError {
      throw ValidationError("\(error).")
    }
  }
}

/// Where pictures go.
struct PictureTarget {
  private let folder: String
  /// The file that was named; nil for a folder.
  let file: String?
  private let suffix: String

  /// A name that ends like a picture's is a file; anything else is a folder, which is made.
  init(_ output: String?, count: Int, format: WrittenFormat?) throws {
    suffix = (format ?? .png).suffix
    let isFile =
      output.map { $0 == "-" || WrittenFormat(path: $0) != nil || AtomicFile.isSpecial($0) } ?? false
    if let output, isFile, !isFolderName(output) {
      guard count == 1 else {
        throw ValidationError("\(output): \(count) images cannot go into one file; name a folder.")
      }
      (folder, file) = ("", output)
      return
    }
    (folder, file) = (output ?? ".", nil)
    try makeFolder()
    // Before the work.
    guard FileName.withPath(folder, { access($0, W_OK) }) == 0 else {
      throw FileAccessError(
        folder, "cannot be written to: \(String(cString: strerror(errno))); name another folder")
    }
  }

  /// Makes the folder where there is none: at the beginning, and again before a picture is written.
  func makeFolder() throws {
    if file == nil { try PartialOutput.makeFolder(folder) }
  }

  /// The file that was named; else the prompt's first words and the seed.
  func path(_ settings: ImageSettings) -> String {
    path(called: "\(FileName.stem(of: settings.prompt, most: 48))-\(settings.seed)")
  }

  /// The same for a picture that has a name.
  func path(called stem: String) -> String {
    if let file { return file }
    let place = folder.hasSuffix("/") ? folder : folder + "/"
    return "\(place)\(stem).\(suffix)"
  }
}
