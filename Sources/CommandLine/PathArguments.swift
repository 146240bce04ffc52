import ArgumentParser
import DataSets
import Files
import Foundation
import Pictures

/// A path as an argument: an empty one is a variable of a script that was not set, and names nothing.
@Sendable func namedPath(_ text: String) throws -> String {
  guard !text.isEmpty else { throw ValidationError("an empty name; name a file or folder.") }
  return text
}

/// The name of a file to write, whatever its kind.
@Sendable func writtenPath(_ text: String) throws -> String {
  let path = try namedPath(text)
  try checkName(path)
  return path
}

/// The folder of a model, a run or shards to write.
@Sendable func writtenFolder(_ text: String) throws -> String {
  let path = try folderPath(text)
  try checkName(path, such: "folder")
  return path
}

/// Throws `ValidationError` where the name of what is to be written is the ending of a known kind of file, and nothing before
/// it: a variable of a script was not set. A folder of such a name that is there is meant, and so is one that ends in /.
private func checkName(_ path: String, such kind: String = "file") throws {
  guard path != "-", !AtomicFile.isSpecial(path), !FileName.isFolder(path),
    let bare = FileName.bareEnding(of: path, among: PictureFormat.extensions.union(fileEndings))
  else { return }
  // Pictures of some kinds are read alone.
  let isUnwritten =
    PictureFormat.extensions.contains(bare) && WrittenFormat.objection(to: "name.\(bare)") != nil
  let example = kind == "file" ? "name a file, such as name.\(isUnwritten ? "png" : bare)" : "name a folder"
  throw ValidationError("'\(FileName.last(of: path).message)' has an ending but no name; \(example).")
}

/// Whether a name is a folder's: one is there, or it ends in /, whatever comes before that.
func isFolderName(_ path: String) -> Bool { path.hasSuffix("/") || FileName.isFolder(path) }

/// What a person says as an argument: letters, and no bytes that are none.
@Sendable func spokenText(_ text: String) throws -> String {
  guard !FileName.holdsBytes(text) else {
    throw ValidationError("this is no UTF-8 text; set the terminal to UTF-8, or convert it: iconv -t UTF-8.")
  }
  return text
}

/// The path of a model, a run or shards, which many parts of the program read, and other programs: UTF-8.
@Sendable func folderPath(_ text: String) throws -> String {
  let path = try namedPath(text)
  guard !FileName.holdsBytes(path) else {
    throw ValidationError(
      "the name of a model, run or shard must be UTF-8, so that other programs can read it; rename it, or link to it: ln -s OLD NEW."
    )
  }
  return takenUp(path)
}

/// The same of a folder, or something in one, that is read whatever its name.
@Sendable func readPath(_ text: String) throws -> String { takenUp(try namedPath(text)) }

/// A path, whose folder is as it was where a process that was to replace it was killed.
private func takenUp(_ path: String) -> String {
  for folder in [FileName.parent(of: path), path] {
    if let line = OutputFolder.takeUp(folder) { note(line.oneLine) }
  }
  return path
}

/// A picture to write: one whose name ends like no format that is written is refused, not written as another.
@Sendable func picturePath(_ text: String) throws -> String {
  let path = try writtenPath(text)
  guard !AtomicFile.isSpecial(path) else { return path }
  if let reason = WrittenFormat.objection(to: path) { throw ValidationError(reason + ".") }
  try checkLinkEnd(of: path, WrittenFormat.objection)
  return path
}

/// The same of pictures to write, or a folder for them, whose name may end as it likes unless like a file's of a known
/// kind.
@Sendable func picturesPath(_ text: String) throws -> String {
  let path = try writtenPath(text), ending = (path as NSString).pathExtension.lowercased()
  let isFile = PictureFormat.extensions.contains(ending) || fileEndings.contains(ending)
  guard isFile, !isFolderName(path), !AtomicFile.isSpecial(path) else { return path }
  try checkLinkEnd(of: path, WrittenFormat.objection)
  guard let reason = WrittenFormat.objection(to: path) else { return path }
  throw ValidationError(reason + "; a folder of that name ends in /.")
}

/// Endings of names that are files' and that nobody gives to a folder: texts, lists, documents, archives, films, models,
/// and pictures that are not read.
private let fileEndings = Set(
  """
  txt text log md markdown html htm xml json jsonl ndjson csv tsv yaml yml toml ini conf tex rtf caption
  pdf ps eps doc docx odt ods odp xls xlsx ppt pptx epub
  zip tar gz tgz bz2 xz zst 7z rar iso deb
  mp4 m4v mov avi mkv webm mpg mpeg ogv mp3 wav flac ogg opus m4a cast
  safetensors gguf ckpt pt pth bin npy npz onnx parquet
  ico psd svg tga xcf exr hdr jxl dng cr2 cr3 nef arw
  """.split(whereSeparator: \.isWhitespace).map(String.init))

