import ArgumentParser
import DataSets
import Files
import Foundation
import ModelFiles
import Pictures
import Requests
import Tensors
import Training
import VUGEN

struct Caption: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe pictures: files, or all pictures in a folder and those below it.",
    discussion: """
      Several pictures are described at once; captions are printed in the order of the pictures, each as soon as those \
      before it are done. A picture that cannot be read gets a line of its own in that place: on standard error, or with \
      --json, and in JSON lines of --output, an object with "file" and "error". The others are still described, and the exit \
      status is 1. Several processes (mpirun -n 4 vugen caption …) share the pictures, and the first one prints all when all \
      are done. A name that is not UTF-8 has "fileBytes" beside "file": all its bytes in base64. Files of other kinds \
      in a folder are skipped and counted. Ctrl-C, SIGTERM and SIGHUP keep what is finished: in the \
      file of --output, or beside one that is there already; so does a full disk. While it works, the list grows in \
      FILE.partial.

      --output writes what its name ends in: .jsonl one JSON object per picture; .csv and .tsv the columns file and caption; \
      .txt one line per picture with its file, a tab and its caption, whose line breaks become blanks. A value that holds a \
      separator, a quote or a line break (in .txt: a tab or a quote), begins or ends with a blank or begins with a bracket \
      stands in quotes, a quote inside as two. In these a byte of a name \
      that is not UTF-8 is \\xE9, in .txt a control character likewise (a tab \\x09, a line break \\x0A), and a backslash of the \
      name itself that would be read as such is \\x5C. Pictures are named as they were given, from the working folder, and \
      vugen data build folder reads each name back. JSON has the caption under "caption", and under "text" as \
      vugen ask has it; "seconds" is the time from its picture to its last token, while others are described beside it, and \
      "tokensPerSecond" how fast it grew once its prompt was read (absent where it ended at once). Pictures that could not be described are in JSON alone. Captions are written as they are: a spreadsheet \
      takes one that begins with =, +, - or @ for a formula unless its column is imported as text.

      Example: vugen caption pictures --output captions.csv
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var options: SamplingOptions
  @OptionGroup var batching: BatchOptions
  @Option(help: "Question to ask about each picture.") var question = "Describe this picture."
  @Option(
    name: .shortAndLong,
    help: """
      Write captions to a .jsonl, .csv, .tsv or .txt file, and nothing to standard output; - is standard output.
      """,
    completion: .file(extensions: ["jsonl", "csv", "tsv", "txt"]), transform: captionsPath)
  var output: String?
  @Option(
    help: "Write a contact sheet of pictures and captions to this file (.png, .jpg or .webp).",
    completion: .file(extensions: ["png", "jpg", "webp"]), transform: picturePath)
  var sheet: String?
  @OptionGroup var existing: OverwriteOption
  @Flag(help: "Print one JSON object per picture.") var json = false
  @OptionGroup var tokens: TokensOption
  @Argument(
    help: "Picture files and folders; - is standard input.", completion: .pictures, transform: namedPath)
  var files: [String]

  func validate() throws {
    if question.allSatisfy(\.isWhitespace) {
      throw ValidationError("--question is empty; say what to ask, or leave it out.")
    }
    if let output, output == sheet {
      throw ValidationError("--output and --sheet name the same file; name two.")
    }
    try BinaryOutput.check([output, sheet])
    // A list is lines, as what is printed is.
    try BinaryOutput.check([sheet], isJSON: json)
  }

  @NumericActor
  func run() async throws { try Company.run { try describe($0) } }

  /// Each process describes its share of the pictures; the first one, or the only one, prints and writes.
  @NumericActor
  private func describe(_ ranks: Ranks) throws {
    // Standard input may never end: waiting for it, only Ctrl-C is taken.
    Interruption.watch(endings: !files.contains("-"))
    BinaryOutput.take([sheet])
    let targets = try ranks.together { try pictures(ranks) }
    if targets.allSatisfy({ $0.obstacle != nil }) { return try ranks.first { try refuse(targets) } }
    let loaded = try ranks.together { try model.load() }
    let results = CaptionResults(existing, list: output, sheet: sheet, of: targets.count)
    do { try describe(targets, loaded, ranks, into: results) } catch {
      ProgressLine.end()
      throw results.kept(because: error)
    }
    guard ranks.isFirst else { return }
    try results.finish()
    try finish(results.failures, of: targets.count)
  }

  /// All pictures, in their order. Throws `CancellationError` where a signal has asked for the end.
  @NumericActor
  private func describe(
    _ targets: [PictureList.Entry], _ loaded: LoadedModel, _ ranks: Ranks, into results: CaptionResults
  ) throws {
    let own = targets.indices.filter { $0 % ranks.count == ranks.rank }
    let clock = ContinuousClock(), start = clock.now
    try ranks.inOrder { (place, outcome: Outcome) in
      ProgressLine.end()
      try take(outcome, of: targets[place].path, into: results)
      progress(place + 1, of: targets.count, (clock.now - start) / .seconds(1))
    } work: { row in
      let isWhole = try answer(own.map { targets[$0] }, loaded, isCancelled: { !row.help() }) {
        try row.put(own[$0], ranks.isFirst ? $1 : $1.packed())
      }
      guard isWhole else { throw CancellationError() }
    }
  }

  /// Describes pictures, many at once, and hands on what comes of each in their order. Returns whether none was left out.
  @NumericActor
  private func answer(
    _ targets: [PictureList.Entry], _ loaded: LoadedModel, isCancelled: () -> Bool,
    _ take: (Int, Outcome) throws -> Void
  ) throws -> Bool {
    let slots = batching.slots(loaded, model, asking: question, most: options.maxTokens, of: targets.count)
    var thumbnails: [Int: Picture] = [:], begun = 0, isEnded = false
    let isWhole = try AnswerBatch(loaded, slots: slots).run {
      guard begun < targets.count else { return nil }
      defer { begun += 1 }
      let question = Result {
        try asking(targets[begun], loaded) {
          if sheet != nil { thumbnails[begun] = ContactSheet().thumbnail($0) }
        }
      }
      // Ctrl-C in the midst of a picture, or while a pipe was waited for.
      if case .failure(let error) = question, error is Patience.Ended {
        isEnded = true
        return nil
      }
      return question
    } isCancelled: {
      isCancelled() || Interruption.isRequested
    } onAnswer: { index, result in
      var outcome = Outcome(thumbnail: thumbnails.removeValue(forKey: index))
      switch result {
      case .success(let answer): outcome.report = report(answer, of: targets[index].path)
      case .failure(let error): outcome.complaint = "\(error)"
      }
      try take(index, outcome)
    }
    return isWhole && !isEnded
  }

  /// What came of a picture.
  private struct Outcome: Codable {
    var report: AnswerReport?
    /// Why there is none.
    var complaint: String?
    var thumbnail: Picture?
    /// The thumbnail on its way between processes.
    private var file: Data?

    private enum CodingKeys: String, CodingKey { case report, complaint, file }

    init(thumbnail: Picture?) { self.thumbnail = thumbnail }

    /// As it travels.
    func packed() throws -> Outcome {
      var copy = self
      copy.file = try thumbnail.map { Data(try $0.pngData()) }
      return copy
    }

    /// What a sheet shows of it.
    func picture() throws -> Picture? {
      try thumbnail ?? file.map { try Picture(bytes: Array($0), name: "a thumbnail") }
    }
  }

  /// The pictures that are named; what is passed over is told. Throws where there is none, or an output is one of them.
  private func pictures(_ ranks: Ranks) throws -> [PictureList.Entry] {
    if !ranks.isAlone, files.contains("-") {
      throw CommandError(
        "standard input reaches one of several processes only; name files, or start one process")
    }
    let list = try PictureList(files), targets = list.entries
    for (folder, files) in list.others { note("\(folder): \(files.line ?? "")") }
    guard !targets.isEmpty else {
      throw CommandError(
        "no pictures (\(PictureFormat.names)) in \(files.joined(separator: ", ")); name pictures, or a folder that holds some"
      )
    }
    for name in list.empty { note("no pictures (\(PictureFormat.names)) in \(name)") }
    for file in [output, sheet] { try checkOutput(file, isNoneOf: targets.map(\.path)) }
    try existing.check(output, sheet)
    return targets
  }

  private func take(_ outcome: Outcome, of path: String, into results: CaptionResults) throws {
    guard let report = outcome.report else {
      return try results.take(.init(file: path, line: try tell(outcome.complaint ?? "", of: path)), nil)
    }
    let line = try report.line()
    try results.take(.init(file: path, caption: report.text, line: line), try outcome.picture())
    guard output == nil else { return }
    if json { try say(line) } else { try Output.show(name: path, ": \(report.text)") }
  }

  /// Nothing that is named can be read: a model is not needed to say so, and a list of before stays as it is.
  private func refuse(_ targets: [PictureList.Entry]) throws {
    if targets.count == 1, !json || output != nil, let only = targets[0].obstacle { throw only }
    for target in targets {
      if let obstacle = target.obstacle { _ = try tell("\(obstacle)", of: target.path) }
    }
    try finish(targets.count, of: targets.count)
  }

  /// One bad picture does not end a long run: it has one line in its place, which is also what a list holds of it.
  private func tell(_ text: String, of path: String) throws -> String {
    // The file is named beside it.
    let own = path + ": "
    let reason = text.hasPrefix(own) ? String(text.dropFirst(own.count)) : text
    let line = try jsonLine(["file": .text(path), "error": .text(reason)])
    if json, output == nil { try say(line) } else { note(text) }
    return line
  }

  private func finish(_ failures: Int, of count: Int) throws {
    guard failures > 0 else { return }
    // Each has had its line; a person may have seen many others since.
    if ProgressLine.isShown, count > 1 {
      note("\(failures) of \(counted(count, "picture")) could not be described")
    }
    throw ExitCode(1)
  }

  /// The question about a file; `keep` is given the picture, which is too large to be held for long.
  @NumericActor
  private func asking(_ target: PictureList.Entry, _ loaded: LoadedModel, keep: (Picture) -> Void) throws
    -> BatchQuestion
  {
    if let obstacle = target.obstacle { throw obstacle }
    // A sheet shows more of it than the model reads.
    let side = sheet == nil ? loaded.configuration.vision.neededSide(model.tiling) : nil
    let picture = try readPicture(target.path, model.pictureLimits(side.map { .square($0) }))
    keep(picture)
    let asked = Question(
      question, pictures: [picture], temperature: options.temperature, seed: options.seed)
    return BatchQuestion(
      Turn(asked, for: loaded, model.tiling), sampling: options.sampling, most: options.maxTokens,
      seed: asked.seed)
  }

  private func report(_ answer: BatchAnswer, of path: String) -> AnswerReport {
    AnswerReport(
      file: path, pictures: 1, text: answer.text, caption: answer.text,
      tokens: tokens.chosen(answer.tokens), promptTokens: tokens.chosen(answer.promptTokens),
      stopReason: answer.stop, seconds: answer.seconds,
      tokensPerSecond: answer.tokensPerSecond,
      model: ModelFolder.name(of: model.folder))
  }

  /// A line that a pipe gets at once.
  private func say(_ line: String) throws { try Output.show(line + "\n") }

  /// A line that is written over, when a person watches.
  private func progress(_ done: Int, of total: Int, _ seconds: Double) {
    guard ProgressLine.isShown, total > 1 else { return }
    let rate = String(format: "%.1f", Double(done) / max(seconds, 1e-9) * 60)
    ProgressLine.show("\(done) of \(total) pictures, \(rate) per minute\(done == total ? "\n" : "")")
  }
}
