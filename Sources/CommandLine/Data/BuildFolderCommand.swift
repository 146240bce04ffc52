import ArgumentParser
import DataSets
import Files
import Foundation
import ModelFiles

struct DataBuildFolder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "folder", abstract: "Turn your own captioned pictures into shards.",
    discussion: """
      Captions come from FILE.txt or FILE.caption beside FILE.png, else from a metadata.jsonl or metadata.csv among the \
      pictures, or from a list given with --captions: JSON lines with "file" and "caption", or CSV with these columns \
      and any separator. Other common column names (file_name, image, text, …) work too. Text is UTF-8, UTF-16 or \
      UTF-32. Subfolders are read too; hidden files are left out, and links to folders are not followed.

      Names in a list are taken from the folder of pictures, from the list's own folder or from the working folder: all of \
      a list from the same one, from which most are there. A list among the pictures is read from where it lies; one whose \
      names all begin with its folder's name, as vugen caption FOLDER writes them, from where that folder lies. A list \
      that two of these fit equally is refused. Pictures outside the folder that a list of --captions names are used, and \
      told.

      Ctrl-C, SIGTERM, SIGHUP, a full disk and even a kill keep the shards that are finished, in OUTPUT.partial; the same \
      command goes on with those whose pictures and captions are as they were, and what comes of it is the same, byte for \
      byte.

      Example: vugen data build folder photos --captions photos/list.csv --output shards
      """)

  @Argument(help: "Folder of pictures.", completion: .directory, transform: namedPath) var folder: String
  @Option(
    help: "List of captions, .jsonl or .csv.", completion: .file(extensions: ["jsonl", "csv", "tsv"]),
    transform: namedPath)
  var captions: String?
  @Option(
    name: .shortAndLong, help: "Folder to write the shards to.", completion: .directory,
    transform: writtenFolder
  )
  var output: String
  @Option(parsing: .unconditional, help: "Shrink larger pictures to this many pixels per side.") var size:
    Int?
  @Option(parsing: .unconditional, help: "Pictures per shard.") var perShard = 1000
  @Option(
    parsing: .unconditional,
    help: """
      Largest share of a list's lines that may be damaged; they are skipped and counted. One is always allowed, unless \
      this is 0. Pictures that are missing or have no caption are counted, and refuse nothing.
      """)
  var maxSkipped = 0.01
  @Flag(help: "Replace an existing folder that holds a model, shards or a run.") var overwrite = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if !(0...1).contains(maxSkipped) { throw ValidationError("--max-skipped must be 0 to 1.") }
    if let size, size < 1 { throw ValidationError("--size must be at least 1.") }
    if !(1...1_000_000).contains(perShard) { throw ValidationError("--per-shard must be 1 to 1000000.") }
  }

  func run() async throws {
    Interruption.watch(endings: true)
    let found =
      try captions.map { try FolderImport.pairs(in: folder, list: $0, mostBad: maxSkipped) }
      ?? FolderImport.pairs(in: folder, mostBad: maxSkipped)
    if overwrite, OutputFolder.contents(of: output) != nil { try checkSources(found) }
    let work = FolderBuild(found.pairs, size: size, perShard: perShard)
    let bad = try work.write(to: output, replacing: overwrite)
    ProgressLine.end()
    // A reason names the picture by itself.
    let broken =
      found.unreadable + bad.map { $0.reason.hasPrefix($0.path) ? $0.reason : "\($0.path): \($0.reason)" }
    tell(found, broken)
    let done = found.pairs.count - bad.count
    let failed =
      broken.count + found.badLines.count + found.missing.count + found.elsewhere.count + found.empty.count
    print(
      json
        ? try jsonLine([
          "path": .text(output), "pictures": .number(Double(done)), "failed": .number(Double(failed)),
          "missing": .number(Double(found.missing.count)),
          "elsewhere": .number(Double(found.elsewhere.count)),
          "outside": .number(Double(found.outside.count)),
          "unnamed": .number(Double(found.unnamed.count)),
          "badLines": .number(Double(found.badLines.count)),
          "passedOver": .number(Double(found.others.count)),
        ])
        : "\(counted(done, "picture")) in \(output.oneLine)" + (failed > 0 ? ", \(failed) left out" : ""))
  }

  /// What of the pictures, lists and files was left out.
  private func tell(_ found: FolderImport.Found, _ broken: [String]) {
    tell(broken, "that cannot be read")
    tell(found.badLines, "of lists that are skipped")
    for (list, count) in found.listed.sorted(by: { $0.key < $1.key }) {
      note("\(counted(count, "caption")) from \(list)".oneLine)
    }
    tell(pictures: found.missing, "in the list but missing from the folder")
    tell(
      pictures: found.elsewhere,
      "in a list, but outside the folder, hidden, or not called like pictures (--captions LIST reads them)")
    tell(pictures: found.outside, "outside the folder, used because the list names them")
    tell(pictures: found.empty, "with an empty caption")
    tell(
      pictures: found.unnamed,
      captions == nil ? "without a caption" : "in the folder but missing from the list")
    if let line = found.others.line { note(line.oneLine) }
  }

  /// Names of what was left out, at most.
  private static let mostNamed = 10

  /// What is wrong with what, a line each.
  private func tell(_ lines: [String], _ what: String) {
    for line in lines.prefix(Self.mostNamed) { note(line.oneLine) }
    if lines.count > Self.mostNamed { note("… and \(lines.count - Self.mostNamed) more \(what)") }
  }

  private func tell(pictures: [String], _ what: String) {
    guard !pictures.isEmpty else { return }
    let names = pictures.prefix(3).joined(separator: ", ") + (pictures.count > 3 ? ", …" : "")
    note("\(counted(pictures.count, "picture")) \(what): \(names)".oneLine)
  }

  /// `--overwrite` must not remove what is read.
  private func checkSources(_ found: FolderImport.Found) throws {
    let place = URL(fileURLWithPath: output).resolvingSymlinksInPath().path + "/"
    let sources = found.pairs.map(\.path) + found.unnamed + (captions.map { [$0] } ?? [])
    guard
      let inside = sources.first(where: {
        (URL(fileURLWithPath: $0).resolvingSymlinksInPath().path).hasPrefix(place)
      })
    else { return }
    throw ModelFileError(
      output, "holds what is read, such as \(inside), and will not be replaced; name another folder")
  }
}
