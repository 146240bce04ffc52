import Foundation
import Layers
import ModelFiles
import Tensors

/// What a model folder holds, part by part, and what is missing from it.
public struct ModelFolderReport: Codable, Sendable, Equatable {
  public struct Part: Codable, Sendable, Equatable {
    public var name: String
    public var parameters = 0
    /// As they lie in the files, and so in memory.
    public var bytes = 0
    /// Numbers by their stored type.
    public var formats: [String: Int] = [:]
  }

  public var parts: [Part]
  /// Files and tensors that the model needs and the folder lacks.
  public var missing: [String]
  /// Tensors that the model has no place for.
  public var unexpected: [String]

  /// Reads headers only. Throws `ModelFileError` when there is no `config.json`.
  public init(folder: String) throws {
    let configuration = try UnderstandingConfiguration(folder: folder)
    var random = Philox(seed: 0)
    let tower = Parameter.deferringValues { UnderstandingTower(configuration, using: &random) }
    var wanted = Set(tower.namedParameters.map(\.name))
    missing = []
    var list = ["encoder", "projector", "language model", "output"].map { Part(name: $0) }
    var extra: [String] = []
    do {
      let weights = try ModelWeights(folder: folder)
      for (name, file) in weights.files {
        guard let entry = file.header.entries[name], let place = Self.place(of: name) else {
          extra.append(name)
          continue
        }
        let isScale = name.hasSuffix(QuantizedFolder.scaleSuffix)
        if wanted.remove(name) == nil, !isScale, !(configuration.text.isTied && name == "lm_head.weight") {
          extra.append(name)
        }
        // Two 4-bit values lie in a byte; scales are no parameters.
        let count = isScale ? 0 : entry.shape.reduce(entry.type == .u8 ? 2 : 1, *)
        list[place].parameters += count
        list[place].bytes += entry.range.count
        list[place].formats[entry.type == .u8 ? "int4" : entry.type.rawValue, default: 0] += count
      }
    } catch let error as ModelFileError {
      missing.append(error.description)
      wanted = []
    }
    for name in ["tokenizer.json"] where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
      if !FileManager.default.fileExists(atPath: folder + "/tokenizer.model") { missing.append(name) }
    }
    missing += wanted.sorted()
    unexpected = extra.sorted()
    parts = list.filter { $0.bytes > 0 }
    do {
      parts += try Self.drawingParts(folder)
    } catch let error as ModelFileError {
      missing.append(error.description)
    }
  }

  /// Parts of the drawing half; none where the folder has none. Throws `ModelFileError`.
  private static func drawingParts(_ folder: String) throws -> [Part] {
    let names = [
      ("reducer", GenerationFiles.reducer), ("pixel decoder", GenerationFiles.decoder),
      ("one-step decoder", GenerationFiles.oneStepDecoder), ("generation tower", GenerationFiles.generator),
    ]
    return try names.compactMap { name, file in
      guard FileManager.default.fileExists(atPath: "\(folder)/\(file)") else { return nil }
      var part = Part(name: name)
      for entry in try SafetensorsFile(path: "\(folder)/\(file)").header.entries.values {
        let count = entry.shape.reduce(1, *)
        part.parameters += count
        part.bytes += entry.range.count
        part.formats[entry.type.rawValue, default: 0] += count
      }
      return part
    }
  }

  private static func place(of name: String) -> Int? {
    if name.hasPrefix("model.vision_tower.") { return 0 }
    if name.hasPrefix("model.multi_modal_projector.") { return 1 }
    if name.hasPrefix("model.language_model.") { return 2 }
    return name.hasPrefix("lm_head.") ? 3 : nil
  }
}
