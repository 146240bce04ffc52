import Foundation
import Pictures
import Testing
import VUGEN

/// Where other programs keep what else they tell.
@Suite struct ForeignPlacesTests {
  /// What lies within other objects is kept, too, under the names on the way to it.
  @Test func innerFieldsAreKept() throws {
    for (key, text, kept) in [
      (
        "invokeai_metadata",
        #"{"positive_prompt":"a boat","seed":5,"model":{"name":"Juggernaut","base":"sdxl"},"app_version":"5.4.2"}"#,
        ["app_version: 5.4.2", "model.base: sdxl", "model.name: Juggernaut"]
      ),
      (
        "parameters",
        #"{"prompt":"a boat","seed":"5","loras":[["offset",0.1,"48"]],"version":"Fooocus v2.5.5"}"#,
        ["version: Fooocus v2.5.5", "loras.1.1: offset", "loras.1.2: 0.1", "loras.1.3: 48"]
      ),
      (
        "parameters",
        #"{"sui_image_params":{"prompt":"a boat","seed":5,"model":"xl"},"sui_extra_data":{"date":"2025-02-01"}}"#,
        ["model: xl", "sui_extra_data.date: 2025-02-01"]
      ),
      (
        "Comment",
        #"{"prompt":"a boat","seed":5,"v4_prompt":{"caption":{"base_caption":"a boat","char_captions":[{"char_caption":"a girl"}]}}}"#,
        ["v4_prompt.caption.char_captions.1.char_caption: a girl"]
      ),
      (
        "parameters",
        #"{"prompt":"a boat","seed":5,"sample_params":{"sample_method":"euler_a","sample_steps":30,"guidance":{"txt_cfg":4.5}}}"#,
        ["sample_params.sample_method: euler_a"]
      ),
    ] {
      let found = try #require(TextToImageSettings(texts: [PNGText(key, text)]))
      #expect(found.settings.prompt == "a boat" && found.others == kept, "\(found)")
    }
  }

  /// AUTOMATIC1111 writes GIF files, too, with its text as their comment.
  @Test func aGIFsCommentIsRead() throws {
    let text =
      "a boat\nNegative prompt: fog\nSteps: 30, CFG scale: 4.5, Seed: 5, "
      + String(repeating: "x: y, ", count: 60)
    let parts = stride(from: 0, to: text.utf8.count, by: 255).map {
      Array(text.utf8.dropFirst($0).prefix(255))
    }
    let comment: [UInt8] = [0x21, 0xFE] + parts.flatMap { [UInt8($0.count)] + $0 } + [0]
    let head: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]
    let picture: [UInt8] = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 9, 9, 9, 7, 7, 7, 2, 2, 0x44, 1, 0]
    let files: [[UInt8]] = [head + comment + picture + [0x3B], head + picture + comment + [0x3B]]
    for bytes in files {
      let found = try #require(TextToImageSettings(bytes: bytes))
      #expect(
        found.program == "AUTOMATIC1111" && found.settings.prompt == "a boat" && found.settings.seed == 5)
      for count in 0..<bytes.count { _ = TextToImageSettings(bytes: Array(bytes.prefix(count))) }
    }
  }
}
