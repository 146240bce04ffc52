import Foundation
import Synchronization

/// Folders that appear whole or not at all, and are not written over what a person has.
public enum OutputFolder {
  private static let restoring = Mutex(())

  /// What a folder holds that took somebody's time: a model, shards or a run. nil where there is nothing of it.
  public static func contents(of folder: String) -> String? {
    let names = (try? FileName.names(in: folder)) ?? []
    if names.contains("checkpoint.safetensors") || names.contains("recipe.toml") { return "a run" }
    let models = [".safetensors", ".safetensors.index.json", ".gguf"]
    if names.contains("config.json")
      || names.contains(where: { name in models.contains(where: name.hasSuffix) })
    {
      return "a model"
    }
    return names.contains { $0.hasSuffix(".tar") } ? "shards" : nil
  }

  /// Calls `body` with a folder to write into, which then takes the place of `folder`.
  ///
  /// A folder that holds a model, shards or a run is refused, unless `replacing`: then all of it goes when the new one
  /// is whole, so that nothing old lies among the new; but one that holds files of others, too, is refused. In any other
  /// folder what is there stays. Throws `FileAccessError`, or what `body` throws; nothing is changed then.
  public static func write(to folder: String, replacing: Bool, _ body: (String) throws -> Void) throws {
    guard !folder.isEmpty else { throw FileAccessError("the output", "has no name; name a folder") }
    let held = contents(of: folder)
    if let held, !replacing {
      throw FileAccessError(
        folder, "holds \(held); name another folder, or add --overwrite to replace all of it")
    }
    if held != nil { try checkReplaceable(folder) }
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    let exists = FileName.exists(place)
    guard !exists || FileName.isFolder(place) else {
      throw FileAccessError(folder, "this is a file and no folder; name another")
    }
    if exists, held == nil, (try? FileName.names(in: place))?.isEmpty == false {
      return try body(place)
    }
    for left in leftovers(of: place, "partial") { FileName.remove(left) }
    let new = "\(place).\(getpid()).partial", old = oldName(of: place)
    let partial = PartialOutput(new)
    defer { partial.forget() }
    do {
      try FileName.makeFolder(new)
    } catch {
      throw FileAccessError(folder, (error as? FileAccessError)?.reason ?? "cannot be made")
    }
    do {
      try body(new)
      if held != nil { try checkStill(place, made: new) }
      if exists, !FileName.rename(place, old) {
        throw FileAccessError(folder, "cannot be replaced: " + systemReason)
      }
      if !FileName.rename(new, place) {
        let reason = FileName.exists(place) ? "something else was written there meanwhile" : systemReason
        if exists { _ = FileName.rename(old, place) }
        throw FileAccessError(folder, "cannot be written: " + reason)
      }
    } catch {
      FileName.remove(new)
      throw error
    }
    if exists { FileName.remove(old) }
  }

  /// Puts a folder that holds a model, shards or a run aside, for what is written bit by bit in its place: until
  /// `removeOld`, when the new is worth more, or `putBack`. Throws `FileAccessError`.
  public static func putAside(_ folder: String) throws {
    guard contents(of: folder) != nil else { return }
    try checkReplaceable(folder)
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    guard FileName.rename(place, oldName(of: place)) else {
      throw FileAccessError(folder, "cannot be replaced: " + systemReason)
    }
  }

  /// Removes what `putAside` has put aside.
  public static func removeOld(_ folder: String) {
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    restoring.withLock { _ in FileName.remove(oldName(of: place)) }
  }

  /// Where a process that put a folder aside was killed, the folder comes back, unless something else is there by now.
  /// What a person should know of it, in one line.
  public static func takeUp(_ folder: String) -> String? {
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    guard let old = leftovers(of: place, "old").last else { return nil }
    if (try? FileName.names(in: place))?.isEmpty == true { rmdir(place) }
    if !FileName.exists(place), FileName.rename(old, place) {
      return "\(folder) is back as it was before a run that was killed"
    }
    return "\(old) holds what a run that was killed was to replace"
  }

