import Files
import Foundation
import Layers
import ModelFiles
import Tensors

/// What a model folder holds, part by part, and what is missing from it.
public struct ModelFolderReport: Codable, Sendable, Equatable {
  /// One part of a model.
  public struct Part: Codable, Sendable, Equatable {
    /// Such as `vision tower`.
    public var name: String
    /// Numbers in its weights.
    public var parameters = 0
    /// As they lie in the files, and so in memory.
    public var bytes = 0
    /// Numbers by their stored type.
    public var formats: [String: Int] = [:]
  }

  /// In the order of computing.
  public var parts: [Part]
  /// Tensors that the model needs and the folder lacks.
  public var missing: [String]
  /// Tensors that the model has no place for.
  public var unexpected: [String]
  /// What keeps the model from being loaded, a line each, as loading it says.
  public var problems: [String]

  /// Reads headers and the tokenizer only. Throws `ModelFileError` when there is no `config.json` that can be read.
  public init(folder: String) throws {
    let configuration = try UnderstandingConfiguration(folder: folder)
    var random = Philox(seed: 0)
    let tower = Parameter.deferringValues { UnderstandingTower(configuration, using: &random) }
    (parts, missing, unexpected, problems) = ([], [], [], [])
    try collect { report in
      let weights = try ModelWeights(folder: folder)
      report.count(weights, of: tower, isTied: configuration.text.isTied)
      if let error = Self.misfit(of: weights, tower) { report.problems.append(error.description) }
    }
    try collect { _ in _ = try ChatTemplate(Tokenizer(folder: folder), configuration, folder: folder) }
    try collect { report in
      if FileName.isTaken("\(folder)/\(GenerationFiles.configuration)") {
        try GenerationConfiguration(folder: folder).check(against: configuration, folder: folder)
      }
      report.parts += try Self.drawingParts(folder)
      if let obstacle = GenerationFiles.obstacle(in: folder) { throw obstacle }
    }
  }

  /// What a folder's files are refused for is a problem; the rest is reported all the same.
  private mutating func collect(_ work: (inout Self) throws -> Void) throws {
    do { try work(&self) } catch let error as ModelFileError { problems.append(error.description) }
  }

  /// The understanding half's parts, and the tensors that are missing or left over.
  private mutating func count(_ weights: ModelWeights, of tower: UnderstandingTower, isTied: Bool) {
    var wanted = Set(tower.namedParameters.map(\.name))
    var list = ["encoder", "projector", "language model", "output"].map { Part(name: $0) }
    for (name, file) in weights.files {
      guard let entry = file.header.entries[name], let place = Self.place(of: name, tower.configuration)
      else {
        unexpected.append(name)
        continue
      }
      let isScale = name.hasSuffix(QuantizedFolder.scaleSuffix)
      if wanted.remove(name) == nil, !isScale, !(isTied && name == "lm_head.weight") {
        unexpected.append(name)
      }
      // Two 4-bit values lie in a byte; scales are no parameters.
      let count = isScale ? 0 : entry.range.count / entry.type.byteCount * (entry.type == .u8 ? 2 : 1)
      list[place].parameters += count
      list[place].bytes += entry.range.count
      if !isScale {
        list[place].formats[entry.type == .u8 ? "int4" : entry.type.rawValue, default: 0] += count
      }
    }
    missing = wanted.sorted()
    unexpected.sort()
    parts = list.filter { $0.bytes > 0 }
  }

  /// Weights of another shape, or of whole numbers that nothing scales. What is missing or left over is listed apart.
  private static func misfit(of weights: ModelWeights, _ tower: UnderstandingTower) -> ModuleLoadError? {
    let isQuantized = weights.files.keys.contains { $0.hasSuffix(QuantizedFolder.scaleSuffix) }
    var found: [String: StoredShape] = [:]
    for item in tower.namedParameters { found[item.name] = StoredShape(item.parameter.shape) }
    for (name, file) in weights.files where found[name] != nil {
      let scale = name.replacing(".weight", with: QuantizedFolder.scaleSuffix)
      guard let entry = file.header.entries[name], !isQuantized || weights.files[scale] == nil else {
        continue
      }
      let isWhole = ![.f16, .bf16, .f32, .f64].contains(entry.type)
      found[name] = StoredShape(entry.shape, isWhole: isWhole)
    }
    return tower.misfit(of: found, from: weights.folder)
  }

  /// Parts of the drawing half; none where the folder has none. Throws `ModelFileError`.
  private static func drawingParts(_ folder: String) throws -> [Part] {
    let names = [
      ("reducer", GenerationFiles.reducer), ("pixel decoder", GenerationFiles.decoder),
      ("one-step decoder", GenerationFiles.oneStepDecoder), ("generation tower", GenerationFiles.generator),
    ]
    return try names.compactMap { name, file in
      guard FileName.isTaken("\(folder)/\(file)") else { return nil }
      var part = Part(name: name)
      for entry in try SafetensorsFile(path: "\(folder)/\(file)").header.entries.values {
        let count = entry.range.count / entry.type.byteCount
        part.parameters += count
        part.bytes += entry.range.count
        part.formats[entry.type.rawValue, default: 0] += count
      }
      return part
    }
  }

  private static func place(of name: String, _ configuration: UnderstandingConfiguration) -> Int? {
    let names = configuration.names
    if name.hasPrefix("model.\(names.encoder).") { return 0 }
    if name.hasPrefix("model.\(names.projector).") { return 1 }
    if name.hasPrefix("model.\(names.language).") { return 2 }
    return name.hasPrefix("lm_head.") ? 3 : nil
  }
}

extension ModelFolderReport {
  /// What keeps a folder's model from being loaded, as it was found.
  public struct Problem: Error, CustomStringConvertible, Equatable {
    /// The line that was found.
    public let description: String
  }

  /// What loading says; nil where nothing keeps the model from it. It is tried where something looks wrong only: a whole
  /// model need not be read for it.
  public func obstacle(to folder: String) -> (any Error)? {
    guard !(problems.isEmpty && missing.isEmpty && unexpected.isEmpty) else { return nil }
    do {
      let tower = try UnderstandingTower(folder: folder)
      _ = try Tokenizer(folder: folder, for: tower.configuration)
      if FileName.isTaken("\(folder)/\(GenerationFiles.configuration)") {
        _ = try GenerationModel(folder: folder, beside: tower.configuration)
      }
      return problems.first.map(Problem.init)
    } catch {
      return error
    }
  }
}
