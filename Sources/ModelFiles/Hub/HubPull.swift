import Foundation

/// What a pull tells while it goes on.
public enum HubEvent: Sendable, Equatable {
  /// How many bytes of how many are there, in how many whole files.
  case progress(bytes: Int, of: Int, files: Int, ofFiles: Int)
  /// A file is whole and in its place.
  case finished(path: String, bytes: Int)
  /// Something that a person should know; nothing to do.
  case note(String)
}

/// What a pull left.
public struct HubPulled: Sendable, Equatable {
  /// The model's folder in the cache, complete.
  public var folder: String
  /// Which state it is: 40 hexadecimal digits.
  public var commit: String
  /// Of all files, and of what had to be fetched.
  public var bytes = 0, fetched = 0
  /// How many files the model has.
  public var files = 0
}

/// Fetches the files of a model that the program reads, into the hub's cache or a folder of its own.
///
/// What an interrupted run left is gone on with. Several files come at once; each is checked by its checksum before it has
/// its name. Two pulls of one model, ours or the hub's own client's, wait for each other at each file.
public final class HubPull {
  private let name: HubName, settings: HubSettings, local: HubLocalFolder?, cache: HubCache
  private let isStopped: @Sendable () -> Bool
  private var onEvent: (HubEvent) -> Void = { _ in }
  /// Called when `config.json` is there and the weights are not yet; what it returns is told as a note.
  public var inspect: ((_ configuration: String) -> String?)?

  static let mostAtOnce = 4
  /// What is left free on a disk.
  private static let spareBytes = 16 << 20
  private static let mostReadBytes = 256 << 20

  /// - Parameters:
  ///   - folder: where the files go; nil for the cache.
  ///   - isStopped: asked often, from several threads; true ends the pull, which can be gone on with.
  public init(
    _ name: HubName, _ settings: HubSettings, folder: String? = nil,
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) {
    (self.name, self.settings, cache, self.isStopped) = (name, settings, HubCache(settings.cache), isStopped)
    local = folder.map(HubLocalFolder.init)
  }

  /// Throws `HubError` or `ModelFileError`. `onEvent` is called on this thread.
  public func run(onEvent: @escaping (HubEvent) -> Void = { _ in }) throws -> HubPulled {
    self.onEvent = onEvent
    if let known = try withoutNetwork() { return known }
    let client = try HubClient(name, settings, isStopped: isStopped), listing: HubListing
    do {
      listing = try client.listing()
    } catch let error as HubError where [.network, .server].contains(error.kind) {
      guard let known = cached() else { throw error }
      onEvent(.note("\(error); what is in the cache is used, commit \(known.commit.prefix(12))"))
      return known
    }
    if listing.disabled == true {
      throw HubError(.disabled, "\(name.repository) is disabled on the hub; choose another model")
    }
    return try fetch(listing, client)
  }

  // MARK: Without the network

  /// The snapshot of a commit that is whole, or of any revision where the person is offline.
  private func withoutNetwork() throws -> HubPulled? {
    if settings.isOffline {
      guard let known = cached() else {
        let what = cache.located(name) == nil ? "is not in the cache" : "is not whole in the cache"
        throw HubError(
          .offline,
          "\(name) \(what), and \(settings.offlineVariable) forbids to fetch it; unset that, and try again")
      }
      return known
    }
    return HubName.isCommit(name.branch) ? cached() : nil
  }

  private func cached() -> HubPulled? {
    guard local == nil, let commit = cache.commit(of: name) else { return nil }
    let folder = cache.snapshot(name, commit)
    guard HubCache.isWhole(folder) else { return nil }
    return HubPulled(folder: folder, commit: commit)
  }

  // MARK: Fetching

