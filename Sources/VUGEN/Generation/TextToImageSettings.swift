import Foundation
import Pictures
import Requests

/// Settings that a picture file tells of how it was drawn, by this program or another, as far as they mean something
/// here.
public struct TextToImageSettings: Sendable, Equatable {
  /// Clamped to what this model takes; what the file does not say has its default.
  public var settings: ImageSettings
  /// The program that wrote them.
  public var program: String
  /// What else it tells, such as the sampler and the model: `name: value`.
  public var others: [String]
  /// The model that drew it, where this program did; nil else.
  public private(set) var model: String?
  /// What was not taken as it stands.
  private var told: [SettingChange] = []

  /// Numbers that were not taken as they stand, each in a line for the person.
  ///
  /// - Parameter given: settings that the person gives, whatever the picture says of them.
  public func changes(besides given: Set<SettingChange.Setting> = []) -> [String] {
    told.filter { !given.contains($0.setting) }.map(\.line)
  }

  /// This program's name among others.
  public static let own = "VUGEN Studio"

  /// Programs whose pictures are understood, for help.
  public static let programs =
    "VUGEN Studio, AUTOMATIC1111, Forge, SD.Next, ComfyUI, InvokeAI, NovelAI, Fooocus, SwarmUI, Easy Diffusion, "
    + "Stability Matrix, Draw Things or stable-diffusion.cpp"

  /// nil where the texts of a picture hold none that are understood.
  public init?(texts: [PNGText]) {
    // ComfyUI puts `name:{…}` into EXIF's Make and Model where there are no text chunks.
    let texts = texts.map { text in
      for name in ["prompt", "workflow"]
      where text.value.prefix(name.count + 2).lowercased() == name + ":{" {
        return PNGText(name, String(text.value.dropFirst(name.count + 1)))
      }
      return text
    }
    if let own = texts.first(where: { $0.key == PictureMetadata.key })?.value,
      let found = try? JSONDecoder().decode(PictureMetadata.self, from: Data(own.utf8))
    {
      (settings, program, others) = (found.settings, "VUGEN Studio", ["model: \(found.model)"])
      model = found.model
      return
    }
    guard let found = Self.foreign(texts), let settings = found.settings else { return nil }
    (self.settings, program, others) = (settings, found.program, found.shownOthers)
    told = found.changes
  }

  /// Reads a picture file's bytes; nil where they tell nothing.
  public init?(bytes: [UInt8]) { self.init(texts: Picture.texts(bytes: bytes)) }

  private static func foreign(_ texts: [PNGText]) -> ForeignSettings? {
    for text in texts where text.key == "prompt" {
      if let json = JSONValue(text.value), let found = ComfyGraph(json).settings { return found }
    }
    // Before JSON: where a program writes both, this says more.
    for text in texts {
      if let found = ForeignSettings(parameters: text.value, beside: texts) { return found }
    }
    // ComfyUI's drawing of its graph says nothing that the graph does not.
    for text in texts where text.key != "workflow" {
      if let json = JSONValue(text.value),
        let found = ForeignSettings(json: json, key: text.key, beside: texts)
      {
        return found
      }
    }
    for text in texts where text.key.lowercased() == "dream" {
      if let found = ForeignSettings(dream: text.value) { return found }
    }
    return ForeignSettings(keys: texts)
  }
}

/// A number of another program's that is not taken as it stands, or words that are not found.
public struct SettingChange: Sendable, Equatable {
  /// Settings that are numbers, and the words.
  public enum Setting: Sendable { case prompt, negative, seed, guidance, steps }

  /// Which one.
  public let setting: Setting
  /// For the person.
  public let line: String

  init(_ setting: Setting, _ line: String) { (self.setting, self.line) = (setting, line) }
}

/// What another program tells, before it is fitted to this one.
struct ForeignSettings {
  var program: String
  var prompt = ""
  var negative: String?
  var seed: UInt64?
  var scale, steps: Double?
  /// Names and values that mean nothing here.
  var others: [(String, String)] = []
  /// What models that were distilled with guidance take in its place: a scale that means nothing to others.
  var distilledGuidance: String?

  /// What stands for a number and is none.
  private var unread: [SettingChange] = []
  /// Numbers as they stand in the file.
  private var written: [SettingChange.Setting: String] = [:]