/// Throws `ValidationError` where a file's name ends like another kind than those that are written; one without an ending
/// is as good.
func checkEnding(of output: String, _ kinds: [String]) throws {
  guard output != "-", !AtomicFile.isSpecial(output) else { return }
  let named = kinds.map { ".\($0)" }.joined(separator: " or ")
  func objection(_ name: String) -> String? {
    let ending = (name as NSString).pathExtension
    return ending.isEmpty || kinds.contains(ending.lowercased())
      ? nil : ".\(ending.message) is not supported; name a \(named) file"
  }
  if let reason = objection(output) { throw ValidationError(reason + ".") }
  try checkLinkEnd(of: output, objection)
}

/// A list of captions to write, whose form its ending says.
@Sendable func captionsPath(_ text: String) throws -> String {
  let path = try writtenPath(text)
  guard CaptionFile(path: path) != nil else {
    throw ValidationError(
      ".\((path as NSString).pathExtension) is not supported; name a .jsonl, .csv, .tsv or .txt file.")
  }
  guard path != "-", !AtomicFile.isSpecial(path) else { return path }
  try checkLinkEnd(of: path) { end in
    let ending = (end as NSString).pathExtension
    return ending.isEmpty || CaptionFile(path: end) == CaptionFile(path: path)
      ? nil : "that ending is of another form; name the file itself"
  }
  return path
}

/// What becomes of a file that is there already: one rule for every command that writes a single file.
struct OverwriteOption: ParsableArguments {
  @Flag(help: "Replace an existing output file; without this, one that is not empty is refused.")
  var overwrite = false

  /// Before the work: throws `FileAccessError` where one of the files is there and holds something, or cannot be written,
  /// or is a folder, or belongs to a model or a session. Pipes and devices are no such files, and an empty one, such as mktemp makes, holds nothing that could be lost.
  func check(_ paths: String?...) throws {
    for case let path? in paths where path != "-" && !AtomicFile.isSpecial(path) {
      if FileName.isFolder(path) { throw FileAccessError(path, "this is a folder; name a file in it") }
      if path.hasSuffix("/") {
        throw FileAccessError(path, "this names a folder, as it ends in /; name a file")
      }
      try KeptFiles.check(path)
      if !overwrite, Self.holdsSomething(path) {
        throw FileAccessError(path, "already exists; name another file, or add --overwrite to replace it")
      }
      // A link's file is written where the link leads.
      let parent = FileName.parent(of: try AtomicFile.followed(path)), folder = parent.isEmpty ? "." : parent
      guard FileName.isFolder(folder) else {
        throw FileAccessError(
          path, "cannot be written: there is no folder \(folder); make it, or name another file")
      }
      guard FileName.withPath(folder, { access($0, W_OK) }) == 0 else {
        throw FileAccessError(
          path, "cannot be written: \(String(cString: strerror(errno))); name another file")
      }
    }
  }

  /// After the work: writes under the path itself, or under the next free name where a file has come there meanwhile,
  /// which is told unless the name is not the person's; no two programs get the same one. Returns what `body` does.
  func write<R>(_ path: String, isNamed: Bool = true, _ body: (_ free: String) throws -> R) throws -> R {
    guard !overwrite else {
      // A name that the program chose was not looked at before.
      try KeptFiles.check(path)
      return try body(path)
    }
    return try FileReservation.withName(path) { free in
      if free != path, isNamed {
        note("\(path) was written by another program meanwhile; this one's is \(free)".oneLine)
      }
      return try body(free)
    }
  }

  /// What is finished of work that ends early: under the path itself where nothing is lost by that, or under the next free
  /// name. Returns it.
  func keep(_ path: String, _ body: (_ free: String) throws -> Void) throws -> String {
    try FileReservation.withName(path) { free in
      try body(free)
      return free
    }
  }

  private static func holdsSomething(_ path: String) -> Bool {
    FileName.status(path).map { $0.st_mode & S_IFMT == S_IFREG && $0.st_size > 0 } ?? false
  }
}

/// Throws `ValidationError` where a folder to read lies in the one to write, or is it: it would be lost.
func checkFolder(_ output: String, holdsNone inputs: [String?]) throws {
  func whole(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
  for case let input? in inputs where FileName.exists(input) {
    guard (whole(input) + "/").hasPrefix(whole(output) + "/") else { continue }
    throw ValidationError(
      "\(input.message): this is the input, and it lies in the folder to be written; name another output.")
  }
}

/// Throws `ValidationError` where a file to write is one of those that are read, or lies in a folder of them, by whatever
/// name: it would be lost.
func checkOutput(_ output: String?, isNoneOf inputs: [String]) throws {
  guard let output, output != "-", !AtomicFile.isSpecial(output), let written = FileName.status(output),
    written.st_mode & S_IFMT == S_IFREG
  else { return }
  let files = inputs.filter { $0 != "-" }.flatMap { input in
    FileName.isFolder(input) ? ((try? FileName.names(in: input)) ?? []).map { "\(input)/\($0)" } : [input]
  }
  for input in files {
    guard let read = FileName.status(input), read.st_dev == written.st_dev, read.st_ino == written.st_ino
    else {
      continue
    }
    throw ValidationError("\(output): this is the input and would be overwritten; name another output.")
  }
}
