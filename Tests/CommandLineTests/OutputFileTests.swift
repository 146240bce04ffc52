import Foundation
import ProgramSupport
import TestSupport
import Testing

/// Single files that commands write: as their names end, and never over what is there.
@FourthCommands
struct OutputFileTests {
  private let shell: Shell

  init() throws { shell = try Shell() }

  /// One rule for all commands: what is there and not empty stays, and is named before the work begins.
  @Test func whatIsThereStays() throws {
    try shell.writePictures("in/a.png")
    try shell.write("gray", "in/a.txt")
    let session = "\(Self.store)/20260101-000000-abcd"
    _ = try shell.run(
      """
      V data build folder in -o s; mkdir -p \(session) run
      echo '{"version":1,"time":1,"event":{"note":{"_0":"hello"}}}' >\(session)/log.jsonl
      echo '{"step":1,"loss":1,"terms":{},"gradientNorm":1,"rate":1,"picturesPerSecond":1,"seconds":1}' >run/metrics.jsonl
      """)
    for (command, name) in [
      ("imagine x --steps 1 -o", "o.png"), ("reconstruct in/a.png --decoder-steps 1 -o", "o.png"),
      ("encode in/a.png -o", "o.safetensors"), ("caption in --max-tokens 1 -o", "o.csv"),
      ("caption in --max-tokens 1 --sheet", "o.png"), ("data inspect s --sheet", "o.png"),
      ("sessions export last -o", "o.html"), ("train plot run -o", "o.png"),
    ] {
      let found = try shell.run(
        """
        rm -f o.*; echo precious >\(name); ln -s \(name) link.\(name)
        for f in \(name) link.\(name); do V \(command) $f; echo $?; done; cat \(name)
        V \(command) \(name) --overwrite >/dev/null; echo $?; head -c 8 \(name) | grep -c precious
        : >\(name); V \(command) \(name) >/dev/null; echo $?; wc -c <\(name) | grep -vc '^0$'; rm link.*
        """)
      #expect(found.out == "1\n1\nprecious\n0\n0\n0\n1\n", "\(command): \(found)")
      let refused = found.error.split(separator: "\n").count {
        $0.contains("already exists; name another file")
      }
      #expect(refused == 2, "\(command): \(found)")
      try checkFolder(command, name)
    }
    // A name that the program chooses is a free one.
    let chosen = try shell.run("V sessions export; V sessions export")
    #expect(
      chosen.out == "vugen-20260101-000000-abcd.html\nvugen-20260101-000000-abcd-2.html\n", "\(chosen)")
  }

  /// A name that ends in a slash is a folder, which those make that write several pictures.
  private func checkFolder(_ command: String, _ name: String) throws {
    let found = try shell.run("V \(command) new.\(name)/; echo $?; ls -d new.*; rm -rf new.*")
    let isMade = ["imagine", "reconstruct"].contains { command.hasPrefix($0) }
    let says = "new.\(name)/: this names a folder, as it ends in /; name a file"
    #expect(
      isMade
        ? found.out.hasSuffix("\n0\nnew.\(name)\n") && found.error.isEmpty
        : found.out == "1\n" && found.error.contains(says), "\(command): \(found)")
  }

  private static let store = ".home/.local/share/vugen/sessions", other = "\(store)/20260101-000000-abcd"
  /// Commands, the links that they are given, and where these lead.
  private static let links = [
    ("imagine x --steps 1 -o", "l.png", "m/model.safetensors"),
    ("imagine x --steps 1 -o", "l.png", "\(other)/pictures/p.png"),
    ("imagine x --steps 1 -o", "l.png", "elsewhere/pictures/p.png"),
    ("reconstruct in/a.png -o", "l.png", "\(other)/pictures/p.png"),
    ("encode in/a.png -o", "l.safetensors", "m/model.safetensors"),
    ("caption in --max-tokens 1 -o", "l.txt", "m/things.txt"),
    ("caption in --max-tokens 1 -o", "l", "m/model.safetensors"),
    ("caption in --max-tokens 1 -o", "l.jsonl", "\(other)/log.jsonl"),
    ("caption in --max-tokens 1 --sheet", "l.png", "\(other)/pictures/p.png"),
    ("sessions export 20260102 -o", "l.json", "m/config.json"),
    ("sessions export 20260102 -o", "l.html", "m/config.json"),
    ("sessions export 20260102 -o", "l", "\(other)/log.jsonl"),
    ("sessions export 20260102 -o", "l", "\(store)/20260102-000000-efgh/log.jsonl"),
    ("sessions export 20260102 -o", "l", "elsewhere/log.jsonl"),
  ]

  /// What belongs to a model or to a session is not written over, by whatever link.
  @Test func linksToModelsAndSessionsAreRefused() throws {
    try shell.writePictures("in/a.png")
    let store = Self.store
    let note = #"{"version":1,"time":1,"event":{"note":{"_0":"hello"}}}"# + "\n"
    for id in ["20260101-000000-abcd", "20260102-000000-efgh"] {
      try shell.write(note, "\(store)/\(id)/log.jsonl")
      try shell.writePictures("\(store)/\(id)/pictures/p.png")
    }
    try shell.write(note, "elsewhere/log.jsonl")
    try shell.writePictures("elsewhere/pictures/p.png")
    for name in ["config.json", "model.safetensors", "things.txt"] { try shell.write("kept", "m/\(name)") }
    for (command, link, end) in Self.links {
      let found = try shell.run(
        """
        cp \(end) before; rm -f l l.*; ln -s \(end) \(link); V \(command) \(link) --overwrite >/dev/null; echo $?
        cmp before \(end); [ -L \(link) ] && echo linked
        """)
      #expect(
        ["1\nlinked\n", "2\nlinked\n", "64\nlinked\n"].contains(found.out)
          && found.error.hasPrefix("vugen: ")
          && ["belongs to", "this link leads to", "this is the input"].contains(where: found.error.contains),
        "\(command) \(end): \(found)")
    }
    // By its own name, too.
    for command in [
      "caption in --max-tokens 1 -o m/things.txt", "sessions export 20260102 --format json -o m/config.json",
      "imagine x --steps 1 -o \(Self.other)/pictures/p.png",
    ] {
      let found = try shell.run("V \(command) --overwrite; echo $?")
      #expect(found.out == "1\n" && found.error.contains("this belongs to the "), "\(command): \(found)")
    }
    // A link to any other file of its kind is followed as before.
    let plain = try shell.run(
      "echo old >o.csv; ln -s o.csv p.csv; V caption in --max-tokens 1 -o p.csv --overwrite; head -1 o.csv")
    #expect(plain.out == "file,caption\n", "\(plain)")
  }

  /// A name that is made of another one is no longer than names can be; a folder that is locked is told before the work.
  @Test func longNamesAndLockedFolders() throws {
    let long = String(repeating: "n", count: 251), other = String(repeating: "m", count: 252)
    try shell.writePictures("in/\(long).png")
    let pixel = try Data(contentsOf: URL(fileURLWithPath: "\(shell.folder)/in/\(long).png"))
    let hash = try shell.run("sha256sum <in/*.png | cut -c1-64").out.prefix(64)
    let place = ".home/.local/share/vugen/sessions/20260101-000000-abcd"
    try shell.write(pixel, "\(place)/pictures/\(hash).png")
    try shell.write(
      #"{"version":1,"time":1,"event":{"attached":{"picture":"\#(hash)","name":"n"}}}"#
        + "\n",
      "\(place)/log.jsonl")
    let found = try shell.run(
      """
      V reconstruct in/* --decoder-steps 1 -o out >said; echo $?; ls out | wc -c
      V caption in -o \(long).csv --max-tokens 2; echo $?; ls \(long).csv | wc -c
      : >w.png; : >\(long).png; V imagine x --steps 1 -o \(long).png >said; echo $?
      V sessions export last -o \(other).md >said; echo $?; ls -d m*-pictures | wc -c; ls m*-pictures | wc -l
      """)
    #expect(found.out == "0\n255\n0\n256\n0\n0\n256\n1\n", "\(found)")
    let link = try shell.run("p=$(sed -n 's/.*](\\(.*\\)).*/\\1/p' m*.md); ls \"$p\" | wc -l")
    #expect(link.out == "1\n", "\(link)")
    let root = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : ""
    guard try shell.run("chmod 711 .; mkdir locked; chmod 555 locked; \(root)\"$P\" --version").status == 0
    else {
      return
    }
    for command in [
      "imagine x --steps 1000 --count 9 -o ../locked", "reconstruct ../in/* -o ../locked",
      "imagine x --steps 1000",
    ] {
      let locked = try shell.run("cd locked; \(root)env HOME=/nowhere timeout -s KILL 60 \"$P\" \(command)")
      #expect(
        locked.status == 1
          && locked.error.contains(": cannot be written to: Permission denied; name another folder"),
        "\(command): \(locked)")
    }
  }

  /// A list is written as its name ends, and `data build folder` reads each again.
  @Test func listsOfCaptionsAreWrittenAsTheirNamesEnd() throws {
    try shell.writePictures("in/a.png", "in/b, \"c\".png")
    try shell.write("nothing", "in/bad.png")
    for ending in ["csv", "tsv", "txt", "jsonl"] {
      let found = try shell.run("V caption in --max-tokens 3 -o l.\(ending); echo $?; cat l.\(ending)")
      let lines = found.out.split(separator: "\n").map(String.init)
      #expect(lines.first == "1", "\(found)")
      switch ending {
      case "jsonl": #expect(lines.count == 4 && lines.last?.contains("\"error\"") == true, "\(found)")
      case "txt": #expect(lines.count == 3 && lines[1].hasPrefix("in/a.png\t"), "\(found)")
      case "csv":
        #expect(
          lines.count == 4 && lines[1] == "file,caption" && lines[2].hasPrefix("in/a.png,")
            && lines[3].hasPrefix("\"in/b, \"\"c\"\".png\","), "\(found)")
      default: #expect(lines.count == 4 && lines[1] == "file\tcaption", "\(found)")
      }
      let built = try shell.run("V data build folder in --captions l.\(ending) -o s.\(ending)")
      #expect(built.out.hasPrefix("2 pictures in s"), "\(ending): \(built)")
    }
    let refused = try shell.run("V caption in -o l.xls; V caption in -o l.json; ls l.xls l.json")
    #expect(
      refused.error.contains("vugen: ")
        && refused.error.contains(".xls is not supported; name a .jsonl, .csv, .tsv or .txt file")
        && refused.error.contains(".json is not supported"), "\(refused)")
  }
}
