import Files
import Foundation
import Pictures
import SessionLog
import StudioUI
import VUGEN

/// Paths as people type, drop and paste them.
enum TypedPath {
  /// The file that is meant: as it stands, then without quotes, backslashes and `file://`, each with `\xE9` as a byte
  /// where there is no file that is called so.
  static func resolve(_ typed: String) -> String {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    let words = PastedPaths.words(of: text) ?? []
    let plain = words.count == 1 ? words[0] : words.isEmpty ? text : words.joined(separator: " ")
    let meant = named(plain.hasPrefix("file://") ? local(plain) : withoutDoubledSlashes(plain))
    // Of the two ends that lines have, a terminal gives one for both.
    let returned = [text, plain].filter { $0.contains("\n") }.map { $0.replacing("\n", with: "\r") }
    let found = ([typed, text] + returned).map(named).first(where: FileName.exists)
    return found.map(withoutDoubledSlashes) ?? meant
  }

  /// A path without `~`, and with `\xE9` as a byte where only such a file is there.
  static func named(_ path: String) -> String {
    let path = expanded(path)
    guard path.contains("\\x"), !FileName.exists(path) else { return path }
    let other = FileName.named(path)
    return FileName.exists(other) ? other : path
  }

  /// Two slashes mean one, but in an address, which is no path.
  private static func withoutDoubledSlashes(_ path: String) -> String {
    path.contains("://") ? path : path.replacing(#/\/\/+/#) { _ in "/" }
  }

  /// A file's path in a folder, however that ends.
  static func path(of name: String, in folder: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// The path in a `file://` address, whose name need not be UTF-8.
  private static func local(_ address: String) -> String {
    let bytes = Array(address.dropFirst("file://".count).drop { $0 != "/" }.utf8)
    var path: [UInt8] = [], at = 0
    while at < bytes.count {
      let digits = bytes[at...].dropFirst().prefix(2)
      if bytes[at] == UInt8(ascii: "%"), digits.count == 2,
        digits.allSatisfy({ Character(.init($0)).isHexDigit }),
        let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), byte > 0
      {
        path.append(byte)
        at += 3
      } else {
        path.append(bytes[at])
        at += 1
      }
    }
    return FileName.text(path)
  }

  /// Why nothing is written where a person says; nil where it can be.
  static func objection(toWriting path: String) -> String? {
    let name = FileName.escaped(path)
    if FileName.isFolder(path) || path.hasSuffix("/") { return "\(name): this is a folder; name a file" }
    let endings = PictureFormat.extensions.union(SessionExport.formats)
    if let bare = FileName.bareEnding(of: path, among: endings) {
      return "'.\(bare)' has an ending but no name; name a file, such as name.\(bare)"
    }
    if AtomicFile.isSpecial(path) { return "\(name): this is no file, and would keep nothing; name one" }
    guard let status = FileName.status(path), status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
      return nil
    }
    return "\(name) already exists; name another file"
  }

  /// A model's folder as it is named.
  static func modelFolder(_ typed: String) -> String { EmbeddedModel.folder(for: resolve(typed)) }

  /// A folder without the slash at its end; the working directory for nothing.
  static func folder(_ typed: String) -> String {
    var path = typed.isEmpty ? FileManager.default.currentDirectoryPath : typed
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// A path without `~`.
  static func expanded(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return path }
    return Paths.home() + path.dropFirst()
  }

  /// What a half-typed path may become: as far as all that fits agrees, and the names that fit, as they are written.
  static func completion(of typed: String) -> (path: String, names: [String]) {
    let cut = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    let folder = String(typed[..<cut]), begun = String(typed[cut...])
    let base = self.folder(named(folder))
    let names = entries(of: base).map { $0.isFolder ? $0.name + "/" : $0.name }
    // As it stands, else with bytes that no UTF-8 has.
    let plain = names.filter { $0.hasPrefix(begun) }
    let fitting = plain.isEmpty ? names.filter { $0.hasPrefix(FileName.named(begun)) } : plain
    guard var common = fitting.first else { return (typed, []) }
    for name in fitting { while !name.hasPrefix(common) { common.removeLast() } }
    return (folder + FileName.escaped(common), fitting.map(FileName.escaped))
  }

  /// Folders, then pictures, that are there to be seen: plain files that hold something, or links to such.
  private static func entries(of folder: String) -> [(name: String, path: String, isFolder: Bool)] {
    let shown = ((try? FileName.names(in: folder)) ?? []).filter { !$0.hasPrefix(".") }
    let all = shown.map { name in
      let path = path(of: name, in: folder)
      return (name: name, path: path, isFolder: FileName.isFolder(path))
    }
    func isPicture(_ name: String) -> Bool {
      PictureFormat.extensions.contains((name as NSString).pathExtension.lowercased())
    }
    return all.filter(\.isFolder)
      + all.filter { !$0.isFolder && isPicture($0.name) && canBeOpened($0.path) }
  }

  private static func canBeOpened(_ path: String) -> Bool {
    FileName.status(path).map { $0.st_mode & S_IFMT == S_IFREG && $0.st_size > 0 } ?? false
  }

  /// Whether a folder holds a picture that can be chosen.
  static func hasPictures(_ folder: String) -> Bool { entries(of: folder).contains { !$0.isFolder } }

  /// What a list of files shows: folders, then pictures.
  static func choices(in folder: String) -> [Choice] {
    let upper = Choice(title: "../", detail: "parent folder", value: FileName.parent(of: folder) + "/")
    return [upper]
      + entries(of: folder).map { name, path, isFolder in
        let title = FileName.escaped(name)
        if isFolder { return Choice(title: title + "/", detail: "folder", value: path + "/") }
        let size = FileName.status(path).map { Int($0.st_size) } ?? 0
        return Choice(title: title, detail: "\(max(1, size / 1024)) kB", value: path)
      }
  }
}

/// Earlier prompts, in the state folder.
enum PromptHistory {
  private static var path: String { Paths.state() + "/history" }

  static func read() -> [String] {
    let lines = ((try? FileName.contents(ofPlain: path)) ?? Data()).split(separator: 10).suffix(1000)
    // Nobody has written a longer one here.
    return lines.filter { $0.count <= 4 * PromptEditor.longest }.map { line in
      String(decoding: line.map { $0 == 0x1F ? 10 : $0 }, as: UTF8.self)
    }
  }

  /// A history that cannot be written must not disturb the work.
  static func append(_ text: String) {
    try? FileManager.default.createDirectory(atPath: Paths.state(), withIntermediateDirectories: true)
    let descriptor = Glibc.open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else { return }
    let line = Array((text.replacing("\n", with: "\u{1F}") + "\n").utf8)
    _ = write(descriptor, line, line.count)
    close(descriptor)
  }
}
