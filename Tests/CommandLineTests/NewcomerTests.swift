import Foundation
import Pictures
import ProgramSupport
import TestSupport
import Testing

/// What people and scripts meet when they first use a command.
@FourthCommands
struct NewcomerTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  // MARK: - imagine

  @Test func earlierPicturesStay() throws {
    let drawn = try shell.run("for i in 1 2 3; do V imagine 'A cat!' --steps $i --seed 7; done; ls | wc -l")
    #expect(drawn.out == "./a-cat-7.png\n./a-cat-7-2.png\n./a-cat-7-3.png\n3\n", "\(drawn)")
    let named = try shell.run(
      "mkdir d; for i in 1 2; do V imagine 'A cat!' --steps 1 --seed 7 -o d; V imagine x --steps 1 -o e.png --overwrite; done; ls d"
    )
    #expect(
      named.out == "d/a-cat-7.png\ne.png\nd/a-cat-7-2.png\ne.png\na-cat-7-2.png\na-cat-7.png\n", "\(named)")
  }

  @Test func settingsAreShownWithoutDrawing() throws {
    _ = try shell.run(
      "V imagine 'a red cup' --negative blue --seed 5 --steps 2 --solver heun --guidance-end 0.5 -o a.png")
    let shown = try shell.run("V imagine --from a.png --show-settings"),
      lines = shown.out.split(separator: "\n")
    for line in [
      "prompt: a red cup", "negative: blue", "seed: 5", "guidance: 3", "guidance to: 0.5", "steps: 2",
      "solver: heun", "program: VUGEN Studio", "model: nano",
    ] { #expect(lines.contains { $0 == line }, "\(line): \(shown)") }
    // From standard input, too, with what is given beside it, and by the names that a drawing's report has.
    let told = try shell.run("cat a.png | V imagine --from - --steps 9 --show-settings --json")
    for part in [
      #""guidanceEnd":0.5"#, #""guidanceScale":3"#, #""seed":5"#, #""solver":"heun""#, #""steps":9"#,
      #""program":"VUGEN Studio""#,
    ] { #expect(told.out.contains(part), "\(part): \(told)") }
    let drawn = try shell.run("cat a.png | V imagine --from - -o b.png --json; cmp a.png b.png; ls")
    for part in [#""solver":"heun""#, #""guidanceStart":0"#, #""guidanceEnd":0.5"#, #""model":""#] {
      #expect(drawn.out.contains(part), "\(part): \(drawn)")
    }
    #expect(drawn.out.hasSuffix("a.png\nb.png\n") && drawn.error.isEmpty, "\(drawn)")
    #expect(try shell.run("V imagine --from - --show-settings </dev/null").status == 1)
    #expect(try shell.run("V imagine - --from - </dev/null").status == 2)
  }

  /// What the person gives is not said to have been changed.
  @Test func givenValuesAreNotWarnedAbout() throws {
    let text = "a cat\nSteps: 0, CFG scale: 30, Distilled CFG Scale: 3.5, Seed: -1"
    let bytes = [UInt8](text.utf8), name = [UInt8]("parameters".utf8) + [0]
    try shell.writePictures("plain.png")
    var png = [UInt8](FileManager.default.contents(atPath: shell.folder + "/plain.png") ?? Data())
    func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    // A text chunk behind the header; its sum is not looked at.
    png.insert(
      contentsOf: number(name.count + bytes.count) + Array("tEXt".utf8) + name + bytes + number(0), at: 33)
    try shell.write(Data(png), "other.png")
    let all = try shell.run("V imagine --from other.png --show-settings").error
    for words in ["guidance 30 became 15", "distilled guidance 3.5", "0 steps became 1", "its seed is -1"] {
      #expect(all.contains(words), "\(words): \(all)")
    }
    let given = try shell.run("V imagine --from other.png --show-settings --cfg 4 --steps 9 --seed 3")
    #expect(given.error.split(separator: "\n").count == 1 && given.out.contains("steps: 9\n"), "\(given)")
  }

  /// What is no text is refused, not drawn or asked about.
  @Test func bytesAreNoWords() throws {
    for line in [
      "imagine $'caf\\xe9'", "ask $'caf\\xe9'", "imagine x --negative $'\\xff'", "ask ''", "ask ' '",
      "caption a.png --question ''",
    ] {
      let found = try shell.run("V \(line); ls")
      #expect(found.out.isEmpty && found.error.hasPrefix("vugen: "), "\(line): \(found)")
    }
    let piped = try shell.run("printf 'caf\\xe9' | V ask -")
    #expect(piped.status == 1 && piped.error.contains("no UTF-8"), "\(piped)")
  }

  /// Words that the model was not taught are named with the nearest; those that it was are not, nor other programs' tags,
  /// nor what is not to be drawn.
  @Test func unknownWordsAreNamed() throws {
    let found = try shell.run(
      "V imagine 'a grey aple and a qwrtz <lora:detail_tweaker:0.8>' --negative zebraa --steps 1 -o a.png")
    #expect(
      found.error
        == "vugen: nano was not taught 'grey' (gray?), 'aple' (apple?), 'qwrtz'; it draws the rest\n"
        && found.out == "a.png\n" && found.status == 0, "\(found)")
    let json = try shell.run(
      "V imagine 'a red aple' --steps 1 -o b.png --json; V imagine 'Two red apples.' --steps 1 -o c.png")
    #expect(
      json.out.contains(#""unknown":[{"nearest":"apple","word":"aple"}]"#) && json.error.isEmpty, "\(json)")
  }

  /// One rule for names: what has no ending is a folder.
  @Test func picturesGoIntoFoldersOfAnyName() throws {
    try shell.writePictures("a.png")
    let found = try shell.run(
      "for i in 1 2; do V reconstruct a.png --decoder-steps 1 -o rec >said || cat said; done; V imagine cat --steps 1 --seed 1 -o foo; ls rec"
    )
    #expect(
      found.out == "foo/cat-1.png\na-reconstructed-2.png\na-reconstructed.png\n" && found.error.isEmpty,
      "\(found)")
    for (line, says) in [
      ("encode a.png -o e.npy", ".npy is not supported; name a .safetensors file"),
      ("score --text ''", "--text is empty"), ("score --text x --question ' '", "--question is empty"),
    ] {
      let refused = try shell.run("V \(line); ls e.npy 2>/dev/null")
      #expect(refused.out.isEmpty && refused.error.contains(says), "\(line): \(refused)")
    }
  }

  // MARK: - Models

  /// A copy in fewer bits can do all that the model can.
  @Test func aQuantizedModelDraws() throws {
    try shell.writePictures("a.png")
    for bits in [8, 4] {
      let found = try shell.run(
        """
        V model quantize nano --bits \(bits) -o n && V imagine 'a red car' --steps 1 --model n -o car.png --overwrite &&
        V reconstruct a.png --decoder-steps 1 --model n -o r.png --overwrite && V ask --image a.png 'What is this?' --model n
        ls n; ls "${P%/*}/vugen-studio_VUGEN.resources/nano" | diff - <(ls n) && echo same
        """)
      #expect(
        found.error.isEmpty && found.out.hasPrefix("car.png\n") && found.out.hasSuffix("same\n"), "\(found)")
      let info = try shell.run("V model info n"), list = try shell.run("V model list; rm -r n")
      #expect(list.out.contains(" int\(bits)"), "\(list)")
      let size = try #require(info.out.firstMatch(of: #/total .* ([\d.]+ MB)/#)?.1, "\(info)")
      let line = list.out.split(separator: "\n").first { $0.hasPrefix("n ") } ?? ""
      #expect(line.contains(" \(size)  ") && line.hasSuffix("; ask, imagine, reconstruct"), "\(line) \(size)")
      #expect(
        info.out.hasPrefix(
          "n (perception_lm): answers (ask, caption, score, encode), draws (imagine), draws"),
        "\(info)")
    }
  }

  /// Those of the half that draws, too, by the files that hold them.
  @Test func everyTensorIsListed() throws {
    let found = try shell.run("V model info --tensors"), json = try shell.run("V model info --tensors --json")
    for file in ["model", "reducer", "decoder", "generator"] {
      #expect(found.out.contains("  \(file).safetensors\n"), "\(file): \(found.out.suffix(200))")
      #expect(json.out.contains("\"file\":\"\(file).safetensors\""), "\(file)")
    }
  }

  /// What is missing from the half that draws, and what makes it.
  @Test func anIncompleteHalfIsNamed() throws {
    _ = try shell.run(
      #"cp -r "${P%/*}/vugen-studio_VUGEN.resources/nano" m; chmod -R u+w m; rm m/decoder.safetensors"#)
    let line =
      "vugen: m: the half that draws is incomplete: decoder.safetensors is missing beside reducer.safetensors and generator.safetensors; copy it from the model's source, or train all that draws again: vugen train decoder, then vugen train generator\n"
    #expect(try shell.run("V imagine cat --model m").error == line)
    let info = try shell.run("V model info m")
    #expect(
      info.status == 1 && info.error == line && info.out.hasPrefix("m (perception_lm)\n"), "\(info)")
    let plain = try shell.run("rm m/generation.json; V imagine cat --model m")
    #expect(
      plain.error.contains("generation.json: no such file, and generator.safetensors cannot"), "\(plain)")
  }

  // MARK: - caption

  @Test func aFailureIsOneLine() throws {
    try shell.writePictures("in/a.png", "in/c.png")
    try shell.write("no picture", "in/b.png")
    for name in ["notes.txt", "b.TXT", "c.pdf", "Makefile", ".hidden"] { try shell.write("x", "in/\(name)") }
    let others = "vugen: in: 4 files of other kinds skipped: 2 .txt, 1 without an ending, 1 .pdf"
    let told = try shell.run("V caption in --max-tokens 2"), lines = told.error.split(separator: "\n")
    #expect(lines.count == 2 && lines[0] == others && lines[1].hasPrefix("vugen: in/b.png: "), "\(told)")
    #expect(told.status == 1 && told.out.split(separator: "\n").count == 2)
    let one = try shell.run("V caption in/b.png")
    #expect(one.status == 1 && one.error.split(separator: "\n").count == 1 && one.out.isEmpty, "\(one)")
    // A list has each file, in order; `data build` leaves out those that failed.
    let listed = try shell.run("V caption in --max-tokens 2 -o l.jsonl; cat l.jsonl").out.split(
      separator: "\n")
    let names = listed.map { $0.firstMatch(of: #/"file":"([^"]*)"/#).map { String($0.1) } ?? "" }
    #expect(
      names == ["in/a.png", "in/b.png", "in/c.png"]
        && listed[1].hasPrefix("{\"error\":\"this is not a picture"))
    #expect(try shell.run("V data build folder . --captions l.jsonl -o s").out == "2 pictures in s\n")
    // Nothing that is there: a list of before stays.
    #expect(try shell.run("V caption gone.png -o l.jsonl; wc -l <l.jsonl").out == "3\n")
    let json = try shell.run("V caption in/b.png in/a.png --max-tokens 2 --json")
    #expect(json.error.isEmpty && json.out.split(separator: "\n").count == 2 && json.status == 1, "\(json)")
  }

  /// Somebody who reads no more is a failure in one line, and ends the work.
  @Test func aClosedPipeIsAFailure() throws {
    try shell.writePictures("in/a.png", "in/b.png", "in/c.png", "in/d.png")
    let found = try shell.run(
      "V caption in --max-tokens 2 --batch 1 | head -n 1 >first; echo ${PIPESTATUS[0]}")
    // All may have been written before the reader went.
    let isEarly = found.out == "0\n" && found.error.isEmpty
    #expect(
      isEarly || found.out == "1\n" && found.error == "vugen: standard output: Broken pipe\n", "\(found)")
    let closed = try shell.run("mkfifo p; exec 3<>p 4>p 3<&-; V caption in --max-tokens 2 >&4; echo $?")
    #expect(closed.out == "1\n" && closed.error == "vugen: standard output: Broken pipe\n", "\(closed)")
  }

  // MARK: - Names

  /// "caf\xE9.png" by its bytes and by its letters are two files.
  @Test func namesInJSONCanBeTakenBack() throws {
    try shell.writePictures("p/x.png")
    _ = try shell.run(#"cd p; cp x.png $'caf\xe9.png'; mv x.png 'caf\xE9.png'"#)
    let told = try shell.run("V caption p --max-tokens 2 --json | tee l.jsonl")
    let objects = try told.out.split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
    }
    let bytes = objects.compactMap { ($0["fileBytes"] as? String).flatMap { Data(base64Encoded: $0) } }
    #expect(objects.count == 2 && bytes == [Data("p/caf".utf8) + [0xE9] + Data(".png".utf8)], "\(told)")
    #expect(objects.allSatisfy { $0["file"] as? String == #"p/caf\xE9.png"# }, "\(told)")
    // And are taken back.
    let built = try shell.run("V data build folder p --captions l.jsonl -o s")
    #expect(built.out == "2 pictures in s\n" && built.error.isEmpty, "\(built)")
  }

  // MARK: - data, train

  @Test func otherFilesAreCounted() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    for name in ["b.txt", "c.pdf", "d.pdf"] { try shell.write("x", "in/\(name)") }
    let built = try shell.run("V data build folder in -o s --json")
    #expect(built.error == "vugen: 3 files of other kinds skipped: 2 .pdf, 1 .txt\n", "\(built)")
    #expect(built.out.contains("\"passedOver\":3"))
    _ = try shell.run("cp in/*.pdf s")
    let line = "s: 2 files of other kinds skipped: 2 .pdf"
    let shown = try shell.run("V data inspect s")
    #expect(shown.out == "1 sample in 1 shard\n  \(line)\n", "\(shown)")
    #expect(try shell.run("V data inspect s --json").out.contains("\"passedOver\":2"))
    let trained = try shell.run(
      "V train decoder -o r --set data.shards=s --set data.batch=1 --set optimization.steps=1 --set run.sampleMinutes=0"
    )
    #expect(trained.status == 0 && trained.error.hasPrefix("vugen: \(line)\n"), "\(trained)")
  }

  @Test func helpNamesTheStages() throws {
    for (line, meant) in [
      ("train --help-recipe", "understanding, decoder, generator, distill"),
      ("train --show-recipe", "understanding"),
      ("data --output x", "build, inspect, tokenizer"),
    ] {
      let found = try shell.run("V \(line)")
      #expect(found.status == 2 && found.error.contains("name one of \(meant)"), "\(found)")
    }
    #expect(try shell.run("V train --help; V sessions --json").status == 0)
    let resumed = try shell.run("mkdir e; V train decoder -o e --resume")
    #expect(
      resumed.status == 1 && resumed.error.contains("e: there is no run here to resume"), "\(resumed)")
  }

  @Test func foreignFoldersAreListedInPlainWords() throws {
    _ = try shell.run("mkdir a b; echo '{}' >a/config.json; echo '{\"model_type\":\"llama\"}' >b/config.json")
    let found = try shell.run("V model list").out.split(separator: "\n")
    #expect(
      found.count == 3
        && found[1].hasSuffix(
          "MB  cannot be used: neither model.safetensors nor model.safetensors.index.json is here; name a folder that holds a model"
        ), "\(found)")
    #expect(found.dropFirst().allSatisfy { !$0.contains("unknown") && !$0.contains("0.0 M parameters") })
  }

  /// A picture whose own settings cannot be drawn by is a failure that names it, and no wrong use.
  @Test func aPictureWithoutAPromptIsNamed() throws {
    let graph =
      #"{"3":{"class_type":"KSampler","inputs":{"seed":5,"steps":4,"cfg":3,"sampler_name":"euler","scheduler":"normal","#
      + #""denoise":1,"positive":["6",0],"negative":["7",0]}},"6":{"class_type":"CLIPTextEncode","inputs":{"text":["6",0]}},"#
      + #""7":{"class_type":"CLIPTextEncode","inputs":{"text":"bad"}}}"#
    let picture = Picture(width: 8, height: 8, rgb: [UInt8](repeating: 90, count: 192))
    try shell.write(Data(picture.pngData(texts: [PNGText("prompt", graph)])), "c.png")
    let found = try shell.run("V imagine --from c.png --steps 1 -o o.png")
    #expect(
      found.status == 1
        && found.error.hasSuffix("vugen: c.png: of its settings, the prompt is empty; say what to draw\n"),
      "\(found)")
    let own = try shell.run("V imagine --from c.png --steps 1000000 'a cat' -o o.png")
    #expect(own.status == 2 && own.error.contains("1000000 steps"), "\(own)")
  }

  /// Before anything is measured.
  @Test func benchRefusesFirst() throws {
    for value in ["data.batch=-1", "data.bath=1", "data.shards='x"] {
      let found = try shell.run("ulimit -t 2; V bench train-step --understanding --set \"\(value)\"")
      #expect(found.status == 2 && found.error.hasPrefix("vugen: "), "\(found)")
    }
  }
}
