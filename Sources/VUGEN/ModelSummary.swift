import Files
import Foundation
import ModelFiles

/// What a model folder is, from its configuration and the heads of its files: quick enough for a list of many.
public struct ModelSummary: Codable, Sendable, Equatable {
  /// What can be done with a model.
  public enum Ability: String, Codable, Sendable {
    /// `ask`, `caption`, `score`, `encode`.
    case ask
    case imagine, reconstruct
  }

  /// As `config.json` has it.
  public var type: String?
  /// Numbers in all its weights.
  public var parameters = 0
  /// Of all its weights, as they lie in its files.
  public var bytes = 0
  /// How most of its numbers are stored.
  public var format: String?
  /// Empty where it cannot be used.
  public var can: [Ability] = []
  /// Why it cannot be used, as loading it says.
  public var problem: String?

  private struct ModelType: Decodable {
    let name: String?

    enum CodingKeys: String, CodingKey { case name = "model_type" }
  }

  /// Looks at a folder; what is wrong with it becomes `problem`.
  public init(folder: String) {
    type = (try? ModelJSON.read(ModelType.self, at: folder + "/config.json", kind: "configuration"))?.name
    do {
      try count(ModelWeights(folder: folder).files.map { ($0.key, $0.value) })
      _ = try UnderstandingConfiguration(folder: folder)
      can.append(.ask)
      try addDrawing(folder)
    } catch {
      problem = "\(error)"
    }
  }

  private mutating func count(_ tensors: [(name: String, file: SafetensorsFile)]) {
    var formats: [String: Int] = [:]
    for (name, file) in tensors {
      guard let entry = file.header.entries[name] else { continue }
      bytes += entry.range.count
      guard !name.hasSuffix(QuantizedFolder.scaleSuffix) else { continue }
      // Two 4-bit values lie in a byte.
      let isPacked = entry.type == .u8
      let count = entry.range.count / entry.type.byteCount * (isPacked ? 2 : 1)
      parameters += count
      formats[
        isPacked ? "int4" : entry.type == .i8 ? "int8" : entry.type.rawValue.lowercased(), default: 0] +=
        count
    }
    // Of a copy in 4 or 8 bits the embeddings are as they were, and may be the larger part.
    format =
      ["int4", "int8"].first { formats[$0] != nil }
      ?? formats.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
  }

  /// The drawing half, where there is one.
  private mutating func addDrawing(_ folder: String) throws {
    func has(_ name: String) -> Bool { FileName.isTaken("\(folder)/\(name)") }
    guard has(GenerationFiles.configuration) else { return }
    _ = try GenerationConfiguration(folder: folder)
    var names: Set<String> = []
    for name in [
      GenerationFiles.reducer, GenerationFiles.decoder, GenerationFiles.oneStepDecoder,
      GenerationFiles.generator,
    ] where has(name) {
      let file = try SafetensorsFile(path: "\(folder)/\(name)")
      names.insert(name)
      parameters += file.header.entries.values.reduce(0) { $0 + $1.range.count / $1.type.byteCount }
      bytes += file.header.entries.values.reduce(0) { $0 + $1.range.count }
    }
    guard names.contains(GenerationFiles.reducer), names.contains(GenerationFiles.decoder) else { return }
    can += names.contains(GenerationFiles.generator) ? [.imagine, .reconstruct] : [.reconstruct]
  }
}
