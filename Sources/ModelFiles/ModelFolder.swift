import Files
import Foundation

/// Model folders as people have them: which folder is meant, and what is wrong with one that holds no model.
public enum ModelFolder {
  static let whole = "model.safetensors", index = "model.safetensors.index.json"

  // MARK: Which folder

  /// The folder with a model's files that a path means: of a hub's cache, `models--ORG--NAME`, its snapshot; of a training
  /// run the model that it exported; else the path itself, whatever is there.
  public static func located(_ path: String) -> String {
    let root =
      FileName.last(of: path) == "snapshots"
      ? FileName.parent(of: path) : path
    guard !exists(path + "/config.json") else { return path }
    if exists(path + "/recipe.toml"), exists(path + "/model/config.json") { return path + "/model" }
    guard exists(root + "/snapshots") else { return path }
    let snapshots = (names(root + "/snapshots") ?? []).sorted()
    let references = (names(root + "/refs") ?? []).sorted()
    for reference in ["main"] + references {
      guard let data = try? MappedFile.contents(of: "\(root)/refs/\(reference)") else { continue }
      let commit = String(decoding: data.prefix(64), as: UTF8.self).trimmingCharacters(
        in: .whitespacesAndNewlines)
      if snapshots.contains(commit) { return "\(root)/snapshots/\(commit)" }
    }
    // Without a reference the one that was downloaded last.
    let newest = snapshots.max { modified("\(root)/snapshots/\($0)") < modified("\(root)/snapshots/\($1)") }
    return newest.map { "\(root)/snapshots/\($0)" } ?? path
  }

  private static let note = "vugen.json"

  private struct Note: Codable { var name: String }

  /// Gives a model in a folder a name of its own, wherever the folder goes. Throws `FileAccessError`.
  public static func write(name: String, to folder: String) throws {
    try AtomicFile.write(try JSONText.line(Note(name: name)) + [10], to: "\(folder)/\(note)")
  }

  private static func givenName(of folder: String) -> String? {
    let path = "\(folder)/\(note)"
    guard exists(path), let data = try? MappedFile.contents(of: path), data.count < 4096,
      let name = try? JSONDecoder().decode(Note.self, from: data).name.oneLine
    else { return nil }
    return name.allSatisfy(\.isWhitespace) ? nil : name
  }

  /// What a model in this folder is called: its own name, where it was given one; else NAME of a snapshot in a hub's cache, the run's name of a run's `model` or `best`,
  /// else the folder's name.
  public static func name(of folder: String) -> String {
    if let name = givenName(of: folder) { return name }
    let parts = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
    guard parts.count >= 3, parts[parts.count - 2] == "snapshots",
      parts[parts.count - 3].hasPrefix("models--")
    else {
      let isRun = ["model", "best"].contains(parts.last) && exists(folder + "/../recipe.toml")
      return (isRun ? parts.dropLast().last : parts.last) ?? folder
    }
    let root = parts[parts.count - 3].dropFirst("models--".count)
    return root.range(of: "--", options: .backwards).map { String(root[$0.upperBound...]) } ?? String(root)
  }

  // MARK: What is wrong

  /// The names in a folder. Throws `ModelFileError` where it is not there, is no folder, or may not be read.
  static func list(_ folder: String) throws -> [String] {
    var status = stat()
    guard stat(folder, &status) == 0 else {
      let code = errno, isMissing = code == ENOENT && !isLink(folder)
      throw ModelFileError(
        folder, isMissing ? withoutFolder(folder) : MappedFile.reason(code, folder) + advice(on: folder))
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      let parent = FileName.parent(of: folder)
      guard folder.hasSuffix(".safetensors") || folder.hasSuffix(".json") else {
        let known = try? StrangeFile.explanation(MappedFile(path: folder))
        throw ModelFileError(folder, known ?? "this is a file; name a folder that holds a model")
      }
      throw ModelFileError(
        folder, "this is one file of a model; name its folder: \(parent.isEmpty ? "." : parent)")
    }
    guard access(folder, R_OK | X_OK) == 0 else {
      throw ModelFileError(
        folder, "no permission to read this folder; change that with chmod, or name a copy of your own")
    }
    do { return try FileName.names(in: folder) } catch let error as FileAccessError {
      throw ModelFileError(folder, error.reason)
    }
  }

  private static func withoutFolder(_ path: String) -> String {
    guard HubName(path) != nil else {
      return "no such folder; name one that holds a model: config.json and its weights"
    }
    return
      "no such folder, nor a model in the hub's cache; name a folder, or fetch it: vugen model pull \(path)"
  }

  /// The model on the hub whose snapshot a folder is; nil for any other.
  static func hubName(of folder: String) -> String? {
    let parts = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
    guard parts.count >= 3, parts[parts.count - 2] == "snapshots", let commit = parts.last,
      let name = HubName(folderName: parts[parts.count - 3])
    else { return nil }
    let root = URL(fileURLWithPath: folder).standardizedFileURL.deletingLastPathComponent()
      .deletingLastPathComponent().path
    let main = (try? MappedFile.contents(of: root + "/refs/main")).map { String(decoding: $0, as: UTF8.self) }
    return main.map { $0.hasPrefix(commit) } ?? true ? name.repository : "\(name.repository)@\(commit)"
  }