  private func fetch(_ listing: HubListing, _ client: HubClient) throws -> HubPulled {
    let contents = HubContents(listing, client), commit = listing.sha
    guard !HubName.isCommit(name.branch) || commit == name.branch else {
      throw HubError(.strange, "the hub answers with another commit than \(name.branch); nothing is fetched")
    }
    var files = try HubSelection.files(contents.names, of: name).map(contents.file)
    try checkReading(files)
    try local?.checkReplaceable(files) { try client.check() }
    try prepare(commit)
    try checkRoom(files, commit)
    let progress = HubProgress()
    // These say what else there is, and whether the rest is worth its time.
    let first = files.filter { ["config.json", ModelFolder.index].contains($0.path) }
    files.removeAll { first.contains($0) }
    try work(first, commit, progress)
    if let note = inspect?(folder(commit) + "/config.json") { onEvent(.note(note)) }
    if first.contains(where: { $0.path == ModelFolder.index }) {
      let index = folder(commit) + "/" + ModelFolder.index
      let shards = try HubSelection.shards(index: index, names: contents.names, of: name).map(contents.file)
      try local?.checkReplaceable(shards) { try client.check() }
      files += shards
      try checkRoom(files, commit)
    }
    // The largest first, so that none is left alone at the end.
    try work(files.sorted { $0.size > $1.size }, commit, progress)
    if local == nil { try cache.note(commit, of: name) }
    let all = first + files
    return HubPulled(
      folder: folder(commit), commit: commit, bytes: all.reduce(0) { $0 + $1.size },
      fetched: progress.fetched,
      files: all.count)
  }

  private func folder(_ commit: String) -> String { local?.folder ?? cache.snapshot(name, commit) }

  private func prepare(_ commit: String) throws {
    if let local { return try local.prepare() }
    for folder in ["\(cache.root(name))/blobs", cache.snapshot(name, commit), cache.locks(name)] {
      try HubCache.makeFolder(folder)
    }
  }

  private func place(_ file: HubFile) -> HubPlace { local?.place(file) ?? cache.place(file, of: name) }

  /// Throws for a file that is read whole and that no memory should hold.
  private func checkReading(_ files: [HubFile]) throws {
    for file in files where !file.path.hasSuffix(".safetensors") && file.size > Self.mostReadBytes {
      throw HubError(
        .strange,
        "\(file.path) of \(name) is \(Self.megabytes(file.size)) MB long, which no such file is; nothing is fetched"
      )
    }
  }

  /// Throws where what is still to come does not fit on the disk.
  private func checkRoom(_ files: [HubFile], _ commit: String) throws {
    let missing = files.filter { file in
      !HubCache.holds(place(file).whole, file)
        && (local != nil || !HubCache.holds("\(folder(commit))/\(file.path)", file))
    }
    let needed = missing.reduce(0) { sum, file in
      var status = stat()
      let begun = stat(place(file).partial, &status) == 0 ? Int(status.st_size) : 0
      return sum + max(0, file.size - begun)
    }
    let target = local?.folder ?? cache.folder
    var disk = statvfs()
    guard needed > 0, statvfs(target, &disk) == 0 else { return }
    let (free, overflows) = Int(clamping: disk.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: disk.f_frsize))
    guard !overflows, needed + Self.spareBytes > free else { return }
    throw HubError(
      .room,
      "\(name.repository) needs \(Self.megabytes(needed)) MB more, and \(Self.megabytes(free)) MB are free for \(target); "
        + "make room, or name another folder in HF_HUB_CACHE or with --local-dir")
  }

  private static func megabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1e6) }

  // MARK: Several at once

  /// Fetches files, some at once, and tells meanwhile how far they are.
  private func work(_ files: [HubFile], _ commit: String, _ progress: HubProgress) throws {
    progress.expect(files)
    // Threads of their own: they wait most of the time.
    let worker = HubWorker(
      name: name, settings: settings, local: local, cache: cache, commit: commit, progress: progress,
      isStopped: isStopped)
    let count = min(Self.mostAtOnce, files.count)
    for _ in 0..<count { Thread { worker.run() }.start() }
    while progress.wait(for: count) { tell(progress) }
    tell(progress)
    if let error = progress.error { throw error }
  }

  private func tell(_ progress: HubProgress) {
    for event in progress.takeEvents() { onEvent(event) }
    onEvent(progress.event)
  }
}
