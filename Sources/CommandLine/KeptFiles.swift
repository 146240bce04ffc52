import ArgumentParser
import Files
import Foundation
import SessionLog

/// Files that are parts of something larger, which would be lost with one of them: a model's or a run's, and a session's
/// log and pictures. No command writes its output over these, by whatever name or link it is led there.
enum KeptFiles {
  /// Throws `FileAccessError` where a file to write is one of those.
  static func check(_ path: String) throws {
    guard path != "-", !AtomicFile.isSpecial(path), let status = FileName.status(path),
      status.st_mode & S_IFMT == S_IFREG
    else { return }
    let place = real(path)
    guard let whole = session(of: place) ?? model(of: place) else { return }
    let said = isSame(path, place) ? "this belongs" : "this leads to \(place), which belongs"
    throw FileAccessError(path, "\(said) to \(whole) and would be overwritten; name another output")
  }

  /// A path without links.
  private static func real(_ path: String) -> String {
    let found = FileName.withPath(path) { realpath($0, nil) }
    guard let found else { return path }
    defer { free(found) }
    return FileName.text((0..<strlen(found)).map { UInt8(bitPattern: found[$0]) })
  }

  private static func isSame(_ path: String, _ place: String) -> Bool {
    (try? AtomicFile.followed(path)) == path && FileName.last(of: path) == FileName.last(of: place)
  }

  /// The session that a file is recorded in: one of the person's own, or one that lies elsewhere, as an example does.
  private static func session(of place: String) -> String? {
    let own = real(SessionStore.standard().folder), folder = FileName.parent(of: place)
    if place.hasPrefix(own + "/") {
      let inside = place.dropFirst(own.count + 1).split(separator: "/")
      return inside.count > 1 ? "the session \(inside[0])" : "the list of sessions"
    }
    let name = FileName.last(of: place), above = FileName.parent(of: folder)
    if name == "log.jsonl", FileName.isFolder(folder + "/pictures") {
      return "the session \(FileName.last(of: folder))"
    }
    if FileName.last(of: folder) == "pictures", FileName.exists(above + "/log.jsonl") {
      return "the session \(FileName.last(of: above))"
    }
    return nil
  }

  /// The model or run in whose folder a file lies that these read.
  private static func model(of place: String) -> String? {
    let folder = FileName.parent(of: place), name = FileName.last(of: place)
    let names = (try? FileName.names(in: folder)) ?? []
    let ending = (name as NSString).pathExtension.lowercased()
    if names.contains("checkpoint.safetensors"), runFiles.contains(name) { return "the run in \(folder)" }
    guard names.contains("config.json"), names.contains(where: { $0.hasSuffix(".safetensors") }),
      modelEndings.contains(ending) || modelTexts.contains(name)
    else { return nil }
    return "the model in \(folder)"
  }

  private static let runFiles: Set<String> = [
    "checkpoint.safetensors", "recipe.toml", "metrics.jsonl", "base.json", "skipped.jsonl",
    "prompt-use.jsonl", "events.out.tfevents.vugen",
  ]
  private static let modelEndings: Set<String> = ["safetensors", "json", "model", "jinja", "bin", "gguf"]
  private static let modelTexts: Set<String> = ["merges.txt", "vocab.txt", "things.txt"]
}

/// Throws `ValidationError` where the file that a link leads to has a name that would be refused by itself.
func checkLinkEnd(of path: String, _ objection: (_ end: String) -> String?) throws {
  // One that leads round in a circle is refused where it is written.
  guard let end = try? AtomicFile.followed(path), end != path, !FileName.isFolder(end),
    let reason = objection(end)
  else { return }
  throw ValidationError("\(path): this link leads to \(end): \(reason).")
}
