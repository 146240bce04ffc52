import ArgumentParser
import DataSets
import Foundation
import ModelFiles
import Tensors
import VUGEN

struct Caption: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe pictures: files, or all pictures of a folder.",
    discussion: "Example: vugen caption --model plm photos --output captions.jsonl")

  @OptionGroup var model: ModelOptions
  @OptionGroup var options: SamplingOptions
  @Option(help: "What is asked of each picture.") var question = "Describe this picture."
  @Option(name: .shortAndLong, help: "Write JSON lines to this file, which appears when all is done.")
  var output: String?
  @Option(help: "Draw the pictures with their captions on one sheet, to this PNG file.") var sheet: String?
  @Flag(help: "Print one JSON object a picture.") var json = false
  @Argument(help: "Picture files and folders.") var files: [String]

  @NumericActor
  func run() async throws {
    Interruption.watch()
    let paths = try Self.pictures(files)
    let (tower, tokenizer) = try model.load()
    var lines: [String] = [], failures = 0, items: [ContactSheet.Item] = []
    let clock = ContinuousClock(), start = clock.now
    for (number, path) in paths.enumerated() {
      if Interruption.isRequested { throw ExitCode(130) }
      do {
        let report = try caption(path, tower, tokenizer)
        let line = try report.line()
        lines.append(line)
        if sheet != nil { items.append(.init(try readPicture(path), report.text)) }
        if output == nil { print(json ? line : "\(path): \(report.text)") }
        if report.stopReason == .cancelled { throw ExitCode(130) }
      } catch let error as ExitCode {
        throw error
      } catch {
        // One bad picture does not end a long run.
        failures += 1
        FileHandle.standardError.write(Data("vugen: \(error)\n".utf8))
      }
      progress(number + 1, of: paths.count, seconds(clock.now - start))
    }
    if let output {
      let text = Data(lines.map { $0 + "\n" }.joined().utf8)
      try AtomicFile.write(to: output) { write in try text.withUnsafeBytes { try write($0) } }
    }
    if let sheet { try AtomicFile.write(Data(try ContactSheet().draw(items).pngData()), to: sheet) }
    if failures > 0 { throw CommandError("\(failures) of \(paths.count) pictures could not be described") }
  }

  @NumericActor
  private func caption(_ path: String, _ tower: UnderstandingTower, _ tokenizer: Tokenizer) throws
    -> AnswerReport
  {
    let conversation = try Conversation(tower, tokenizer, folder: model.folder)
    let turn = Turn(.user, question, pictures: [try model.tiles(path, tower)])
    var random = Philox(seed: options.seed)
    let clock = ContinuousClock(), start = clock.now
    let answer = try conversation.ask(
      turn, sampling: options.sampling, most: options.maxTokens, using: &random,
      isCancelled: { Interruption.isRequested })
    let time = seconds(clock.now - start)
    return AnswerReport(
      file: path, text: answer.text, tokens: answer.tokens, promptTokens: conversation.promptTokens,
      stopReason: answer.stop, seconds: time, tokensPerSecond: Double(answer.tokens.count) / max(time, 1e-9),
      model: model.folder)
  }

  /// A line that is written over, when a person watches.
  private func progress(_ done: Int, of total: Int, _ seconds: Double) {
    guard isatty(STDERR_FILENO) == 1, total > 1 else { return }
    let rate = String(format: "%.1f", Double(done) / max(seconds, 1e-9) * 60)
    let end = done == total ? "\n" : ""
    FileHandle.standardError.write(
      Data("\r\(done) of \(total) pictures, \(rate) a minute\u{1B}[K\(end)".utf8))
  }

  private static func pictures(_ paths: [String]) throws -> [String] {
    var result: [String] = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard path == "-" || FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw CommandError("\(path): no such file or folder")
      }
      guard isFolder.boolValue else {
        result.append(path)
        continue
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      result += names.filter { name in
        ["png", "jpg", "jpeg", "webp"].contains((name as NSString).pathExtension.lowercased())
      }.map { path + "/" + $0 }
    }
    guard !result.isEmpty else {
      throw CommandError("no PNG, JPEG or WebP pictures in \(paths.joined(separator: ", "))")
    }
    return result
  }
}
