import Foundation
import Pictures

// Settings in JSON, under the many names that programs have for them.
extension ForeignSettings {
  /// A name without what programs write differently.
  static func normalized(_ key: String) -> String { key.lowercased().filter { $0.isLetter || $0.isNumber } }

  private static let prompts = [
    "positiveprompt", "prompt", "positive", "basecaption", "textprompt", "c", "positiveconditioning",
  ]
  private static let negatives = [
    "negativeprompt", "negative", "uc", "undesiredcontent", "negativeconditioning",
  ]
  private static let seeds = ["seed", "noiseseed", "imageseed"]
  private static let scales = ["cfgscale", "cfg", "guidancescale", "promptguidance", "txtcfg", "scale"]
  private static let stepNames = [
    "steps", "numinferencesteps", "samplesteps", "samplingsteps", "inferencesteps",
  ]

  /// The first of some names that holds a value of a kind, the nearest to the top.
  private static func find<T>(
    _ names: [String], in json: JSONValue, depth: Int = 0, _ value: (JSONValue) -> T?
  ) -> T? {
    guard depth < 6 else { return nil }
    if let object = json.object {
      let fields = object.map { (normalized($0), $1) }.sorted { $0.0 < $1.0 }
      for name in names {
        for (key, field) in fields where key == name { if let found = value(field) { return found } }
      }
      for (_, field) in fields {
        if let found = find(names, in: field, depth: depth + 1, value) { return found }
      }
    }
    for field in json.list ?? [] {
      if let found = find(names, in: field, depth: depth + 1, value) { return found }
    }
    return nil
  }

  private static func words(_ value: JSONValue) -> String? { value.text.flatMap { $0.isEmpty ? nil : $0 } }

  /// Reads any object by the names of its fields; the program is not known yet.
  init(fields json: JSONValue) {
    self.init(program: "another program")
    prompt = Self.find(Self.prompts, in: json, Self.words) ?? ""
    negative = Self.find(Self.negatives, in: json, Self.words)
    // One that can be read, wherever it stands; else what stands there, so that it can be told.
    func number(_ names: [String], _ read: (JSONValue) -> Bool) -> JSONValue? {
      Self.find(names, in: json) { read($0) ? $0 : nil }
        ?? Self.find(names, in: json) { $0.shown == nil ? nil : $0 }
    }
    take(
      seed: number(Self.seeds) { $0.whole != nil }, scale: number(Self.scales) { $0.number != nil },
      steps: number(Self.stepNames) { $0.count != nil })
    others = Self.rest(of: json)
  }

  private static let used = Set(prompts + negatives + seeds + scales + stepNames)

  /// What nothing here is made of. What stands within another object or list has the names on the way to it in front, as
  /// `model.name`, and comes behind what does not.
  private static func rest(of json: JSONValue, _ path: String = "", depth: Int = 0) -> [(String, String)] {
    guard depth < 5 else { return [] }
    let fields =
      json.object.map { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
      ?? (json.list ?? []).prefix(16).enumerated().map { ("\($0 + 1)", $1) }
    var plain: [(String, String)] = [], inner: [(String, String)] = []
    for (key, value) in fields where !(used.contains(normalized(key)) && value.isPlain) {
      if let shown = value.shown {
        plain.append((path + key, shown))
      } else {
        inner += rest(of: value, "\(path)\(key).", depth: depth + 1)
      }
    }
    return plain + inner
  }

  /// What a program put into one text; `beside` are all texts of the picture, which may name it.
  init?(json: JSONValue, key: String, beside texts: [PNGText]) {
    guard let object = json.object else { return nil }
    // A text in a text: NovelAI's in JPEG and WebP, where there is one place for all.
    if let inner = (object["Comment"] ?? object["comment"])?.text.flatMap({ JSONValue($0) }) {
      let names = object.compactMap { key, value in value.text.map { PNGText(key, $0) } }
      self.init(json: inner, key: "Comment", beside: names)
      return
    }
    if let image = json["image"], image["prompt"] != nil {
      self.init(oldInvoke: image, json)
      return
    }
    let name = Self.program(json, key, texts)
    // Words in a comment that anybody may have written are not taken for a prompt without a second sign.
    var found = Self(fields: json["sui_image_params"] ?? json)
    if json["sui_image_params"] != nil {
      found.others += Self.rest(of: .object(object.filter { $0.key != "sui_image_params" }))
    }
    // Its older pictures have the prompt in a text of its own.
    if found.prompt.isEmpty, name == "NovelAI" {
      found.prompt = texts.first { $0.key.lowercased() == "description" }?.value ?? ""
    }
    guard !found.prompt.isEmpty, name != nil || found.seed != nil || found.steps != nil || found.scale != nil
    else { return nil }
    found.program = name ?? "another program"
    self = found
  }

  private static func program(_ json: JSONValue, _ key: String, _ texts: [PNGText]) -> String? {
    func told(_ name: String) -> String {
      texts.first { $0.key.lowercased() == name }?.value ?? ""
    }
    let names = Set((json.object ?? [:]).keys)
    let version = (json["version"] ?? json["Version"] ?? json["software"] ?? json["generator"])?.text ?? ""
    if names.contains("sui_image_params") { return "SwarmUI" }
    if key == "invokeai_metadata" || key == "invokeai" || key == "sd-metadata" { return "InvokeAI" }
    if told("software") == "NovelAI" || names.contains("v4_prompt") { return "NovelAI" }
    if version.hasPrefix("RuinedFooocus") { return "RuinedFooocus" }
    if version.hasPrefix("Fooocus") || !told("fooocus_scheme").isEmpty || told("makernote") == "fooocus" {
      return "Fooocus"
    }
    if key == "parameters-json" || names.contains("PositivePrompt") { return "Stability Matrix" }
    let all = version + (json["program"]?.text ?? "") + (json["app"]?.text ?? "") + told("software")
    if all.contains("stable-diffusion.cpp") || names.contains("sample_params") {
      return "stable-diffusion.cpp"
    }
    if names.contains("num_inference_steps") { return "Easy Diffusion" }
    if names.contains("c"), names.contains("uc") { return "Draw Things" }
    return names.contains("app_version") ? "InvokeAI" : nil
  }

  /// InvokeAI before version 3.
  private init?(oldInvoke image: JSONValue, _ whole: JSONValue) {
    let parts = image["prompt"]?.list?.compactMap { $0["prompt"]?.text }
    guard let text = image["prompt"]?.text ?? parts?.joined(separator: " ") else { return nil }
    self.init(fields: image)
    program = "InvokeAI"
    (prompt, negative) = Self.bracketed(text)
    others += ["model", "model_weights", "app_version"].compactMap { name in
      whole[name]?.shown.map { (name, $0) }
    }
  }
}
