import Files
import Foundation
import Layers
import ModelFiles
import Tensors

/// Model folders whose language model's linear weights are stored in 8 or 4 bits: what decoding reads for
/// every token. The encoder, a fifth of the weights and read once a picture, stays exact.
///
/// A weight `NAME.weight` `[out, in]` becomes `NAME.weight` (I8 `[out, in]`, or U8 `[out, in / 2]` with two
/// values a byte) and `NAME.weight_scale` (F32 `[out, in / group]`). `config.json` says so under
/// `quantization_config`. Embeddings, norms and biases stay as they are. Where the output is tied to the embedding,
/// which every token reads whole, a copy in 8 bits stands beside it as `lm_head.weight` (see `hasOwnOutput`); of the
/// embedding itself only the rows of the prompt's tokens are then read from the mapped file.
public enum QuantizedFolder {
  static let scaleSuffix = ".weight_scale"
  static let outputName = "lm_head.weight"

  /// Whether a tied output gets a copy in 8 bits. A small model's 8 bits keep it exact: its output is a large part of
  /// it, its answers hang on small differences, and it is fast enough.
  public static func hasOwnOutput(_ tower: UnderstandingTower, _ bits: QuantizedTensor.Bits) -> Bool {
    tower.configuration.text.isTied && (bits == .four || tower.usualPrecision == .bf16)
  }

  /// Gives every linear layer of `tower` that the file stores in fewer bits its weight; returns the names that
  /// are dealt with. Throws `ModelFileError` for values that do not fit the layer.
  static func adopt(_ weights: ModelWeights, into tower: UnderstandingTower) throws -> Set<String> {
    let scales = weights.files.keys.filter { $0.hasSuffix(scaleSuffix) }
    guard !scales.isEmpty else { return [] }
    var layers: [String: Linear] = [:], used: Set<String> = []
    tower.visitModules("") { path, module in layers[path] = module as? Linear }
    for scaleName in scales {
      let path = String(scaleName.dropLast(scaleSuffix.count)), name = path + ".weight"
      let isTiedOutput = name == outputName && tower.configuration.text.isTied
      let place = isTiedOutput ? tower.core.language.embedding.weight.shape : layers[path]?.weight?.shape
      guard let file = weights.files[name], let entry = file.header.entries[name], let shape = place,
        let scaleFile = weights.files[scaleName]
      else {
        throw ModelFileError(
          weights.folder, tensor: scaleName, "it scales no weight of this model; quantize the model again")
      }
      let bits = entry.type == .u8 ? QuantizedTensor.Bits.four : .eight
      let quantized = try file.withBytes(of: name) {
        QuantizedTensor(
          values: $0, scales: try scaleFile.tensor(scaleName), columns: shape[1], bits: bits)
      }
      try file.discardPages(of: name)
      try scaleFile.discardPages(of: scaleName)
      guard let quantized, quantized.rows == shape[0], entry.type == .u8 || entry.type == .i8 else {
        throw ModelFileError(
          file.path, tensor: name,
          "\(entry.shape) of \(entry.type.rawValue) does not fit a weight of \(shape); quantize the model again"
        )
      }
      if isTiedOutput { tower.adopt(output: quantized) } else { layers[path]?.adopt(quantized) }
      used.formUnion([name, scaleName])
    }
    return used
  }