  /// How to complete what a download left, such as `them`.
  static func completion(of folder: String, _ what: String) -> String {
    hubName(of: folder).map { "complete it: vugen model pull \($0)" }
      ?? "download \(what) from the model's source into this folder: vugen model pull ORG/NAME --local-dir \(folder)"
  }

  /// Throws `ModelFileError` where the folder has no `config.json`, and says what it has instead.
  public static func checkConfiguration(_ folder: String) throws {
    let names = try list(folder)
    guard !names.contains("config.json") else { return }
    throw ModelFileError(folder, withoutConfiguration(folder, names))
  }

  private static func withoutConfiguration(_ folder: String, _ names: [String]) -> String {
    if names.isEmpty { return "the folder is empty; name one that holds a model" }
    if names.contains("snapshots"), names.contains("refs") || names.contains("blobs") {
      let root = (folder as NSString).lastPathComponent
      let name = HubName(folderName: root).map(\.description) ?? "ORG/NAME"
      return "this is a hub's cache without a snapshot of the model; fetch it: vugen model pull \(name)"
    }
    if let model = names.sorted().first(where: { $0.hasPrefix("models--") }) {
      return "this is a hub's cache of models; name one of them, such as \(folder)/\(model)"
    }
    if names.contains("adapter_config.json") {
      return "this is an adapter (LoRA) and no whole model; merge it into the model that it was made for"
    }
    if names.contains("model_index.json") {
      return "this is a diffusers pipeline; only models of vision and language are read"
    }
    if let foreign = foreignWeights(names), !names.contains(where: { $0.hasSuffix(".safetensors") }) {
      return foreign
    }
    if let inner = names.sorted().first(where: { exists("\(folder)/\($0)/config.json") }) {
      return "config.json is not here but in \(inner); name that folder: \(folder)/\(inner)"
    }
    if hubName(of: folder) != nil { return "config.json is missing; \(completion(of: folder, "it"))" }
    return "config.json is missing; copy it from the model's source, or name a folder that holds a model"
  }

  /// What to say of a folder with neither weights nor an index of them.
  static func withoutWeights(_ folder: String, _ names: [String]) -> String {
    let shards = names.compactMap { $0.wholeMatch(of: #/model-\d{5}-of-(\d{5})\.safetensors/#) }
    if let total = shards.first.flatMap({ Int($0.1) }) {
      return "incomplete download: \(shards.count) of \(total) files are here, and \(index) is missing; "
        + completion(of: folder, "what is missing")
    }
    if let part = names.sorted().first(where: isUnfinished) {
      return "incomplete download: \(part) is not finished; \(completion(of: folder, "the model"))"
    }
    if let foreign = foreignWeights(names) { return foreign }
    let others = names.filter { $0.hasSuffix(".safetensors") }.sorted()
    let found = others.isEmpty ? "" : " (only \(listed(others)))"
    let next =
      hubName(of: folder) == nil ? "name a folder that holds a model" : completion(of: folder, "them")
    return "neither \(whole) nor \(index) is here\(found); \(next)"
  }

  private static func isUnfinished(_ name: String) -> Bool {
    [".incomplete", ".part", ".crdownload", ".aria2", ".partial"].contains { name.hasSuffix($0) }
  }

  static func foreignWeights(_ names: [String]) -> String? {
    let kinds: [(String, [String])] = [
      ("GGUF", [".gguf", ".ggml"]), ("PyTorch", [".bin", ".pth", ".pt", ".ckpt"]),
      ("TensorFlow", [".h5", ".ckpt.index"]), ("Flax", [".msgpack"]), ("ONNX", [".onnx"]),
    ]
    for (kind, endings) in kinds {
      guard let name = names.sorted().first(where: { name in endings.contains { name.hasSuffix($0) } }) else {
        continue
      }
      return
        "the weights are \(kind)'s (\(name)), which are not read; take the safetensors files from the model's source"
    }
    return nil
  }

  /// What to say where an index names files that are not there; nil where all are.
  static func missingShards(_ files: Set<String>, in folder: String) -> String? {
    let missing = files.filter { !exists("\(folder)/\($0)") }.sorted()
    guard !missing.isEmpty else { return nil }
    return "incomplete download: \(files.count - missing.count) of \(files.count) files are here; missing "
      + "\(listed(missing)); \(completion(of: folder, missing.count == 1 ? "it" : "them"))"
  }

  private static func listed(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }

  // MARK: Files

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  private static func names(_ folder: String) -> [String]? {
    try? FileManager.default.contentsOfDirectory(atPath: folder)
  }

  private static func modified(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
  }
}
