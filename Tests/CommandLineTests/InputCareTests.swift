import Foundation
import ProgramSupport
import TestSupport
import Testing

/// What a person has is neither lost to the command that reads it nor to one that comes late, and mistakes are told first.
@ThirdCommands
struct InputCareTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// A folder that is read is not the one that is written, whatever is asked for.
  @Test func inputsAreNoOutputs() throws {
    try shell.write("[optimization]\nsteps = 2\n", "r/recipe.toml")
    for line in [
      "model quantize m -o m --overwrite", "model quantize link -o m --overwrite",
      "train understanding --from t/m -o t",
      "train decoder --model t/m -o t", "train decoder --model t/m -o t/m --overwrite",
      "train understanding --recipe r/recipe.toml -o r",
      "train decoder --recipe r/recipe.toml -o r --overwrite",
      "train understanding --set data.shards=t/m -o t --overwrite",
      "train decoder --set data.shards=t -o t --overwrite",
    ] {
      let found = try shell.run(
        """
        if [ ! -d m ]; then V model init --shape tiny -o m; mkdir t; cp -r m t/m; ln -s m link; fi
        cat r/recipe.toml $(find m t -type f | sort) | sha256sum >before
        V \(line); echo $?; cat r/recipe.toml $(find m t -type f | sort) | sha256sum | cmp - before && echo same
        """)
      #expect(found.out == "2\nsame\n", "\(line): \(found)")
      #expect(
        found.error.contains("this is the input, and it lies in the folder to be written"),
        "\(line): \(found)")
    }
  }

  /// Nor is a file, by whatever name it is written: shards under a sheet, a session's log under its export.
  @Test func filesThatAreReadAreNotWritten() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    _ = try shell.run(
      """
      V data build folder in -o s; cp s/train-000000.tar shard.png; ln -s s/train-000000.tar link.png; ln -s shard.png same.png
      mkdir -p h/a/pictures .home/.local/share/vugen r; ln -s $PWD/h .home/.local/share/vugen/sessions
      echo '{"version":1,"time":1,"event":{"note":{"_0":"hello"}}}' >h/a/log.jsonl; cp in/a.png h/a/pictures/ab.png
      echo '{"step":1,"loss":1,"terms":{},"gradientNorm":1,"rate":1,"picturesPerSecond":1,"seconds":1}' >r/metrics.jsonl
      ln -s r/metrics.jsonl metrics.png; V model init --shape tiny -o m
      """)
    for line in [
      "data inspect s --sheet link.png", "data inspect shard.png --sheet shard.png",
      "data inspect shard.png --sheet same.png",
      "sessions export a --format json -o h/a/log.jsonl", "sessions export a --format json -o link.jsonl",
      "sessions export a --format html -o h/a/pictures/ab.png", "train plot r -o metrics.png",
      "encode in/a.png --model m -o m/model.safetensors",
    ] {
      let found = try shell.run(
        """
        ln -sf h/a/log.jsonl link.jsonl; find s h r m shard.png -type f | sort | xargs cat | sha256sum >before
        V \(line) --overwrite; echo $?; find s h r m shard.png -type f | sort | xargs cat | sha256sum | cmp - before && echo same
        """)
      #expect(found.out == "2\nsame\n", "\(line): \(found)")
      // A link to a file of another kind is refused for its end before that.
      let isOther =
        line.hasSuffix("link.png") || line.hasSuffix("link.jsonl") || line.hasSuffix("metrics.png")
      let says = isOther ? "this link leads to " : "this is the input and would be overwritten"
      #expect(found.error.contains(says), "\(line): \(found)")
    }
    // Beside them a file is as good as anywhere.
    #expect(try shell.run("V sessions export a --format json -o h/a/copy.json").out == "h/a/copy.json\n")
  }

  /// What a list names is not waited for.
  @Test func aPipeInAListIsNoPicture() throws {
    try shell.writePictures("in/a.png")
    for (name, list) in [
      ("l.csv", "file,caption\nin/a.png,gray\np.png,slow\n"),
      (
        "l.jsonl",
        "{\"file\":\"in/a.png\",\"caption\":\"gray\"}\n{\"file\":\"p.png\",\"caption\":\"slow\"}\n"
      ),
    ] {
      try shell.write(list, name)
      let found = try shell.run(
        """
        [ -e p.png ] || mkfifo p.png
        timeout -s KILL 60 "$P" data build folder in --captions \(name) -o s.\(name); echo $?
        """)
      #expect(found.out == "1 picture in s.\(name), 1 left out\n0\n", "\(found)")
      #expect(found.error.contains("p.png: this is not a plain file"), "\(found)")
    }
    // Once where it lies in the folder, too, whichever list names it.
    _ = try shell.run(
      "mkfifo in/p.png; printf 'file,caption\na.png,gray\np.png,slow\n' | tee l.csv >in/metadata.csv")
    for list in ["--captions l.csv", ""] {
      let found = try shell.run("V data build folder in \(list) -o once --overwrite --json")
      #expect(found.out.contains("\"failed\":1,") && found.out.contains("\"pictures\":1,"), "\(found)")
      #expect(found.error.matches(of: /p\.png/).count == 1, "\(found)")
      #expect(found.error.contains("vugen: in/p.png: this is not a plain file; name "), "\(found)")
    }
  }

  /// What lies in a folder of one's own is not replaced by a file of the same name.
  @Test func filesOfTheSameNameStay() throws {
    try shell.write("mine", "own/tokenizer.json")
    try shell.write("mine", "data/held_out.json")
    let found = try shell.run(
      """
      V model init --shape tiny -o own; echo $?; cat own/*; ls own
      V data build scenes --train 1 --validation 0 --held-out 0 -o data; echo $?; cat data/held_out.json; ls data
      V model init --shape tiny -o data >/dev/null; echo $?; ls data | grep -c safetensors
      """)
    #expect(
      found.out == "1\nminetokenizer.json\n1\nmineheld_out.json\n0\n1\n", "\(found)")
    #expect(found.error.contains("own: holds tokenizer.json already; name another folder"), "\(found)")
  }

  /// A file that comes while the work goes on stays as well; nothing is worked out that could not be written.
  @Test func lateFilesStayAndPlacesAreLookedAtFirst() throws {
    let late = try shell.run(
      """
      "$P" imagine x --steps 60 --preview-every 4 -o w.png >told 2>said & p=$!
      \(Shell.until("[ -e w.png.preview.png ]")); kill -STOP $p; echo precious >w.png; kill -CONT $p
      wait $p; echo $?; cat w.png told; head -c 4 w-2.png | tail -c 3; echo; cat said
      """)
    #expect(
      late.out.hasPrefix("0\nprecious\nw-2.png\nPNG\n")
        && late.out.contains("w.png was written by another program"),
      "\(late)")
    for line in ["imagine x --steps 1000 -o nowhere/x.png", "caption w-2.png --sheet nowhere/s.png"] {
      let found = try shell.run("timeout -s KILL 20 \"$P\" \(line)")
      #expect(
        found.status == 1 && found.error.contains("there is no folder nowhere; make it"), "\(line): \(found)")
    }
  }

  /// A folder that somebody removes meanwhile, such as another program that began it and was stopped, costs no picture.
  @Test func aFolderThatIsGoneIsMadeAgain() throws {
    let found = try shell.run(
      """
      "$P" imagine x --steps 60 --preview-every 10 --seed 3 -o new/deep >told 2>said & p=$!
      \(Shell.until("ls new/deep/*.preview.png >/dev/null 2>&1")); kill -STOP $p; rm -r new; kill -CONT $p; wait $p; echo $?; cat told said; ls new/deep
      """)
    #expect(found.out == "0\nnew/deep/x-3.png\nx-3.png\n", "\(found)")
  }

  /// A picture that is not whole takes no name, and Ctrl-C says what there is.
  @Test func whatIsInterruptedSaysWhatThereIs() throws {
    let found = try shell.run(
      """
      V imagine x --steps 1 --seed 1 -o z.png >/dev/null; cp z.png before.png
      env --default-signal=INT "$P" imagine x --steps 1000 --preview-every 1 -o z.png --overwrite >told 2>said & p=$!
      \(Shell.until("[ -e z.png.preview.png ]")); kill -INT $p; wait $p; echo $?
      cmp z.png before.png && echo same; cat told said
      """)
    #expect(found.out.hasPrefix("130\nsame\nvugen: interrupted after step "), "\(found)")
    #expect(found.out.contains(" of 1000; nothing is written of this picture"), "\(found)")
  }

  /// Previews go through no link: one that leads to a file of somebody's is refused, or with `--overwrite` not written.
  @Test func previewsGoThroughNoLink() throws {
    let found = try shell.run(
      """
      echo precious >mine; ln -s mine x.png.preview.png; ln -s nowhere y.png.preview.png
      V imagine x --steps 30 --preview-every 1 -o x.png; echo $?
      for i in x y; do V imagine x --steps 30 --preview-every 1 -o $i.png --overwrite; echo $?; done
      cat mine; ls -l *.preview.png | sed 's/.* x/x/; s/.* y/y/'; ls nowhere
      """)
    #expect(
      found.out
        == "1\nx.png\n0\ny.png\n0\nprecious\nx.png.preview.png -> mine\ny.png.preview.png -> nowhere\n",
      "\(found)")
    #expect(found.error.contains("x.png.preview.png: already exists; name another file"), "\(found)")
  }

  /// Names that differ by a character that is not seen are told apart.
  @Test func namesAreToldApart() throws {
    let found = try shell.run(
      """
      mkdir n; for i in $'a\\tb' 'a b' $'a\\nb' $'a\\rb'; do echo bad >"n/$i.png"; echo cat >"n/$i.txt"; done
      V data build folder n -o s; V caption n; V caption n/a*; V encode $'n/a\\tb.png' -o $'o\\tp.safetensors'
      V imagine x --steps 1 -o $'no\\tway/x.png'; V data inspect $'n/a\\nb.png'; V caption $'a\\tb/'
      """)
    let lines = found.error.split(separator: "\n")
    for name in [#"a\tb"#, "a b", #"a\nb"#, #"a\rb"#] {
      #expect(lines.count { $0.hasPrefix("vugen: n/\(name).png: ") } >= 2, "\(name): \(found)")
    }
    for name in [#"n/a\tb.png: "#, #"no\tway"#, #"n/a\nb.png: "#, #"a\tb/: "#] {
      #expect(lines.contains { $0.hasPrefix("vugen: " + name) }, "\(name): \(found)")
    }
    #expect(lines.allSatisfy { $0.hasPrefix("vugen: ") && !$0.contains("\t") }, "\(found)")
  }

  /// Names that lie in the folders of sessions and models are whole in lists, and no commands to a terminal.
  @Test func namesInListsAreWhole() throws {
    let found = try shell.run(
      """
      N=$(V paths | sed -n 's/^model *//p'); cp -r "$N" $'mo\\nd'; V model list
      S=.home/.local/share/vugen/sessions/$'o\\ed'; mkdir -p "$S"
      echo '{"version":1,"time":1,"event":{"note":{"_0":"hello"}}}' >"$S/log.jsonl"
      V sessions list; V sessions search hello; V sessions delete $'o\\ed'; V sessions undelete; V sessions undelete last
      """)
    #expect(found.error.isEmpty && found.out.contains("\nmo\\nd  folder"), "\(found)")
    let lines = found.out.split(separator: "\n")
    #expect(lines.count { $0.contains(#"o\x1Bd"#) } == 5 && !found.out.contains("\u{1B}"), "\(found)")
  }

  /// What a list says stands in the order of what was named, pipes and what cannot be read included.
  @Test func pipesStandInTheirPlace() throws {
    try shell.writePictures("a.png", "b.png", "in/a.png", "in/z.png")
    let found = try shell.run(
      """
      mkfifo f.png in/m.png; cat a.png >f.png & V caption b.png f.png gone.png - a.png --max-tokens 2 --json <b.png
      wait; V caption in --max-tokens 2 --json
      """)
    let files = try found.out.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["file"] as? String ?? "none: \(line)"
    }
    #expect(
      files == ["b.png", "f.png", "gone.png", "-", "a.png", "in/a.png", "in/m.png", "in/z.png"], "\(found)")
  }

  /// A run that is resumed goes on upon its own model, wherever that is now, and upon no other.
  @Test func aRunKnowsItsModel() throws {
    try shell.writePictures("in/a.png")
    let tiny = "--set data.shards=s --set data.batch=1 --set model.size=nano --set run.sampleMinutes=0"
    let found = try shell.run(
      """
      echo gray >in/a.txt; V data build folder in -o s >/dev/null
      for s in 1 2; do V model init --shape tiny --seed $s -o m$s; done
      V train decoder --model m1 -o r \(tiny) --set optimization.steps=1 >/dev/null; echo $?
      V train decoder --model m2 -o r --resume --set optimization.steps=3; echo $?
      mv m1 moved; V train decoder -o r --resume --set optimization.steps=3; echo $?
      V train decoder --model moved -o r --resume --set optimization.steps=3 >/dev/null; echo $?
      """)
    #expect(found.out == "0\n1\n1\n0\n", "\(found)")
    #expect(
      found.error.contains("--model has other weights; leave out --model, or begin a new run"), "\(found)")
    #expect(found.error.contains("m1, is gone; name it by --model"), "\(found)")
  }

  /// Several programs that write one name at once: each has a file of its own, and says which; one that comes when
  /// another is done refuses.
  @Test func manyAtOnceLoseNothing() throws {
    let found = try shell.run(
      """
      for i in 1 2 3 4; do V imagine "p$i" --seed 1 --steps 2 -o same.png & done; wait
      for i in 1 2 3; do V imagine same --seed 5 --steps $((i + 1)) & done; wait; ls *.png
      """)
    let lines = found.out.split(separator: "\n").map { $0.replacing("./", with: "") }
    let refused = found.error.split(separator: "\n").count { $0.contains("already exists") }
    let there = Set(lines)
    #expect(lines.count == 2 * there.count && there.count + refused == 7, "told, and there: \(found)")
    #expect(there.isSuperset(of: ["same.png", "same-5.png", "same-5-2.png", "same-5-3.png"]), "\(found)")
  }

  @Test func namesWithADashAndWrongEndingsAreTold() throws {
    try shell.writePictures("-dash.png", "-sh")
    for line in ["caption -dash.png", "reconstruct -dash.png", "data inspect -sh"] {
      let found = try shell.run("V \(line)")
      #expect(found.status == 2 && found.error.contains("the file of that name is ./-"), "\(line): \(found)")
    }
    #expect(try shell.run("V caption ./-dash.png --max-tokens 1").status == 0)
    for (line, says) in [
      ("-o e.pdf", ".pdf is not supported; name a .html"),
      ("--format cast -o e.html", "--format cast does not suit e.html"),
    ] {
      let found = try shell.run("V sessions export \(line)")
      #expect(found.status == 2 && found.error.contains(says), "\(line): \(found)")
    }
    // A folder may be called as it likes where its name says that it is one.
    let endings = try shell.run(
      """
      for o in caption.txt list.csv x.json paper.PDF; do V imagine x --steps 1 -o $o; echo $?; done
      V imagine x --steps 1 --seed 4 -o v1.5; V imagine x --steps 1 --seed 4 -o caption.txt/; ls -d caption* list* x.json
      """)
    #expect(
      endings.out
        == "2\n2\n2\n2\nv1.5/x-4.png\ncaption.txt/x-4.png\ncaption.txt\n", "\(endings)")
    #expect(endings.error.contains(".txt is not supported; name a .png"), "\(endings)")
    // Replaced where that is asked for, also under the program's own names.
    let twice = try shell.run(
      "for i in 1 2; do V imagine x --steps 1 --seed 4 --overwrite -o ov; done; ls ov")
    #expect(
      twice.out.hasSuffix("x-4.png\nx-4.png\n") || twice.out == "ov/x-4.png\nov/x-4.png\nx-4.png\n",
      "\(twice)")
  }
}