  /// Writes a copy of the model in `folder` to `output`, the language model's linear weights in `bits`. One tensor is held at a
  /// time. Throws `ModelFileError` or `ModuleLoadError`.
  public static func write(
    from folder: String, to output: String, bits: QuantizedTensor.Bits, group: Int = 32
  ) throws {
    let configuration = try UnderstandingConfiguration(folder: folder),
      weights = try ModelWeights(folder: folder)
    guard !weights.files.keys.contains(where: { $0.hasSuffix(scaleSuffix) }) else {
      throw ModelFileError(folder, "this model is quantized already; begin with the plain one")
    }
    var random = Philox(seed: 0)
    let tower = Parameter.deferringValues { UnderstandingTower(configuration, using: &random) }
    try tower.load(weights.allTensors(), from: folder) { $0 == outputName }
    var chosen = languageWeights(of: tower, group)
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    let embedding = "model.\(configuration.names.language).embed_tokens.weight"
    let text = configuration.text, hasOutput = hasOwnOutput(tower, bits) && text.width % group == 0
    let names = weights.files.keys.sorted().filter { !(text.isTied && $0 == outputName) }
    var items = names.flatMap { Self.items($0, $0, weights, isChosen: chosen.contains($0), bits, group) }
    if hasOutput {
      chosen.insert(outputName)
      items += Self.items(outputName, embedding, weights, isChosen: true, .eight, group)
    }
    var current: (name: String, weight: QuantizedTensor)?
    func quantized(_ name: String) throws -> QuantizedTensor? {
      if let current, current.name == name { return current.weight }
      let isCopy = hasOutput && name == outputName, source = isCopy ? embedding : name
      guard let tensor = try weights.files[source]?.tensor(source) else { return nil }
      let weight = QuantizedTensor(tensor, bits: isCopy ? .eight : bits, group: group)
      current = (name, weight)
      return weight
    }
    try SafetensorsWriter.write(
      items, metadata: ["format": "pt"], summed: true, to: output + "/model.safetensors"
    ) { name, body in
      let isScale = name.hasSuffix(scaleSuffix), base = isScale ? String(name.dropLast("_scale".count)) : name
      guard chosen.contains(base) else { return try weights.files[name]?.withBytes(of: name, body) ?? () }
      guard let weight = try quantized(base) else { return }
      try isScale ? weight.scales.withBytes(body) : weight.withValues(body)
    }
    try copyOthers(from: folder, to: output, bits, group)
  }

  /// Names of the language model's linear weights whose rows are whole groups.
  private static func languageWeights(of tower: UnderstandingTower, _ group: Int) -> Set<String> {
    var names: Set<String> = []
    tower.visitModules("") { path, module in
      guard path.hasPrefix("model.\(tower.configuration.names.language).") || path == "lm_head" else {
        return
      }
      guard let shape = (module as? Linear)?.weight?.shape, shape[1] % group == 0 else { return }
      names.insert(path + ".weight")
    }
    return names
  }

  /// Where `source` of the plain model is stored as `name`.
  private static func items(
    _ name: String, _ source: String, _ weights: ModelWeights, isChosen: Bool, _ bits: QuantizedTensor.Bits,
    _ group: Int
  ) -> [SafetensorsWriter.Item] {
    guard let entry = weights.files[source]?.header.entries[source] else { return [] }
    guard isChosen else { return [.init(name: name, type: entry.type, shape: entry.shape)] }
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    return [
      bits == .eight
        ? .init(name: name, type: .i8, shape: [rows, columns])
        : .init(name: name, type: .u8, shape: [rows, columns / 2]),
      .init(name: name + "_scale", type: .f32, shape: [rows, columns / group]),
    ]
  }

  /// Configuration with a note of the format, and all else that the model is used with as it is: the tokenizer and the
  /// like, the half that draws, the vectors for comparing, the list of what it was taught, its card and licence.
  private static func copyOthers(
    from folder: String, to output: String, _ bits: QuantizedTensor.Bits, _ group: Int
  ) throws {
    let path = folder + "/config.json"
    guard var json = try JSONSerialization.jsonObject(with: ModelFolder.contents(of: path)) as? [String: Any]
    else {
      throw ModelFileError(path, "this is not a JSON object; copy the file from the model's source again")
    }
    json["quantization_config"] = ["quant_method": "vugen", "bits": bits.rawValue, "group_size": group]
    let data = try JSONSerialization.data(withJSONObject: json, options: [.prettyPrinted, .sortedKeys])
    try AtomicFile.write(to: output + "/config.json") { write in try data.withUnsafeBytes { try write($0) } }
    for name in try FileName.names(in: folder) where isKept(name) && isPlain("\(folder)/\(name)") {
      let file = try MappedFile(path: "\(folder)/\(name)")
      try withExtendedLifetime(file) {
        try AtomicFile.write(to: "\(output)/\(name)") { write in try write(file.bytes) }
      }
    }
  }

  /// Whether a file goes with the model. Weights that the copy has in another form, and other programs' weights, do not.
  private static func isKept(_ name: String) -> Bool {
    if GenerationFiles.all.contains(name) || name == ContrastiveAlignment.file { return true }
    let ending = (name as NSString).pathExtension.lowercased()
    guard !name.hasPrefix("."), name != "config.json", !name.hasSuffix(".index.json") else { return false }
    return ["json", "jinja", "txt", "md", "model"].contains(ending)
      || ending.isEmpty && ["license", "licence", "notice"].contains { name.lowercased().hasPrefix($0) }
  }

  /// Files, and what links lead to; no folders and pipes.
  private static func isPlain(_ path: String) -> Bool {
    FileName.status(path).map { $0.st_mode & S_IFMT == S_IFREG } ?? false
  }
}
