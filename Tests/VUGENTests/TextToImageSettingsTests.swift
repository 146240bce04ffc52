import Foundation
import Pictures
import Requests
import Testing
import VUGEN

@Suite struct TextToImageSettingsTests {
  private func read(_ texts: [(String, String)]) throws -> TextToImageSettings? {
    let picture = Picture(width: 4, height: 4, red: 1, green: 2, blue: 3)
    return TextToImageSettings(bytes: try picture.pngData(texts: texts.map { PNGText($0.0, $0.1) }))
  }

  @Test func ownPicturesRepeatThemselves() throws {
    var settings = ImageSettings(prompt: "a red apple")
    (settings.seed, settings.guidanceScale, settings.negative, settings.steps) = (7, 2.5, "a cat", 12)
    let png = try PictureMetadata(settings, stepsDone: 12, model: "nano")
      .png(of: Picture(width: 4, height: 4, red: 1, green: 2, blue: 3))
    let found = try #require(TextToImageSettings(bytes: png))
    #expect(found.settings == settings && found.program == "VUGEN Studio")
    for format in WrittenFormat.allCases {
      let bytes = try PictureMetadata(settings, stepsDone: 12, model: "nano")
        .data(of: Picture(width: 4, height: 4, red: 1, green: 2, blue: 3), format)
      #expect(TextToImageSettings(bytes: bytes)?.settings == settings, "\(format)")
    }
  }

  @Test func automatic1111IsRead() throws {
    let text = """
      a castle, (sharp:1.2)
      at dawn
      Negative prompt: blurry,
      dark
      Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 18446744073709551615, Size: 512x512, Model: "a, b: c"
      """
    let found = try #require(try read([("parameters", text)]))
    #expect(found.program == "AUTOMATIC1111")
    #expect(found.settings.prompt == "a castle, (sharp:1.2)\nat dawn")
    #expect(found.settings.negative == "blurry,\ndark")
    #expect(found.settings.seed == .max && found.settings.guidanceScale == 7.5 && found.settings.steps == 20)
    let other = "a dog\nSteps: 5, CFG scale: 1.0, Seed: 3, Version: stable-diffusion.cpp"
    #expect(try read([("parameters", other)])?.program == "stable-diffusion.cpp")
  }

  @Test func comfyAndInvokeAreRead() throws {
    let graph = """
      {"3": {"class_type": "KSampler", "inputs": {"seed": 42, "steps": 30, "cfg": 4.0, "positive": ["9", 0],
        "negative": ["7", 0], "model": ["4", 0]}},
       "9": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["6", 0], "guidance": 3.5}},
       "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["11", 0], "clip": ["4", 1]}},
       "11": {"class_type": "String", "inputs": {"value": "a red fox"}},
       "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark"}}}
      """
    let comfy = try #require(try read([("prompt", graph), ("workflow", "{}")]))
    #expect(comfy.program == "ComfyUI" && comfy.settings.prompt == "a red fox")
    #expect(comfy.settings.negative == "watermark" && comfy.settings.seed == 42 && comfy.settings.steps == 30)
    let invoke =
      #"{"positive_prompt": "a boat", "negative_prompt": "", "seed": 5, "cfg_scale": 900, "steps": 0}"#
    let found = try #require(try read([("invokeai_metadata", invoke)]))
    // What this model does not take is brought into its range.
    #expect(found.settings.guidanceScale == ImageSettings.mostGuidance && found.settings.steps == 1)
    try found.settings.check()
  }

  @Test(arguments: [
    ("parameters", "just words"), ("prompt", "{"),
    ("prompt", #"{"1": {"inputs": {"positive": ["1", 0], "steps": 1}}}"#),
    ("invokeai_metadata", "[]"), ("sd-metadata", #"{"image": 3}"#), ("Comment", "a holiday"),
  ])
  func nonsenseIsNothing(_ key: String, _ text: String) throws {
    #expect(try read([(key, text)]) == nil)
    #expect(TextToImageSettings(bytes: [1, 2, 3]) == nil)
  }
}
