import Pictures
import Testing
import VUGEN

/// ComfyUI's nodes between a text and the encoder: what they do to it where that is plain, and that they are not read where
/// it is not.
@Suite struct ComfyStringTests {
  /// A graph whose positive prompt is made by node 8, of further nodes.
  private func found(_ nodes: String) -> TextToImageSettings? {
    let graph = """
      {"3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "cfg": 8, "positive": ["6", 0],
        "negative": ["7", 0], "latent_image": ["5", 0]}},
       "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
       "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0], "clip": ["4", 1]}},
       "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "grain", "clip": ["4", 1]}},
       "9": {"class_type": "PrimitiveString", "inputs": {"value": "a red cat"}}, \(nodes)}
      """
    return TextToImageSettings(texts: [PNGText("prompt", graph)])
  }

  @Test(arguments: [
    (#""StringReplace", "inputs": {"string": ["9", 0], "find": "cat", "replace": "dog"}"#, "a red dog"),
    (#""StringReplace", "inputs": {"string": "a cat", "find": "cat", "replace": ["9", 0]}"#, "a a red cat"),
    (#""Text Find and Replace", "inputs": {"text": ["9", 0], "find": "red ", "replace": ""}"#, "a cat"),
    (
      #""CR Text Replace", "inputs": {"text": ["9", 0], "find1": "red", "replace1": "blue", "find2": "cat", "replace2": "fox", "find3": "", "replace3": ""}"#,
      "a blue fox"
    ),
    (
      #""easy promptReplace", "inputs": {"prompt": ["9", 0], "find1": "red", "replace1": "green"}"#,
      "a green cat"
    ),
    (
      #""StringFunction|pysssss", "inputs": {"action": "replace", "tidy_tags": "yes", "text_a": ["9", 0], "text_b": "cat", "text_c": "hen"}"#,
      "a red hen"
    ),
    (
      #""StringFunction|pysssss", "inputs": {"action": "append", "tidy_tags": "yes", "text_a": ["9", 0], "text_b": "noon", "text_c": ""}"#,
      "a red cat, noon"
    ),
    (
      #""StringConcatenate", "inputs": {"string_a": ["9", 0], "string_b": "by night", "delimiter": ", "}"#,
      "a red cat, by night"
    ),
    (
      #""JoinStrings", "inputs": {"string1": "two", "string2": ["9", 0], "delimiter": " of "}"#,
      "two of a red cat"
    ),
    (
      #""easy promptConcat", "inputs": {"prompt1": ["9", 0], "prompt2": "fog", "separator": "; "}"#,
      "a red cat; fog"
    ),
    (
      #""Text Concatenate", "inputs": {"delimiter": ["10", 0], "text_a": ["9", 0], "text_b": "fog"}}, "10": {"class_type": "PrimitiveString", "inputs": {"value": " in "}"#,
      "a red cat in fog"
    ),
    (#""StringTrim", "inputs": {"string": ["9", 0], "mode": "Both"}"#, "a red cat"),
    (
      #""ShowText|pysssss", "inputs": {"text": ["10", 0], "text_0": "a boat"}}, "10": {"class_type": "OllamaGenerate", "inputs": {"prompt": "Describe a boat"}"#,
      "a boat"
    ),
  ])
  func plainWorkIsDone(_ node: String, _ prompt: String) {
    let found = found("\"8\": {\"class_type\": \(node)}")
    #expect(found?.settings.prompt == prompt && found?.settings.negative == "grain", "\(found as Any)")
    #expect(found?.changes() == [], "\(found as Any)")
  }

  @Test(arguments: [
    (
      #""RegexReplace", "inputs": {"string": ["9", 0], "regex_pattern": "c.t", "replace": "dog"}"#,
      "RegexReplace"
    ),
    (#""OllamaGenerate", "inputs": {"prompt": "Describe a boat"}"#, "OllamaGenerate"),
    (#""MysteryText", "inputs": {"count": 3}"#, "MysteryText"),
    (#""StringSubstring", "inputs": {"string": ["9", 0], "start": 0, "end": 3}"#, "StringSubstring"),
    (
      #""StringFunction|pysssss", "inputs": {"action": "replace", "tidy_tags": "no", "text_a": ["9", 0], "text_b": "/c.t/", "text_c": "x"}"#,
      "StringFunction|pysssss"
    ),
  ])
  func whatCannotBeReadIsSaid(_ node: String, _ kind: String) {
    let found = found("\"8\": {\"class_type\": \(node)}")
    #expect(found?.settings.prompt == "" && found?.settings.seed == 5, "\(found as Any)")
    #expect(
      found?.changes() == ["its prompt comes from the node '\(kind)', which is not read"], "\(found as Any)")
    // Of no interest to whoever says another one.
    #expect(found?.changes(besides: [.prompt]) == [])
  }

  @Test func aPartThatCannotBeReadIsSaid() {
    let found = found(
      #"""
      "8": {"class_type": "StringConcatenate", "inputs": {"string_a": ["9", 0], "string_b": ["10", 0], "delimiter": ", "}},
      "10": {"class_type": "WD14Tagger|pysssss", "inputs": {"image": ["11", 0], "threshold": 0.3}}
      """#)
    #expect(found?.settings.prompt == "a red cat", "\(found as Any)")
    #expect(
      found?.changes() == [
        "a part of its prompt comes from the node 'WD14Tagger|pysssss', which is not read"
      ],
      "\(found as Any)")
  }

  /// A small graph may ask for a text that fills the memory, or lead back to itself: there is no prompt in that.
  @Test func endlessTextsAreLeftOut() throws {
    let long = String(repeating: "a", count: 2000), longer = String(repeating: "b", count: 100_000)
    let clock = ContinuousClock(), start = clock.now
    for node in [
      #""8": {"class_type": "StringReplace", "inputs": {"string": "\#(long)", "find": "a", "replace": "\#(longer)"}}"#,
      #""8": {"class_type": "StringConcatenate", "inputs": {"string_a": ["8", 0], "string_b": ["10", 0]}}, "10": {"class_type": "StringConcatenate", "inputs": {"string_a": ["8", 0], "string_b": ["8", 0]}}"#,
    ] {
      let settings = try #require(found(node)?.settings)
      #expect(settings.prompt.isEmpty, "\(settings.prompt.prefix(80))")
    }
    let ring =
      #""8": {"class_type": "StringConcatenate", "inputs": {"string_a": ["8", 0], "string_b": "x", "delimiter": " "}}"#
    #expect(found(ring)?.settings.prompt == "x")
    #expect(clock.now - start < .seconds(20))
  }

  /// Nodes upon nodes that each join the one below twice: each is looked at once, and the one that makes too much is named.
  @Test(arguments: [
    ("StringConcatenate", "string_a", "string_b", "too long"),
    ("ConditioningCombine", "conditioning_1", "conditioning_2", ""),
    ("ConditioningConcat", "conditioning_to", "conditioning_from", ""),
    ("CLIPTextEncodeSDXL", "text_g", "text_l", "once"),
  ])
  func aTowerOfJoinsIsFollowedOnce(_ kind: String, _ first: String, _ second: String, _ end: String) throws {
    func tower(_ count: Int) -> TextToImageSettings? {
      let joins = (20..<20 + count).map { i in
        #""\#(i)": {"class_type": "\#(kind) \#(i)", "inputs": {"\#(first)": ["\#(i + 1)", 0], "\#(second)": ["\#(i + 1)", 0]}}"#
      }
      let top =
        #""8": {"class_type": "\#(kind)", "inputs": {"\#(first)": ["20", 0], "\#(second)": ["20", 0]}}"#
      let leaf = #""\#(20 + count)": {"class_type": "PrimitiveString", "inputs": {"value": "a red cat"}}"#
      return found(([top] + joins + [leaf]).joined(separator: ", "))
    }
    #expect(try #require(tower(2)).changes() == [])
    let tall = try #require(tower(50))
    guard end != "once" else {
      #expect(tall.settings.prompt == "a red cat" && tall.changes() == [])
      return
    }
    // 2ⁿ times nine letters are more than 65 536 from the thirteenth on.
    #expect(tall.settings.prompt.isEmpty)
    #expect(
      tall.changes() == ["its prompt comes from the node '\(kind) \(20 + 50 - 13)', which is not read"],
      "\(tall.changes())")
  }
}
