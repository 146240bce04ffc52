import Foundation

/// What an argument of a command is for, as far as the program tells.
enum Role {
  enum Input: CaseIterable { case picture, tensors, model, session, shards, list, recipe, run, captioned }

  case flag
  case choice([String])
  case number
  /// `SECTION.KEY=VALUE` of a recipe.
  case setting
  /// With the endings that files of it have; none for a folder.
  case output([String])
  case input([Input])
  case text

  /// Values that keep a command's work small.
  static let small: [String: String] = [
    "scenes": "2", "samples": "1", "repeats": "1", "rounds": "1", "train": "2", "validation": "1",
    "held-out": "1",
    "max-tokens": "3", "steps": "2", "tokens": "3", "vocabulary": "320", "pictures": "2", "seconds": "0.01",
    "shape": "tiny", "count": "1", "batch": "2", "per-shard": "5",
  ]

  /// The same of recipes.
  static let smallSettings = [
    "optimization.steps=1", "data.batch=2", "data.scenes=4", "run.nice=0",
    "run.sampleMinutes=999",
  ]

  init(_ argument: CommandTree.Argument, isNumber: Bool) {
    let completion = argument.completionKind, name = argument.name, about = argument.abstract ?? ""
    let endings = completion?.file?.extensions ?? []
    if argument.kind == "flag" {
      self = .flag
    } else if let values = argument.allValues ?? completion?.list?.values {
      self = .choice(values)
    } else if name == "set" {
      self = .setting
    } else if name == "output" || about.contains("o write") || about.hasPrefix("Write") {
      self = .output(endings)
    } else if completion?.file != nil {
      self = .input(Self.inputs(endings))
    } else if completion?.directory != nil {
      self = .input([.captioned, .run])
    } else if completion?.custom != nil {
      self = name.contains("session") ? .input([.session]) : name.contains("theme") ? .text : .input([.model])
    } else {
      self = isNumber || Double(argument.defaultValue ?? "") != nil ? .number : .text
    }
  }

  /// Whether the program comes to it only when the options are right.
  var isRead: Bool {
    switch self {
    case .input, .setting: true
    default: false
    }
  }

  private static func inputs(_ endings: [String]) -> [Input] {
    if endings.contains("png") { return [.picture] }
    if endings.contains("safetensors") { return [.tensors, .model] }
    if endings.contains("toml") { return [.recipe] }
    if endings.contains("jsonl") { return [.list] }
    if endings.contains("tar") { return [.shards] }
    return Input.allCases
  }
}
