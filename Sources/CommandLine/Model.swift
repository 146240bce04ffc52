import ArgumentParser
import Files
import Foundation
import ModelFiles
import Tensors
import VUGEN

struct Model: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch, list, inspect, create and convert models.",
    subcommands: [List.self, Info.self, Pull.self, Remove.self, Initialize.self, Quantize.self])

  struct Info: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what a model folder holds, part by part, or the tensors of a safetensors file.",
      discussion: "Example: vugen model info plm")

    @Argument(
      help: "Model folder or .safetensors file (default: nano, the built-in model).",
      completion: .file(extensions: ["safetensors"]), transform: folderPath)
    var model: String?
    @Flag(help: "List every tensor of a folder.") var tensors = false
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      let path = EmbeddedModel.folder(for: model)
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      if !tensors, isFolder.boolValue { return try await showParts(of: path) }
      let listing = try TensorListing(path, others: GenerationFiles.weights)
      if json {
        try Self.checkSums(of: path, isFolder: isFolder.boolValue)
        print(try jsonLine(of: listing))
        return
      }
      let isOne = Set(listing.tensors.map(\.file)).count < 2
      let width = listing.tensors.map(\.name.oneLine.count).max() ?? 0
      for row in listing.tensors {
        print(
          row.name.oneLine.padding(toLength: width + 2, withPad: " ", startingAt: 0) + row.type
            + " \(row.shape)" + (isOne ? "" : "  \(row.file.oneLine)"))
      }
      print(Self.total(listing))
      // What can be read is shown, and then what is damaged.
      try Self.checkSums(of: path, isFolder: isFolder.boolValue)
    }

    private static func checkSums(of path: String, isFolder: Bool) throws {
      if isFolder { try ModelFolder.checkSums(path) } else { try SafetensorsFile(path: path).checkSum() }
    }

    private static func total(_ listing: TensorListing) -> String {
      let size = String(format: "%.1f", Double(listing.bytes) / 1e6)
      return "\(listing.tensors.count) tensors, \(listing.parameters) parameters, \(size) MB"
    }

    /// What can be read is shown, and then what keeps the model from being loaded: this is a failure.
    @NumericActor
    private func showParts(of folder: String) throws {
      var report: ModelFolderReport
      do { report = try ModelFolderReport(folder: folder) } catch {
        // The weights are there to be counted, whatever is wrong with the rest.
        if !json, let all = try? TensorListing(folder, others: GenerationFiles.weights), !all.tensors.isEmpty
        {
          print(Self.total(all))
        }
        throw error
      }
      if report.problems.isEmpty { report.problems = try Self.damage(in: folder) }
      let failure = report.obstacle(to: folder)
      if json {
        print(
          try jsonLine(
            of: Told(
              report: report, name: ModelFolder.name(of: folder), summary: ModelSummary(folder: folder),
              error: failure.map(Failure.reason))))
        if failure != nil { throw ExitCode(1) }
        return
      }
      print(Self.heading(of: folder, loads: failure == nil))
      show(report)
      if let failure { throw failure }
    }

    /// What of a model that this program has written is not as it was written.
    private static func damage(in folder: String) throws -> [String] {
      do { try ModelFolder.checkSums(folder) } catch let error as ModelFileError {
        return [error.description]
      }
      return []
    }

    /// What a model is called, of which kind it is, and, of one that loads, what it can do.
    private static func heading(of folder: String, loads: Bool) -> String {
      let summary = ModelSummary(folder: folder), name = ModelFolder.name(of: folder).oneLine
      let kind = summary.type.map { " (\($0.oneLine))" } ?? ""
      let abilities = summary.can.map(\.inWords).joined(separator: ", ")
      return "\(name)\(kind)" + (loads && !abilities.isEmpty ? ": \(abilities)" : "")
    }

    /// A report as an object, with what the model is and can do, and what keeps it from being loaded.
    private struct Told: Encodable {
      var report: ModelFolderReport
      var name: String
      var summary: ModelSummary
      var error: String?

      private enum Keys: CodingKey { case name, type, can, error }

      func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(summary.type, forKey: .type)
        if error == nil { try values.encode(summary.can, forKey: .can) }
        try values.encodeIfPresent(error, forKey: .error)
      }
    }

    private func show(_ report: ModelFolderReport) {
      let parameters = report.parts.reduce(0) { $0 + $1.parameters }
      let bytes = report.parts.reduce(0) { $0 + $1.bytes }
      func row(_ name: String, _ parameters: Int, _ bytes: Int, _ formats: String) {
        let columns = [
          name.padding(toLength: 16, withPad: " ", startingAt: 0),
          String(format: "%9.2f M parameters", Double(parameters) / 1e6),
          String(format: "%9.1f MB", Double(bytes) / 1e6), "  \(formats)",
        ]
        print(columns.joined())
      }
      for part in report.parts {
        row(part.name, part.parameters, part.bytes, part.formats.keys.sorted().joined(separator: ", "))
      }
      row("total", parameters, bytes, "")
      for (title, names) in [("missing", report.missing), ("unexpected", report.unexpected)]
      where !names.isEmpty {
        print("\(title): " + names.prefix(8).joined(separator: ", ").oneLine + (names.count > 8 ? ", …" : ""))
      }
      for problem in report.problems { print("problem: \(problem.oneLine)") }
    }
  }

  struct Initialize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "init", abstract: "Write a model with random weights, for tests and benchmarks.",
      discussion: "Example: vugen model init --shape tiny --output /tmp/tiny")

    @Option(help: "Shape of the model: plm-1b or tiny.") var shape: ModelShape
    @Option(parsing: .unconditional, help: "Seed of the random weights.") var seed: UInt64 = 0
    @Option(name: .shortAndLong, help: "Folder to write.", completion: .directory, transform: writtenFolder)
    var output: String

    @Flag(help: "Replace an existing folder that holds a model, shards or a run.") var overwrite = false

    @NumericActor
    func run() async throws {
      try OutputFolder.write(to: output, replacing: overwrite) { try shape.write(to: $0, seed: seed) }
    }
  }

  struct Quantize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a copy of a model with its linear weights in 8 or 4 bits.",
      discussion: """
        The language model's weights are rounded; the encoder, the half that draws and all else that the model is used with \
        are copied as they are.

        Example: vugen model quantize plm --bits 8 --output plm-int8
        """)

    @Argument(help: "Model folder.", completion: .models, transform: folderPath)
    var folder: String
    @Option(parsing: .unconditional, help: "Bits per weight: 8 or 4.", completion: .list(["8", "4"]))
    var bits = 8
    @Option(name: .shortAndLong, help: "Folder to write.", completion: .directory, transform: writtenFolder)
    var output: String

    @Flag(help: "Replace an existing folder that holds a model, shards or a run.") var overwrite = false

    func validate() throws {
      if QuantizedTensor.Bits(rawValue: bits) == nil { throw ValidationError("--bits must be 8 or 4.") }
    }

    @NumericActor
    func run() async throws {
      guard let bits = QuantizedTensor.Bits(rawValue: bits) else { return }
      let source = EmbeddedModel.folder(for: folder)
      try checkFolder(output, holdsNone: [source])
      // The copy has a checksum of its own, which must not stand for damaged numbers.
      try ModelFolder.checkSums(source)
      try OutputFolder.write(to: output, replacing: overwrite) {
        try QuantizedFolder.write(from: source, to: $0, bits: bits)
      }
    }
  }
}

extension ModelShape: ExpressibleByArgument {}

extension ModelSummary.Ability {
  /// As it stands behind a model's name.
  fileprivate var inWords: String {
    switch self {
    case .ask: "answers (ask, caption, score, encode)"
    case .imagine: "draws (imagine)"
    case .reconstruct: "draws again what it sees (reconstruct)"
    }
  }
}