  init(program: String) { self.program = program }

  /// A text of a file for a person, however long it is.
  private static func short(_ text: String) -> String {
    text.count > 40 ? text.prefix(39) + "…" : text
  }

  /// Takes numbers as they are written; what cannot be read is told.
  mutating func take(seed: String? = nil, scale: String? = nil, steps: String? = nil) {
    take(seed: seed.map(JSONValue.text), scale: scale.map(JSONValue.text), steps: steps.map(JSONValue.text))
  }

  /// The same of values in JSON. Each is taken exactly or not at all.
  mutating func take(seed: JSONValue?, scale: JSONValue?, steps: JSONValue?) {
    func note(_ value: JSONValue?, as setting: SettingChange.Setting) -> String? {
      let shown = value?.shown.map(Self.short)
      if let shown { written[setting] = shown }
      return shown
    }
    if note(seed, as: .seed) != nil { self.seed = seed?.whole }
    if let shown = note(scale, as: .guidance) {
      self.scale = scale?.number
      if self.scale == nil {
        unread.append(.init(.guidance, "its guidance '\(shown)' is no number and is left out"))
      }
    }
    if let shown = note(steps, as: .steps) {
      self.steps = steps?.count
      if self.steps == nil {
        unread.append(.init(.steps, "its steps '\(shown)' are no whole number and are left out"))
      }
    }
  }

  /// Tells that words come from a node of a graph that is not read, all of them or a part.
  mutating func tellUnread(_ setting: SettingChange.Setting, from kind: String, isPart: Bool) {
    let name = setting == .prompt ? "prompt" : "negative prompt"
    let node = kind.isEmpty ? "a node without a name" : "the node '\(Self.short(kind))'"
    unread.append(
      .init(setting, "\(isPart ? "a part of its" : "its") \(name) comes from \(node), which is not read"))
  }

  /// Numbers that are not taken as they stand.
  var changes: [SettingChange] {
    guard let taken = settings else { return [] }
    var changes = unread
    if let scale, !(abs(Double(taken.guidanceScale) - scale) < 1e-3) {
      let said = written[.guidance] ?? "\(scale)"
      changes.append(.init(.guidance, "guidance \(said) became \(taken.guidanceScale.formatted())"))
    }
    if let distilledGuidance {
      changes.append(
        .init(
          .guidance,
          "its distilled guidance \(Self.short(distilledGuidance)) is for Flux and its like, and is ignored: the guidance is \(taken.guidanceScale.formatted())"
        ))
    }
    if let steps, Double(taken.steps) != steps {
      changes.append(.init(.steps, "\(written[.steps] ?? "\(steps)") steps became \(taken.steps)"))
    }
    if seed == nil {
      // Programs write what stood in the field, and keep what they drew by to themselves.
      let isRandom = written[.seed].flatMap { Double($0) } == -1
      let said = written[.seed].map { " (it says '\($0)')" } ?? ""
      let line =
        isRandom
        ? "its seed is -1, which means any at random; which one it was, the picture does not say"
        : "it names no seed that can be taken\(said)"
      changes.append(.init(.seed, "\(line); the seed is \(taken.seed)"))
    }
    return changes
  }

  /// nil without a prompt, unless numbers show that there was none, or its words are known to be missing.
  var settings: ImageSettings? {
    let most = ImageSettings.mostPromptCharacters / 2
    func tidy(_ text: String) -> String {
      let lines = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
      return String(lines.prefix(most)).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let words = tidy(prompt)
    let isMissing = unread.contains { $0.setting == .prompt }
    guard !words.isEmpty || isMissing || seed != nil && steps != nil else { return nil }
    var s = ImageSettings(prompt: words)
    s.negative = tidy(negative ?? "")
    s.seed = seed ?? s.seed
    if let scale, scale.isFinite {
      s.guidanceScale = Float(max(0, min(Double(ImageSettings.mostGuidance), scale)))
    }
    if let steps, steps.isFinite { s.steps = Int(max(1, min(Double(ImageSettings.mostSteps), steps))) }
    return s
  }

  var shownOthers: [String] {
    others.prefix(40).map { name, value in
      let line = value.split(whereSeparator: \.isNewline).joined(separator: " ")
      return "\(name): \(line.count > 200 ? line.prefix(199) + "…" : line[...])"
    }
  }
}
