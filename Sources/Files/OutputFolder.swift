import Foundation
import Synchronization

/// Folders that appear whole or not at all, and are not written over what a person has.
public enum OutputFolder {
  /// Folders that were put aside, by their places.
  private static let aside = Mutex<[String: PartialOutput]>([:])

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
    try write(to: folder, replacing: replacing, keeps: false) { new, _ in try body(new) }
  }

  /// The same for long work that goes on where it was ended: what it has finished stays in an `UnfinishedFolder` beside
  /// `folder`, if it notes in its account what that is, and the next call finds it there. `body` is given nil where nothing
  /// can stay: where that folder is somebody else's or cannot be made, and on file systems that keep no others out.
  public static func writeGoingOn(
    to folder: String, replacing: Bool,
    _ body: (_ new: String, _ unfinished: UnfinishedFolder?) throws -> Void
  ) throws { try write(to: folder, replacing: replacing, keeps: true, body) }

  private static func write(
    to folder: String, replacing: Bool, keeps: Bool, _ body: (String, UnfinishedFolder?) throws -> Void
  ) throws {
    guard !folder.isEmpty else { throw FileAccessError("the output", "has no name; name a folder") }
    let place = resolved(folder)
    let empty = try makeFolder(place, folder)
    defer { empty?.forget() }
    do {
      let claim = try claim(place, folder)
      try withExtendedLifetime(claim) {
        try write(in: place, folder, replacing: replacing, keeps: keeps && claim.isLocked, body)
      }
    } catch {
      if empty != nil { rmdir(place) }
      throw error
    }
  }

  private static func write(
    in place: String, _ folder: String, replacing: Bool, keeps: Bool,
    _ body: (String, UnfinishedFolder?) throws -> Void
  ) throws {
    let held = contents(of: place), isEmpty = isEmpty(place)
    if let held, !replacing {
      throw FileAccessError(
        folder, "holds \(held); name another folder, or add --overwrite to replace all of it")
    }
    if held == nil, !isEmpty, !replacing { return try add(to: place, folder, keeps: keeps, body) }
    if !isEmpty { try checkReplaceable(folder) }
    // Nobody else is at work here, so that nobody misses these.
    for mark in FolderMark.all(.partial, of: place) where mark.isLeft { FileName.remove(mark.path) }
    let new: FolderInTheMaking
    do {
      new = try FolderInTheMaking(beside: place, folder, keeps: keeps)
    } catch {
      throw FileAccessError(folder, (error as? FileAccessError)?.reason ?? "cannot be made")
    }
    defer { new.end() }
    do {
      try body(new.path, new.unfinished)
      if isEmpty { try rename(new.path, to: place, folder) } else { try replace(place, by: new.path, folder) }
    } catch {
      throw named(error, new.path, folder)
    }
  }

  /// An error about what is written, by the name under which the person will find it.
  private static func named(_ error: any Error, _ new: String, _ folder: String) -> any Error {
    guard let failure = error as? FileAccessError, failure.path.hasPrefix(new) else { return error }
    return FileAccessError(folder + failure.path.dropFirst(new.count), failure.reason)
  }

  /// Writes beside what lies in a folder; files of the same names stay, and are named. What cannot be made beside the folder
  /// is made in it.
  private static func add(
    to place: String, _ folder: String, keeps: Bool, _ body: (String, UnfinishedFolder?) throws -> Void
  ) throws {
    guard let making = try? FolderInTheMaking(beside: place, folder, keeps: keeps) else {
      return try body(place, nil)
    }
    defer { making.end() }
    let new = making.path
    do { try body(new, making.unfinished) } catch { throw named(error, new, folder) }
    let names = try FileName.filesBelow(new)
    let taken = names.filter { FileName.exists("\(place)/\($0)") }.sorted()
    guard taken.isEmpty else {
      throw FileAccessError(
        folder,
        "holds \(taken.prefix(3).joined(separator: ", ")) already; name another folder, or move what is there"
      )
    }
    for name in names {
      try FileName.makeFolder(FileName.parent(of: "\(place)/\(name)"))
      try rename("\(new)/\(name)", to: "\(place)/\(name)", folder)
    }
  }

  private static func replace(_ place: String, by new: String, _ folder: String) throws {
    try checkStill(place, made: new, folder)
    let old = FolderMark.path(.old, of: place)
    let care = PartialOutput(comebackOf: place, from: old, begun: FolderMark.path(.partial, of: place))
    defer { care.forget() }
    guard FileName.rename(place, old) else {
      throw FileAccessError(folder, "cannot be replaced: " + systemReason)
    }
    do { try rename(new, to: place, folder) } catch {
      _ = FileName.rename(old, place)
      throw error
    }
    care.forget()
    FileName.remove(old)
  }

  private static func rename(_ new: String, to place: String, _ folder: String) throws {
    guard !FileName.rename(new, place) else { return }
    let reason = isEmpty(place) ? systemReason : "something else was written there meanwhile"
    throw FileAccessError(folder, "cannot be written: " + reason)
  }

  private static func resolved(_ folder: String) -> String {
    URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
  }

  /// Whether nothing is there, or a folder without anything in it.
  private static func isEmpty(_ place: String) -> Bool {
    FileName.exists(place) ? (try? FileName.names(in: place))?.isEmpty ?? false : true
  }

  /// The care for a folder that was not there. Throws `FileAccessError`.
  private static func makeFolder(_ place: String, _ folder: String) throws -> PartialOutput? {
    do {
      return try PartialOutput.makeFolder(place)
    } catch {
      throw FileAccessError(folder, (error as? FileAccessError)?.reason ?? "cannot be made")
    }
  }

  /// Others that end meanwhile may put another folder in its place: then that one is claimed. Throws `FileAccessError`.
  private static func claim(_ place: String, _ folder: String) throws -> FolderClaim {
    for _ in 0..<10 {
      if let claim = try FolderClaim(place, name: folder) { return claim }
      _ = try makeFolder(place, folder)
    }
    throw FileAccessError(folder, "others write here again and again; name another folder")
  }

  // MARK: - Written bit by bit

  /// Puts a folder that holds a model, shards or a run aside, for what is written bit by bit in its place: until
  /// `removeOld`, when the new is worth more, or `putBack`. A signal that ends the program puts it back, too. Throws
  /// `FileAccessError`.
  public static func putAside(_ folder: String) throws {
    let place = resolved(folder)
    guard FileName.isFolder(place), !isEmpty(place) else { return }
    try checkReplaceable(folder)
    // The lock goes with it, and tells others that this process lives.
    try FolderClaim.keep(place)
    let old = FolderMark.path(.old, of: place)
    let care = PartialOutput(
      comebackOf: place, from: old, begun: FolderMark.path(.partial, of: place))
    guard FileName.rename(place, old) else {
      let reason = systemReason
      care.forget()
      throw FileAccessError(folder, "cannot be replaced: " + reason)
    }
    aside.withLock { $0[place] = care }
  }

  /// Claims the folder in which something is written bit by bit, until the process ends. Throws `FileAccessError` where
  /// another process writes there.
  public static func begin(in folder: String) throws {
    let place = resolved(folder)
    try FolderClaim.keep(place)
    if let identity = FolderClaim.Identity(place) { aside.withLock { $0[place]?.hasBegun(identity) } }
  }

  /// Removes what `putAside` has put aside.
  public static func removeOld(_ folder: String) {
    let place = resolved(folder)
    aside.withLock {
      guard let care = $0.removeValue(forKey: place) else { return }
      care.forget()
      FileName.remove(FolderMark.path(.old, of: place))
    }
  }

  /// Gives back what `putAside` has put aside: what was begun is worth less than what was there.
  ///
  /// A signal's thread may call it beside the one that works, which fails of the same signal: only one of them moves
  /// anything, and nothing is removed before the old folder is back.
  public static func putBack(_ folder: String) {
    let place = resolved(folder)
    aside.withLock {
      guard let care = $0.removeValue(forKey: place) else { return }
      care.undo()
      care.forget()
    }
  }

  // MARK: - What a killed process left

  /// Where a process that put a folder aside was killed, the folder comes back, unless something of worth is there by now.
  /// What a person should know of it, in one line.
  public static func takeUp(_ folder: String) -> String? {
    guard !folder.isEmpty else { return nil }
    let place = resolved(folder), marks = FolderMark.all(.old, of: place)
    guard let mark = marks.last(where: \.isLeft) else {
      guard !FileName.exists(place), let mark = marks.last(where: { !$0.isOfThisHost }) else { return nil }
      return
        "\(mark.path) is what \(folder) was before a run on \(mark.host); where that has ended, move it back: mv \(mark.path) \(folder)"
    }
    let begun = FolderMark.path(.partial, of: place)
    if isEmpty(place) {
      rmdir(place)
    } else if isWorthLess(place) {
      _ = FileName.rename(place, begun)
    }
    if !FileName.exists(place), FileName.rename(mark.path, place) {
      FileName.remove(begun)
      return "\(folder) is back as it was before a run that was killed"
    }
    return
      "\(mark.path) is what \(folder) was before a run that was killed; remove it where it is not wanted"
  }

  /// Whether a folder has what a run leaves before it has saved anything, and nobody is at it.
  private static func isWorthLess(_ place: String) -> Bool {
    if case .held = FolderClaim.state(place) { return false }
    return !FileName.isTaken(place + "/checkpoint.safetensors") && contents(of: place + "/model") == nil
      && ["a run", nil].contains(contents(of: place)) && (try? checkForeign(place, place)) != nil
  }

  /// What this program writes into folders of models, shards and runs.
  static func isOurs(_ path: String) -> Bool {
    let known: Set = [
      "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
      "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.json",
      "chat_template.jinja", "tokenizer.json", "tokenizer.model", "generation.json", "reducer.safetensors",
      "decoder.safetensors", "decoder_one_step.safetensors", "generator.safetensors",
      "alignment.safetensors", "model.safetensors", "model.safetensors.index.json",
      "checkpoint.safetensors", "recipe.toml", "metrics.jsonl", "skipped.jsonl", "held_out.json", "loss.png",
      "samples.png", "prompt-use.jsonl", "base.json", "base/config.json", "latents", "latents/claims",
      "validation.json", "vugen.json", "events.out.tfevents.vugen",
    ]
    // A run has the models that came of it below, and a pulled model notes of the hub's client.
    if path.hasPrefix(".cache/huggingface/") { return true }
    let below = path.prefixMatch(of: /(model|best|best\.[^\/]*\.(partial|old))\//)
    let name = String(path[(below?.range.upperBound ?? path.startIndex)...])
    return known.contains(name) || name.wholeMatch(of: /latents\/\d+\.(index|latents)/) != nil
      || name.wholeMatch(of: /model-\d+-of-\d+\.safetensors|samples-\d+\.png|latents-[^\/]*\.safetensors/)
        != nil
      || name.wholeMatch(of: /(train|validation|held-out)-\d+\.tar|\.vugen-[^\/]*\.partial/) != nil
  }

  /// Nothing of a person goes with what is replaced. Throws `FileAccessError` naming what is theirs.
  private static func checkForeign(_ place: String, _ folder: String) throws {
    let foreign = try FileName.filesBelow(place).filter { !isOurs($0) }
    guard !foreign.isEmpty else { return }
    let names = foreign.prefix(3).joined(separator: ", ") + (foreign.count > 3 ? ", …" : "")
    throw FileAccessError(
      folder,
      foreign.count == 1
        ? "1 file was not written by this program (\(names)) and would be lost; move it, or name another folder"
        : "\(foreign.count) files were not written by this program (\(names)) and would be lost; move them, or name another folder"
    )
  }

  private static var systemReason: String { FileName.systemReason }

  /// Where a person has put files into the folder meanwhile, it stays, and so does what was made. Throws `FileAccessError`.
  private static func checkStill(_ place: String, made new: String, _ folder: String) throws {
    do { try checkForeign(place, folder) } catch let error as FileAccessError {
      let kept = FolderMark.path(.new, of: place)
      guard FileName.rename(new, kept) else { throw error }
      throw FileAccessError(folder, "\(error.reason); what was made is in \(kept)")
    }
  }

  /// Nobody means their home, where they stand, a repository, or files of their own.
  private static func checkReplaceable(_ folder: String) throws {
    let place = resolved(folder)
    let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath).resolvingSymlinksInPath().path
    let holdsHere = here == place || here.hasPrefix(place.hasSuffix("/") ? place : place + "/")
    guard !holdsHere, place != resolved(Paths.home()), !FileName.exists(place + "/.git")
    else {
      throw FileAccessError(folder, "will not be replaced as a whole; name a folder of its own")
    }
    try checkForeign(place, folder)
  }
}
