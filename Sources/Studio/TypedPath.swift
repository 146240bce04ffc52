import Files
import Foundation
import Pictures
import SessionLog
import StudioUI
import VUGEN

/// Paths as people type, drop and paste them.
enum TypedPath {
  /// The file that is meant: as it stands, then without quotes, backslashes and `file://`.
  static func resolve(_ typed: String) -> String {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines)
    if FileManager.default.fileExists(atPath: expanded(text)) { return expanded(text) }
    let words = PastedPaths.words(of: text) ?? []
    let plain = words.count == 1 ? words[0] : words.isEmpty ? text : words.joined(separator: " ")
    if plain.hasPrefix("file://") { return URL(string: plain)?.path ?? String(plain.dropFirst(7)) }
    return expanded(plain)
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

  /// What a half-typed path may become: as far as all that fits agrees, and the names that fit.
  static func completion(of typed: String) -> (path: String, names: [String]) {
    let cut = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    let folder = String(typed[..<cut]), begun = typed[cut...]
    let base = folder.isEmpty ? FileManager.default.currentDirectoryPath : expanded(folder)
    let fitting = choices(in: base.count > 1 && base.hasSuffix("/") ? String(base.dropLast()) : base)
      .dropFirst()
      .map(\.title).filter { $0.hasPrefix(begun) }
    guard var common = fitting.first else { return (typed, []) }
    for name in fitting { while !name.hasPrefix(common) { common.removeLast() } }
    return (folder + common, Array(fitting))
  }

  /// What a list of files shows: folders, then pictures.
  static func choices(in folder: String) -> [Choice] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    var folders = [
      Choice(
        title: "../", detail: "parent folder", value: FileName.parent(of: folder) + "/")
    ]
    var pictures: [Choice] = []
    for name in names where !name.hasPrefix(".") {
      var isFolder: ObjCBool = false
      let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        folders.append(Choice(title: name + "/", detail: "folder", value: path + "/"))
      } else if PictureFormat.extensions.contains((name as NSString).pathExtension.lowercased()) {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        pictures.append(Choice(title: name, detail: "\(max(1, size / 1024)) kB", value: path))
      }
    }
    return folders + pictures
  }
}

/// Earlier prompts, in the state folder.
enum PromptHistory {
  private static var path: String { Paths.state() + "/history" }

  static func read() -> [String] {
    let text = String(decoding: (try? FileName.contents(ofPlain: path)) ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").suffix(1000).map { String($0).replacing("\u{1F}", with: "\n") }
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
