import Foundation

/// Fetches one file after the other until none is left, or one fails.
struct HubWorker: Sendable {
  let name: HubName, settings: HubSettings, local: HubLocalFolder?, cache: HubCache, commit: String
  let progress: HubProgress, isStopped: @Sendable () -> Bool

  func run() {
    defer { progress.end() }
    do {
      // One that failed ends the others, too.
      let client = try HubClient(name, settings) { isStopped() || progress.hasFailed }
      while let file = progress.next() { try fetch(file, client) }
    } catch {
      progress.fail(error)
    }
  }

  private func fetch(_ file: HubFile, _ client: HubClient) throws {
    let place = local?.place(file) ?? cache.place(file, of: name)
    var isWaiting = false
    let lock = try FileLock(place.lock) {
      try client.check()
      if !isWaiting { progress.add(.note("waiting for another download of \(file.path)")) }
      isWaiting = true
    }
    let isNew = try withExtendedLifetime(lock) { try fetchLocked(file, place, client) }
    progress.finish(file, isNew: isNew)
  }

  /// Returns whether the file was fetched.
  private func fetchLocked(_ file: HubFile, _ place: HubPlace, _ client: HubClient) throws -> Bool {
    var isNew = false
    if try !isThere(file, client) {
      try copyFromCache(file, place)
      try HubDownload(client: client, file: file, place: place, commit: commit) {
        progress.advance(file, by: $0)
      }.run()
      isNew = true
    }
    if let local {
      try local.note(file, commit)
    } else {
      try cache.link(file, of: name, commit, byLink: settings.usesLinks, isNew: isNew)
    }
    return isNew
  }

  private func isThere(_ file: HubFile, _ client: HubClient) throws -> Bool {
    if let local { return try local.holds(file) { try client.check() } }
    return HubCache.holds(cache.place(file, of: name).whole, file)
      || HubCache.holds("\(cache.snapshot(name, commit))/\(file.path)", file)
  }

  /// What the cache has is not fetched into a folder again; it is checked like the rest.
  private func copyFromCache(_ file: HubFile, _ place: HubPlace) throws {
    guard local != nil, access(place.partial, F_OK) != 0 else { return }
    let blob = cache.place(file, of: name).whole
    if HubCache.holds(blob, file) { try HubCache.copy(blob, to: place.partial) }
  }
}