  /// What processes that are no more have left beside a folder.
  private static func leftovers(of place: String, _ kind: String) -> [String] {
    let parent = FileName.parent(of: place), start = FileName.last(of: place) + "."
    return ((try? FileName.names(in: parent)) ?? []).filter { name in
      guard name.hasPrefix(start), name.hasSuffix(".\(kind)") else { return false }
      guard let id = pid_t(name.dropFirst(start.count).dropLast(kind.count + 1)) else { return false }
      return id > 0 && kill(id, 0) != 0 && errno == ESRCH
    }.map { "\(parent)/\($0)" }
  }

  private static func oldName(of place: String) -> String { "\(place).\(getpid()).old" }

  /// Gives back what `putAside` has put aside: what was begun is worth less than what was there.
  ///
  /// A signal's thread may call it beside the one that works, which fails of the same signal: only one of them moves
  /// anything, and nothing is removed before the old folder is back.
  public static func putBack(_ folder: String) {
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    let old = oldName(of: place), begun = "\(place).\(getpid()).partial"
    restoring.withLock { _ in
      guard FileName.exists(old) else { return }
      if FileName.exists(place), !FileName.rename(place, begun) { return }
      if FileName.rename(old, place) { FileName.remove(begun) }
    }
  }

  /// What this program writes into folders of models, shards and runs.
  private static func isOurs(_ path: String) -> Bool {
    let known: Set = [
      "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
      "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.json",
      "chat_template.jinja", "tokenizer.json", "tokenizer.model", "generation.json", "reducer.safetensors",
      "decoder.safetensors", "decoder_one_step.safetensors", "generator.safetensors",
      "alignment.safetensors", "model.safetensors", "model.safetensors.index.json",
      "checkpoint.safetensors", "recipe.toml", "metrics.jsonl", "skipped.jsonl", "held_out.json", "loss.png",
      "samples.png",
    ]
    // A run has the model that came of it below, and a pulled model notes of the hub's client.
    if path.hasPrefix(".cache/huggingface/") { return true }
    let name = path.hasPrefix("model/") ? String(path.dropFirst(6)) : path
    return known.contains(name)
      || name.wholeMatch(of: /model-\d+-of-\d+\.safetensors|samples-\d+\.png|latents-[^\/]*\.safetensors/)
        != nil
      || name.wholeMatch(of: /(train|validation|held-out)-\d+\.tar|\.vugen-[^\/]*\.partial/) != nil
  }

  /// Nothing of a person goes with what is replaced. Throws `FileAccessError` naming what is theirs.
  private static func checkForeign(_ folder: String) throws {
    let foreign = try FileName.filesBelow(folder).filter { !isOurs($0) }
    guard !foreign.isEmpty else { return }
    let names = foreign.prefix(3).joined(separator: ", ") + (foreign.count > 3 ? ", …" : "")
    throw FileAccessError(
      folder,
      "\(foreign.count == 1 ? "1 file was" : "\(foreign.count) files were") not written by this program (\(names)) and would be lost; move them, or name another folder"
    )
  }

  private static var systemReason: String { FileName.systemReason }

  /// Where a person has put files into the folder meanwhile, it stays, and so does what was made. Throws `FileAccessError`.
  private static func checkStill(_ place: String, made new: String) throws {
    do { try checkForeign(place) } catch let error as FileAccessError {
      let kept = "\(place).\(getpid()).new"
      guard FileName.rename(new, kept) else { throw error }
      throw FileAccessError(place, "\(error.reason); what was made is in \(kept)")
    }
  }

  /// Nobody means their home, where they stand, a repository, or files of their own.
  private static func checkReplaceable(_ folder: String) throws {
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath).resolvingSymlinksInPath().path
    let holdsHere = here == place || here.hasPrefix(place.hasSuffix("/") ? place : place + "/")
    guard !holdsHere, place != NSHomeDirectory(), !FileName.exists(place + "/.git")
    else {
      throw FileAccessError(folder, "will not be replaced as a whole; name a folder of its own")
    }
    try checkForeign(place)
  }
}
