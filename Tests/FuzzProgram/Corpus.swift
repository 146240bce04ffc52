import Foundation
import Pictures

/// Whole inputs of every kind that the program reads, from which a round takes copies: its own works, the tests'
/// pictures, and the recorded sessions of the examples.
struct Corpus {
  let folder: String
  let tree: String
  let nano: String
  private(set) var pictures: [String] = []
  private(set) var recipes: [String: String] = [:]

  static let list = #"""
    file,caption
    one.png,"a red apple, ""ripe"""
    two.png,two cats
    missing.png,nothing
    """#
  static let lines = """
    {"file":"one.png","caption":"a red apple"}
    {"file":"two.png","text":"two cats"}

    """

  /// Settings that other programs store in pictures.
  static let settings: [(key: String, text: String)] = [
    (
      "parameters",
      "a red apple\nNegative prompt: a cat\nSteps: 2, Sampler: Euler a, CFG scale: 3, Seed: 5, Size: 512x512, Version: 1"
    ),
    (
      "prompt",
      #"{"1":{"class_type":"KSampler","inputs":{"seed":5,"steps":2,"cfg":3.0,"positive":["2",0],"negative":["3",0],"latent_image":["4",0]}},"2":{"class_type":"CLIPTextEncode","inputs":{"text":"a red apple"}},"3":{"class_type":"CLIPTextEncode","inputs":{"text":"a cat"}},"4":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1}}}"#
    ),
    (
      "invokeai_metadata",
      #"{"positive_prompt":"a red apple","negative_prompt":"","seed":5,"steps":2,"cfg_scale":3,"width":64}"#
    ),
    ("Comment", #"{"prompt":"a red apple","steps":2,"scale":3.0,"seed":5,"uc":"a cat","width":64}"#),
    ("Software", "NovelAI"), ("Description", "a red apple"),
    (
      "parameters",
      #"{"sui_image_params":{"prompt":"a red apple","seed":5,"steps":2,"cfgscale":3,"width":64,"height":64}}"#
    ),
    ("vugen", #"{"prompt":"a red apple","seed":5,"steps":2,"guidanceScale":3,"decoderSteps":1}"#),
  ]

  /// Throws where the program makes none of it.
  init(folder: String, tree: String, program: Program, isQuick: Bool) throws {
    (self.folder, self.tree) = (folder, tree)
    nano = tree + "/Sources/VUGEN/Resources/nano"
    let manager = FileManager.default
    try manager.createDirectory(atPath: folder + "/captioned", withIntermediateDirectories: true)
    let fixtures = tree + "/Tests/PicturesTests/Fixtures"
    pictures = [fixtures, fixtures + "/Kinds", tree + "/Examples/pictures"].flatMap { folder in
      ((try? manager.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
    }.filter { path in
      let size = (try? manager.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
      return PictureFormat.extensions.contains((path as NSString).pathExtension) && size < 200_000
    }
    let gray = Picture(width: 24, height: 24, rgb: [UInt8](repeating: 90, count: 24 * 24 * 3))
    for name in ["one", "two"] {
      try Data(gray.pngData()).write(to: URL(fileURLWithPath: "\(folder)/captioned/\(name).png"))
      try "a red apple".write(toFile: "\(folder)/captioned/\(name).txt", atomically: false, encoding: .utf8)
    }
    for line in [
      "model init --shape tiny --output tiny", "data build folder captioned --output shards",
      "encode captioned/one.png --output features.safetensors",
      // The latter learns a tokenizer as well.
      isQuick
        ? "train decoder --output run --set optimization.steps=1 --set data.batch=1"
        : "train understanding --output run --set optimization.steps=2 --set data.batch=2 --set model.vocabulary=320",
    ] { _ = program.run(line.split(separator: " ").map(String.init), in: folder) }
  }

  /// The recipe that a command prints of itself; empty where it has none.
  mutating func recipe(of leaf: CommandTree.Leaf, _ program: Program) -> String {
    if let known = recipes[leaf.title] { return known }
    let own = leaf.words + ["--output", "recipe", "--show-recipe"]
    let found = leaf.option("show-recipe") == nil ? "" : program.run(own, in: folder)
    recipes[leaf.title] = found
    return found
  }
}

/// The program that is tried.
struct Program {
  let path: String
  /// Variables that every start has.
  let environment: [String]

  /// What it prints.
  func run(_ words: [String], in folder: String) -> String {
    let start = Start(
      program: path, arguments: words.map { Array($0.utf8) }, environment: environment, folder: folder,
      seconds: 240)
    return String(decoding: start.run().output, as: UTF8.self)
  }

  func errors(_ words: [String], in folder: String) -> String {
    let start = Start(
      program: path, arguments: words.map { Array($0.utf8) }, environment: environment, folder: folder)
    return String(decoding: start.run().errors, as: UTF8.self)
  }
}
