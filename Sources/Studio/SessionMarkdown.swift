import Files
import Foundation
import SessionLog

extension SessionExport {
  /// Pictures that belong to a Markdown that is not written yet: what was made of them goes where that fails, or a signal
  /// ends the program.
  private final class Pictures {
    let folder: String
    /// The folder, where it was made, and files in it.
    private var made: [(path: String, care: PartialOutput)] = []
    private var isBegun = false

    init(_ folder: String) { self.folder = folder }

    /// What is there already is that picture, or another's file, which is not written over: a link leads to a model or
    /// another session, perhaps. Throws `FileAccessError`.
    func write(_ data: Data, hash: String) throws {
      if !isBegun, let care = try PartialOutput.makeFolder(folder) { made.append((folder, care)) }
      isBegun = true
      let path = "\(folder)/\(hash).png"
      if let care = PartialOutput.makePart(path) {
        made.append((path, care))
        return try AtomicFile.write(data, to: path)
      }
      if !FileName.isTaken(path) { return try AtomicFile.write(data, to: path) }
      if !FileName.isLink(path), (try? FileName.contents(ofPlain: path)) == data { return }
      throw FileAccessError(
        path, "is there and not this session's picture; move it away, or name another output")
    }

    /// From here on a signal leaves them.
    func keep() { made.forEach { $0.care.forget() } }

    func undo() {
      for (path, care) in made.reversed() {
        // A folder that holds something else stays.
        FileName.withPath(path) { _ = Foundation.remove($0) }
        care.forget()
      }
    }
  }

  /// Writes the session as Markdown, its pictures in a folder beside it. Throws `FileAccessError`; nothing is left then.
  func writeMarkdown(to path: String) throws {
    let folder = Self.pictureFolder(beside: path)
    if FileName.isLink(folder) {
      throw FileAccessError(
        folder, "this is a link, and pictures would go where it leads; name another output")
    }
    let pictures = Pictures(folder)
    do {
      let text = Data(try markdown(pictures).utf8)
      try AtomicFile.write(to: path) { write in
        try text.withUnsafeBytes { try write($0) }
        // It gets its name in a moment: never without its pictures.
        pictures.keep()
      }
    } catch {
      pictures.undo()
      throw error
    }
  }

  private func markdown(_ pictures: Pictures) throws -> String {
    var text = "# \(Self.markdown(title.inOneLine))\n\n*\(Self.markdown(origin.inOneLine))*\n"
    let name = FileName.last(of: pictures.folder)
    for entry in read {
      if let line = line(entry.event) {
        text += "\n\(line.isPerson ? "**You:** " : "")\(Self.markdown(line.text.terminalSafe))\n"
      }
      for picture in entry.event.pictures {
        guard let hash = picture.stored, let data = self.picture(hash) else { continue }
        try pictures.write(data, hash: hash)
        let called = names[picture].map { Self.markdown($0.oneLine) }
        let prompt = prompts[picture].map { Self.markdown($0.inOneLine) }
        let alternative = called ?? prompt ?? String(hash.prefix(8))
        text += "\n![\(alternative)](\(Self.address(name))/\(hash).png)\n"
        if let called { text += "\n*\(called)*\n" }
      }
    }
    return text
  }

  /// A name as a link in Markdown leads to it: all but plain characters as their bytes.
  private static func address(_ name: String) -> String {
    FileName.bytes(name).map { byte in
      let scalar = UnicodeScalar(byte)
      let isPlain =
        scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.~".unicodeScalars.contains(scalar))
      return isPlain ? String(scalar) : String(format: "%%%02X", byte)
    }.joined()
  }

  /// A text that looks in Markdown as it was said.
  static func markdown(_ text: String) -> String {
    var result = ""
    for c in text {
      if #"\`*_{}[]<>#|!&~$"#.contains(c) { result.append("\\") }
      result.append(c)
    }
    // What would begin a list or a rule.
    return result.replacing(#/(?m)^(\s*)([-+=]|\d+[.)])/#) { "\($0.1)\\\($0.2)" }
  }
}
