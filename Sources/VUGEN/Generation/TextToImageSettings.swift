import Foundation
import Pictures

/// Settings that a PNG tells of how it was drawn, by this program or another, as far as they mean something here.
public struct TextToImageSettings: Sendable, Equatable {
  /// Clamped to what this model takes; what the file does not say has its default.
  public var settings: ImagineSettings
  /// The program that wrote them.
  public var program: String

  /// nil where the file holds none that are understood.
  public init?(pngTexts texts: [PNGText]) {
    func text(_ key: String) -> String? { texts.first { $0.key == key }?.value }
    if let own = text(PictureMetadata.key),
      let found = try? JSONDecoder().decode(PictureMetadata.self, from: Data(own.utf8))
    {
      (settings, program) = (found.settings, "VUGEN Studio")
    } else if let found = text("invokeai_metadata").flatMap(Self.invoke)
      ?? text("sd-metadata").flatMap(Self.oldInvoke)
    {
      (settings, program) = (found, "InvokeAI")
    } else if let found = text("prompt").flatMap(Self.comfy) {
      (settings, program) = (found, "ComfyUI")
    } else if let written = text("parameters"), let found = Self.parameters(written) {
      let isCpp = written.contains("stable-diffusion.cpp")
      (settings, program) = (found, isCpp ? "stable-diffusion.cpp" : "AUTOMATIC1111")
    } else {
      return nil
    }
  }

  /// Reads a picture's bytes; nil where they are no PNG or tell nothing.
  public init?(bytes: [UInt8]) {
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]),
      let texts = try? Picture.pngTexts(bytes: bytes, name: "picture")
    else { return nil }
    self.init(pngTexts: texts)
  }

  private static func made(
    _ prompt: String, negative: String?, seed: UInt64?, scale: Double?, steps: Double?
  ) -> ImagineSettings? {
    let words = prompt.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !words.isEmpty else { return nil }
    var s = ImagineSettings(prompt: String(words.prefix(ImagineSettings.mostPromptCharacters / 2)))
    s.negative = String((negative ?? "").prefix(ImagineSettings.mostPromptCharacters / 2))
      .trimmingCharacters(in: .whitespacesAndNewlines)
    s.seed = seed ?? s.seed
    if let scale, scale.isFinite {
      s.guidanceScale = Float(max(0, min(Double(ImagineSettings.mostGuidance), scale)))
    }
    if let steps, steps.isFinite { s.steps = Int(max(1, min(Double(ImagineSettings.mostSteps), steps))) }
    return s
  }

  // MARK: AUTOMATIC1111 and stable-diffusion.cpp

  /// Prompt, then "Negative prompt: …", then a line "Steps: 20, Sampler: …, CFG scale: 7, Seed: 1, …".
  private static func parameters(_ text: String) -> ImagineSettings? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let last = lines.lastIndex(where: { $0.hasPrefix("Steps: ") }) else { return nil }
    var values: [String: String] = [:]
    for part in lines[last].split(separator: ",") {
      let pair = part.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      if pair.count == 2, values[pair[0]] == nil { values[pair[0]] = pair[1] }
    }
    let mark = "Negative prompt:", body = lines[..<last]
    let negativeLine = body.firstIndex { $0.hasPrefix(mark) }
    let prompt = body[..<(negativeLine ?? last)].joined(separator: "\n")
    let negative = negativeLine.map { at in
      ([body[at].dropFirst(mark.count)] + body[(at + 1)...]).joined(separator: "\n")
    }
    return made(
      prompt, negative: negative, seed: values["Seed"].flatMap(UInt64.init),
      scale: values["CFG scale"].flatMap(Double.init), steps: values["Steps"].flatMap(Double.init))
  }

  // MARK: InvokeAI

  private static func object(_ text: String) -> [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
  }

  private static func number(_ value: Any?) -> Double? { (value as? NSNumber)?.doubleValue }
  private static func whole(_ value: Any?) -> UInt64? {
    (value as? NSNumber).flatMap { $0.doubleValue >= 0 ? $0.uint64Value : nil }
  }

  private static func invoke(_ text: String) -> ImagineSettings? {
    guard let json = object(text), let prompt = json["positive_prompt"] as? String else { return nil }
    return made(
      prompt, negative: json["negative_prompt"] as? String, seed: whole(json["seed"]),
      scale: number(json["cfg_scale"]), steps: number(json["steps"]))
  }

  /// Before version 3.
  private static func oldInvoke(_ text: String) -> ImagineSettings? {
    guard let image = object(text)?["image"] as? [String: Any] else { return nil }
    let list = image["prompt"] as? [[String: Any]]
    guard let prompt = image["prompt"] as? String ?? list?.first?["prompt"] as? String else { return nil }
    return made(
      prompt, negative: nil, seed: whole(image["seed"]), scale: number(image["cfg_scale"]),
      steps: number(image["steps"]))
  }

  // MARK: ComfyUI

  /// A graph of nodes: the sampler names its conditions, which are followed to a text.
  private static func comfy(_ text: String) -> ImagineSettings? {
    guard let graph = object(text) else { return nil }
    func inputs(_ id: String) -> [String: Any]? { (graph[id] as? [String: Any])?["inputs"] as? [String: Any] }
    /// A value itself, or what the node behind a link holds under one of these names.
    func resolved(_ value: Any?, _ names: [String], depth: Int = 0) -> Any? {
      guard let link = value as? [Any], let first = link.first else { return value }
      let id = first as? String ?? "\(first)"
      guard depth < 16, let next = inputs(id) else { return nil }
      for name in names where next[name] != nil {
        if let found = resolved(next[name], names, depth: depth + 1) { return found }
      }
      return nil
    }
    let texts = ["text", "text_g", "string", "value", "conditioning", "positive"]
    for id in graph.keys.sorted() {
      guard let sampler = inputs(id), sampler["positive"] != nil, sampler["steps"] != nil else { continue }
      guard let prompt = resolved(sampler["positive"], texts) as? String else { continue }
      let seed = resolved(sampler["seed"] ?? sampler["noise_seed"], ["seed", "value"])
      return made(
        prompt, negative: resolved(sampler["negative"], texts) as? String, seed: whole(seed),
        scale: number(resolved(sampler["cfg"], ["cfg", "value"])),
        steps: number(resolved(sampler["steps"], ["steps", "value"])))
    }
    return nil
  }
}
