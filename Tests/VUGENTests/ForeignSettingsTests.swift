import Foundation
import Pictures
import Testing
import VUGEN

/// What other programs write, in the forms that were found in their pictures.
@Suite struct ForeignSettingsTests {
  private func read(_ key: String, _ text: String, _ others: [PNGText] = []) -> TextToImageSettings? {
    TextToImageSettings(texts: [PNGText(key, text)] + others)
  }

  @Test(arguments: [
    ("Steps: 20, CFG scale: 7.5, Seed: 5", []),
    ("Steps: 20, CFG scale: 30, Seed: 5", ["guidance 30 became 15"]),
    ("Steps: 0, CFG scale: -7, Seed: 5", ["guidance -7 became 0", "0 steps became 1"]),
    ("Steps: 20, CFG scale: nan, Seed: -1", ["guidance", "its seed is -1, which means any at random"]),
  ])
  func whatIsNotTakenIsSaid(_ line: String, _ said: [String]) {
    let changes = read("parameters", "a cat\n" + line)?.changes()
    #expect(
      changes?.count == said.count && zip(changes ?? [], said).allSatisfy { $0.contains($1) },
      "\(changes ?? [])")
  }

  /// Numbers as other languages write them; a comma in a number is not the end of its value.
  @Test(
    arguments: [
      ("Steps: 20, Sampler: Euler a, CFG scale: 7,5, Seed: 12345, Size: 512x512", 7.5, 20, 12345),
      ("Steps: 1.000, CFG scale: 7,5, Seed: 1.234.567.890", 7.5, 1000, 1_234_567_890),
      ("Steps: ٢٠, CFG scale: ٧٫٥, Seed: 1\u{202F}234\u{202F}567", 7.5, 20, 1_234_567),
      ("Steps: 20, Sampler: DPM++ 2M, Karras, CFG scale: 7.5, Seed: 5, masterpiece, Size: 1x1", 7.5, 20, 5),
      ("Steps: 20, CFG scale: 7.5,Seed: 18446744073709551615", 7.5, 20, .max),
    ] as [(String, Float, Int, UInt64)])
  func localNumbersAreRead(_ line: String, _ scale: Float, _ steps: Int, _ seed: UInt64) {
    let found = read("parameters", "a cat\n" + line), s = found?.settings
    #expect(s?.guidanceScale == scale && s?.steps == steps && s?.seed == seed, "\(String(describing: found))")
    #expect(found?.changes() == [], "\(String(describing: found))")
  }

  @Test func whatIsNoNumberIsSaid() {
    let text = read("parameters", "a cat\nSteps: many, CFG scale: seven;5, Seed: 0x5G")
    #expect(text?.changes().count == 3, "\(String(describing: text))")
    for word in ["'many'", "'seven;5'", "'0x5G'"] {
      #expect(text?.changes().contains { $0.contains(word) } == true, "\(word): \(text?.changes() ?? [])")
    }
    let json = read(
      "parameters", #"{"prompt": "a cat", "seed": "12", "cfg_scale": "7,5", "steps": "some", "width": 5}"#)
    #expect(json?.settings.guidanceScale == 7.5 && json?.settings.seed == 12)
    let changes = json?.changes() ?? []
    #expect(changes == ["its steps 'some' are no whole number and are left out"], "\(changes)")
  }

  /// Numbers of a picture that was drawn of nothing can be used with other words.
  @Test func anEmptyPromptKeepsItsNumbers() {
    for text in [
      "Steps: 20, CFG scale: 7, Seed: 5", "\nNegative prompt: bad\nSteps: 20, CFG scale: 7, Seed: 5",
    ] {
      let found = read("parameters", text)
      #expect(
        found?.settings.prompt == "" && found?.settings.seed == 5 && found?.settings.steps == 20, "\(text)")
    }
  }

  /// What other programs say in places and words of their own.
  @Test func otherPlacesAreLookedAt() {
    let novel = TextToImageSettings(texts: [
      PNGText("Software", "NovelAI"), PNGText("Description", "a red boat"),
      PNGText("Comment", #"{"steps": 28, "sampler": "k_euler", "seed": 44, "scale": 11.0, "uc": "lowres"}"#),
    ])
    #expect(novel?.program == "NovelAI" && novel?.settings.prompt == "a red boat", "\(novel as Any)")
    #expect(novel?.settings.seed == 44 && novel?.settings.negative == "lowres", "\(novel as Any)")
    let list = read("parameters", #"{"prompt": "a cat", "seed": 1, "cfg_scale": [6, 5, 4]}"#)
    #expect(
      list?.changes() == ["its guidance '[6, 5, 4]' is no number and is left out"], "\(list as Any)")
    let flux = read(
      "parameters", "a cat\nSteps: 4, CFG scale: 1, Guidance: 3.5, Seed: 1, Version: stable-diffusion.cpp")
    #expect(flux?.changes().contains { $0.contains("distilled guidance 3.5") } == true, "\(flux as Any)")
    let loop =
      #", "8": {"class_type": "ImpactSwitch", "inputs": {"select": 2, "input1": ["7", 0], "input2": ["6", 0]}}"#
    let switched = read("prompt", graph(positive: #"["8", 0]"#, negative: #"["7", 0]"#, loop))
    let plain = read("prompt", graph(positive: #"["6", 0]"#, negative: #"["7", 0]"#, loop))
    #expect(switched?.settings == plain?.settings && plain != nil, "\(switched as Any)")
    #expect(
      read("Model", "Prompt:" + graph(positive: #"["6", 0]"#, negative: #"["7", 0]"#))?.program == "ComfyUI")
  }

  @Test func numbersThatAreNoneAreSaid() {
    let text = graph(positive: "\"a cat\"", negative: "\"\"").replacing("\"cfg\": 8", with: "\"cfg\": NaN")
    let found = read("prompt", text)
    #expect(found?.settings.prompt == "a cat" && found?.settings.guidanceScale == 3, "\(found as Any)")
    #expect(found?.changes() == ["its guidance 'NaN' is no number and is left out"], "\(found as Any)")
  }

  /// Numbers are taken exactly, or refused as they stand in the file.
  @Test(arguments: [
    ("1.5", "8", "20", ["no seed that can be taken (it says '1.5')"]),
    ("18446744073709551616", "8", "20", ["(it says '18446744073709551616')"]),
    ("-1", "Infinity", "20", ["its guidance 'Infinity' is no number", "its seed is -1, which"]),
    ("1", "-Infinity", "20.5", ["guidance '-Infinity'", "its steps '20.5' are no whole number"]),
    ("1e3", "1e300", "1e300", ["guidance 1e300 became 15", "1e300 steps became 1000"]),
    (
      "9007199254740993", "8", "1" + String(repeating: "0", count: 99),
      ["1\(String(repeating: "0", count: 38))… steps"]
    ),
  ])
  func numbersAreExactOrRefusedAsTheyStand(_ seed: String, _ scale: String, _ steps: String, _ said: [String])
  {
    let graph = graph(positive: "\"a cat\"", negative: "\"\"").replacing("18446744073709551615", with: seed)
      .replacing("\"steps\": 20", with: "\"steps\": \(steps)").replacing(
        "\"cfg\": 8", with: "\"cfg\": \(scale)")
    let line = "a cat\nSteps: \(steps), CFG scale: \(scale), Seed: \(seed)"
    for (key, text) in [("prompt", graph), ("parameters", line)] {
      let found = read(key, text), changes = found?.changes() ?? []
      // Words such as Infinity are a text's, too.
      #expect(
        changes.count == said.count && zip(changes, said).allSatisfy { $0.contains($1) }
          && changes.allSatisfy { $0.count < 140 }, "\(key): \(changes)")
    }
    #expect(read("prompt", graph)?.settings.seed == UInt64(seed) ?? (seed == "1e3" ? 1000 : 0))
  }

  // MARK: ComfyUI

  /// A graph around a sampler: nodes by number, `positive` and `negative` of node 3 as given.
  private func graph(positive: String, negative: String, _ more: String = "") -> String {
    """
    {"3": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615, "steps": 20, "cfg": 8,
      "sampler_name": "euler", "positive": \(positive), "negative": \(negative), "latent_image": ["5", 0]}},
     "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "scenery 漢字 \\"quoted\\"", "clip": ["4", 1]}},
     "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["4", 1]}}\(more)}
    """
  }

  @Test(arguments: [
    (
      #"["20", 0]"#, #"["20", 1]"#, "watermark",
      #""20": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}}"#
    ),
    (
      #"["6", 0]"#, #"["42", 0]"#, "",
      #""42": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}"#
    ),
    (
      #"["6", 0]"#, #"["7", 0]"#, "watermark",
      #""99": {"class_type": "X", "is_changed": NaN, "inputs": {"a": -Infinity}}"#
    ),
    (
      #"["6", 0]"#, #"["8", 0]"#, "watermark, watermark",
      #"""
      "8": {"class_type": "ConditioningConcat", "inputs": {"conditioning_to": ["7", 0],
      "conditioning_from": ["9", 0]}}, "9": {"class_type": "Reroute", "inputs": {"": ["7", 0]}}
      """#
    ),
    (
      #"["6", 0]"#, #"["8", 0]"#, "low, dark",
      #"""
      "8": {"class_type": "CLIPTextEncode", "inputs": {"text": ["9", 0]}}, "9": {"class_type": "StringConcatenate",
      "inputs": {"string_a": "low", "string_b": ["10", 0], "delimiter": ", "}},
      "10": {"class_type": "PrimitiveString", "inputs": {"value": "dark"}}
      """#
    ),
    (
      #"["6", 0]"#, #"["8", 0]"#, "grain",
      #"""
      "8": {"class_type": "SomeUnknownNode", "inputs": {"my_conditioning": ["9", 0], "model": ["4", 0]}},
      "9": {"class_type": "CLIPTextEncodeSDXL", "inputs": {"text_g": "grain", "text_l": "grain"}}
      """#
    ),
  ])
  func comfyLinksAreFollowed(_ positive: String, _ negative: String, _ expected: String, _ more: String)
    throws
  {
    let text = graph(positive: positive, negative: negative, ", " + more)
    let found = try #require(read("prompt", text))
    #expect(found.program == "ComfyUI" && found.settings.prompt == #"scenery 漢字 "quoted""#)
    #expect(found.settings.negative == expected)
    #expect(found.settings.seed == .max && found.settings.steps == 20 && found.settings.guidanceScale == 8)
    #expect(found.others.contains("sampler_name: euler"))
  }

  @Test func comfyFluxIsRead() throws {
    let text = """
      {"13": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["25", 0], "guider": ["22", 0],
        "sampler": ["16", 0], "sigmas": ["17", 0], "latent_image": ["27", 0]}},
       "25": {"class_type": "RandomNoise", "inputs": {"noise_seed": 219670278747233}},
       "22": {"class_type": "BasicGuider", "inputs": {"model": ["30", 0], "conditioning": ["26", 0]}},
       "17": {"class_type": "BasicScheduler", "inputs": {"scheduler": "simple", "steps": 4, "denoise": 1}},
       "26": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["6", 0]}},
       "6": {"class_type": "CLIPTextEncodeFlux", "inputs": {"clip_l": "", "t5xxl": "a red boat"}},
       "27": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 1024}},
       "16": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}}
      """
    let found = try #require(read("prompt", text))
    #expect(found.settings.prompt == "a red boat" && found.settings.negative.isEmpty)
    #expect(found.settings.seed == 219_670_278_747_233 && found.settings.steps == 4)
    #expect(found.others.contains("guidance: 3.5"))
  }

  @Test func comfyInEXIFAndRounds() throws {
    let text = graph(positive: #"["6", 0]"#, negative: #"["7", 0]"#)
    #expect(read("Model", "prompt:" + text)?.program == "ComfyUI")
    // A graph that bites its tail, twice at each turn.
    let loop = #"""
      , "8": {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["8", 0],
      "conditioning_2": ["8", 0]}}
      """#
    #expect(read("prompt", graph(positive: #"["8", 0]"#, negative: "3", loop)) == nil)
    #expect(read("prompt", graph(positive: #"["6", 0]"#, negative: #"["8", 0]"#, loop)) != nil)
  }

  // MARK: Texts

  @Test(arguments: [
    ("Version: v1.9.3", "AUTOMATIC1111"), ("Version: f2.0.1v1.10.1-previous-1", "Forge"),
    ("Version: neo-1.2", "Forge"), ("App: SD.Next, Version: c98a4dd", "SD.Next"),
    ("Version: ComfyUI", "ComfyUI"), ("Version: Fooocus v2.5.5", "Fooocus"),
    ("RNG: cuda, Version: stable-diffusion.cpp", "stable-diffusion.cpp"),
  ])
  func programsAreToldApart(_ end: String, _ program: String) throws {
    let text = "an apple\r\nNegative prompt: blur\r\nSteps: 20, CFG scale: 7.5, Seed: 1234, \(end)"
    let found = try #require(read("parameters", text))
    #expect(found.program == program)
    #expect(found.settings.prompt == "an apple" && found.settings.negative == "blur")
    #expect(found.settings.seed == 1234 && found.settings.steps == 20)
  }

  @Test func quotedValuesHideTheirCommas() throws {
    let text = """
      a cat
      Steps: 9, Model: "a, Seed: 5", Lora hashes: "x: 1, CFG scale: 3", Civitai resources: [{"a": "b, Seed: 6"}], \
      Seed: 7, CFG scale: 2, Hires prompt: "say \\"hi\\", all"
      Template: a {cat|dog}
      """
    let found = try #require(read("parameters", text))
    #expect(found.settings.seed == 7 && found.settings.guidanceScale == 2 && found.settings.negative.isEmpty)
    #expect(
      found.others.contains("Model: a, Seed: 5") && found.others.contains(#"Hires prompt: say "hi", all"#))
    #expect(found.others.contains("Template: a {cat|dog}"))
  }

  @Test func rawUTF8InAPNGIsRead() throws {
    let text = "红苹果\nNegative prompt: ドット\nSteps: 20, CFG scale: 7.5, Seed: 1234"
    // A text chunk as it should not be: Latin-1 is the rule there.
    let body = Array("tEXtparameters\0".utf8) + Array(text.utf8), length = body.count - 4
    let plain = try Picture(width: 4, height: 4, red: 1, green: 2, blue: 3).pngData()
    let chunk = [0, 0, UInt8(length >> 8), UInt8(length & 255)] + body + [0, 0, 0, 0]
    let found = try #require(TextToImageSettings(bytes: Array(plain[..<33]) + chunk + plain[33...]))
    #expect(found.settings.prompt == "红苹果" && found.settings.negative == "ドット")
    // Stability Matrix repeats the prompt alone in JSON.
    let both = TextToImageSettings(texts: [
      PNGText("parameters-json", #"{"PositivePrompt":"红苹果"}"#), PNGText("parameters", text),
    ])
    #expect(both?.settings == found.settings && both?.program == "Stability Matrix")
    let latin = Array("tEXtparameters\0".utf8) + [0xFC] + Array("\nSteps: 1, Seed: 2".utf8)
    let other = [0, 0, 0, UInt8(latin.count - 4)] + latin + [0, 0, 0, 0]
    #expect(TextToImageSettings(bytes: Array(plain[..<33]) + other + plain[33...])?.settings.prompt == "ü")
  }

  // MARK: JSON and keys

  @Test(arguments: [
    (
      "invokeai_metadata", "InvokeAI",
      #"{"app_version":"5.4","positive_prompt":"a boat","negative_prompt":"fog","seed":5,"cfg_scale":4.5,"steps":30}"#
    ),
    (
      "sd-metadata", "InvokeAI",
      #"""
      {"model":"stable diffusion","app_id":"invoke-ai/InvokeAI","image":{"prompt":[{"prompt":"a boat [fog]",
      "weight":1}],"steps":30,"cfg_scale":4.5,"seed":5}}
      """#
    ),
    ("Dream", "InvokeAI", #""a boat [fog]" -s 30 -S 5 -W 512 -H 512 -C 4.5 -A k_lms"#),
    (
      "Comment", "NovelAI",
      #"""
      {"prompt":"a boat","steps":30,"scale":4.5,"seed":5,"uc":"fog","sampler":"k_euler","v4_prompt":
      {"caption":{"base_caption":"a boat"}}}
      """#
    ),
    (
      "UserComment", "NovelAI",
      #"{"Software":"NovelAI","Description":"x","Comment":"{\"prompt\":\"a boat\",\"uc\":\"fog\",\"seed\":5,\"steps\":30,\"scale\":4.5}"}"#
    ),
    (
      "parameters", "Fooocus",
      #"""
      {"prompt":"a boat","negative_prompt":"fog","seed":"5","steps":30,"guidance_scale":4.5,
      "version":"Fooocus v2.5.5","full_prompt":["a boat, cinematic"]}
      """#
    ),
    (
      "parameters", "SwarmUI",
      #"""
      {"sui_image_params":{"prompt":"a boat","negativeprompt":"fog","seed":5,"steps":30,"cfgscale":4.5,
      "swarm_version":"0.9.3"},"sui_extra_data":{"date":"2025-01-25"}}
      """#
    ),
    (
      "UserComment", "Easy Diffusion",
      #"{"prompt":"a boat","negative_prompt":"fog","seed":5,"num_inference_steps":30,"guidance_scale":4.5}"#
    ),
    (
      "parameters-json", "Stability Matrix",
      #"{"PositivePrompt":"a boat","NegativePrompt":"fog","Seed":5,"Steps":30,"CfgScale":4.5}"#
    ),
    (
      "parameters", "stable-diffusion.cpp",
      #"""
      {"prompt":"a boat","negative_prompt":"fog","seed":5,"sample_params":{"sample_steps":30,
      "guidance":{"txt_cfg":4.5}},"version":"stable-diffusion.cpp"}
      """#
    ),
    ("Dream", "InvokeAI", #""a boat [fog]" -s30 -b1 -W512 -H512 -C4.5 -Ak_lms -S5"#),
    (
      "invokeai", "InvokeAI",
      #"{"type":"t2l","positive_conditioning":"a boat","negative_conditioning":"fog","seed":5,"steps":30,"cfg_scale":4.5}"#
    ),
    ("UserComment", "Draw Things", #"{"c":"a boat","uc":"fog","seed":5,"steps":30,"scale":4.5}"#),
  ])
  func everyProgramIsRead(_ key: String, _ program: String, _ text: String) throws {
    let found = try #require(read(key, text))
    #expect(found.program == program)
    #expect(found.settings.prompt == "a boat" && found.settings.negative == "fog")
    #expect(found.settings.seed == 5 && found.settings.steps == 30 && found.settings.guidanceScale == 4.5)
  }

  @Test func aKeyForEachSettingIsRead() throws {
    let keys = [
      ("prompt", "a boat"), ("negative_prompt", "fog"), ("seed", "5"), ("num_inference_steps", "30"),
      ("guidance_scale", "4.5"), ("use_stable_diffusion_model", "sd-v1-4"),
    ]
    let found = try #require(TextToImageSettings(texts: keys.map { PNGText($0.0, $0.1) }))
    #expect(
      found.program == "Easy Diffusion" && found.settings.prompt == "a boat" && found.settings.steps == 30)
    #expect(found.settings.negative == "fog" && found.others.contains("use_stable_diffusion_model: sd-v1-4"))
    // By the names that its pages show.
    let shown = ["Prompt", "Negative Prompt", "Seed", "Steps", "Guidance Scale", "Stable Diffusion model"]
    let old = try #require(TextToImageSettings(texts: zip(shown, keys).map { PNGText($0, $1.1) }))
    #expect(old.program == "Easy Diffusion" && old.settings == found.settings)
  }

  @Test(arguments: [
    #"{"prompt": "words in a comment"}"#, "{}", "[[[[", #"{"seed": 3}"#, #"{"prompt": 7, "seed": 1}"#,
  ])
  func whatIsNoSettingIsNothing(_ text: String) { #expect(read("Comment", text) == nil) }
}
