import Files
import Foundation

/// A session that is being written: appended, flushed at each entry, locked against a second writer.
///
/// That a session was opened is written with the first thing that is done in it: one in which nothing is done is not
/// touched, and a new one leaves nothing, whatever was turned in it.
public final class SessionFile {
  /// The folder's name.
  public let id: String
  /// Where its files lie.
  public let folder: String
  /// Entries that could not be written yet, such as on a full disk; they are tried again with the next one.
  public private(set) var waiting: [Data] = []
  /// The same of pictures, by their hash.
  public private(set) var waitingPictures: [String: Data] = [:]
  private var descriptor: Int32 = -1
  private var lock: Int32 = -1
  /// By which model the session was opened, until something is done.
  private var opening: Data?
  /// What was turned in a session of which nothing is on the disk, until something is done.
  private var turned: Data?
  /// What the log does not say yet of requests that its last writer left, until something is done.
  private var owed: [Data] = []
  /// Why the last thing could not be written.
  public private(set) var obstacle = ""

  /// Begins a session, or takes up one. Throws `SessionError` where another studio writes it.
  public convenience init(_ store: SessionStore, id: String) throws {
    self.init(new: id, in: store)
    try begin()
  }

  /// Takes up a session that is there. Throws `SessionError` where it is not, such as where another program has deleted it
  /// this moment, or where another studio writes it.
  public convenience init(existing id: String, in store: SessionStore) throws {
    self.init(new: id, in: store)
    guard FileName.isFolder(folder) else {
      throw SessionError(
        "\(id): there is no such session any more; vugen sessions list shows those that are there")
    }
    try lockAndOpen()
  }

  /// A session of which nothing is on the disk until something is done in it.
  public init(new id: String, in store: SessionStore) {
    self.id = id
    folder = store.folder(of: id)
  }

  /// How often its log was removed or moved by somebody else, and written anew with all that it had.
  public private(set) var renewals = 0
  /// What happened the last time, in one line.
  public private(set) var renewal = ""
  /// Where the pictures lie of a session that was moved, until they are here.
  private var movedPictures: String?

  /// Whether it is on the disk.
  public var isBegun: Bool { descriptor >= 0 }

  private func begin() throws {
    do {
      // Nobody else's to read, like what is in them.
      try FileName.makeFolder(folder, mode: 0o700)
      _ = FileName.withPath(folder) { chmod($0, 0o700) }
      try FileName.makeFolder(folder + "/pictures", mode: 0o700)
    } catch {
      throw SessionError(SessionStore.obstacle(error, folder))
    }
    try lockAndOpen()
  }

  private func lockAndOpen() throws {
    lock = open(folder + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard lock >= 0 else {
      throw SessionError("\(folder)/lock: cannot be created: \(FileName.systemReason)")
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let holder = holder
      release()
      throw SessionError("\(id): \(holder) has this session open", advice: Self.lockAdvice, isLocked: true)
    }
    noteHolder()
    descriptor = open(folder + "/log.jsonl", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = FileName.systemReason
      release()
      throw SessionError("\(folder)/log.jsonl: cannot be opened: \(reason)")
    }
    mendLastLine()
  }

  private static let lockAdvice = "leave it there first, open it with --read-only, or start a new one"

  /// Who has the lock, as it was noted in its file.
  private var holder: String {
    var bytes = [UInt8](repeating: 0, count: 300)
    let count = pread(lock, &bytes, bytes.count, 0)
    let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split { $0 == " " || $0 == "\n" }
    guard words.count >= 2, let process = Int32(words[0]), words[1].allSatisfy(Self.isOfHostName) else {
      return "another studio"
    }
    let isHere = String(words[1]) == ThisHost.name
    return "another studio (process \(process)\(isHere ? "" : " on \(words[1])"))"
  }

  private static func isOfHostName(_ c: Character) -> Bool {
    c.isASCII && (c.isLetter || c.isNumber || "-._".contains(c))
  }

  /// Says to others who has the lock. That it cannot be written keeps nobody from working.
  private func noteHolder() {
    let line = Array("\(getpid()) \(ThisHost.name)\n".utf8)
    ftruncate(lock, 0)
    _ = pwrite(lock, line, line.count, 0)
  }

  private func release() {
    if lock >= 0 {
      // Closing is not enough: a program that is just being started has the descriptor, too, until it runs.
      flock(lock, LOCK_UN)
      close(lock)
    }
    if descriptor >= 0 { close(descriptor) }
    (lock, descriptor) = (-1, -1)
  }

  /// Lets the session go, whoever else still knows of it: others may write it from here on. False where the disk does
  /// not take all of it: it is kept then.
  public func end() -> Bool {
    guard flush() else { return false }
    release()
    return true
  }

  deinit {
    // What waits has this one chance more.
    if !waiting.isEmpty || !waitingPictures.isEmpty { flush() }
    release()
  }

  /// A name that sorts by time and does not meet another.
  public static func newID(at seconds: Double, random: UInt32) -> String {
    var time = time_t(seconds), parts = tm()
    gmtime_r(&time, &parts)
    let tail = String(random, radix: 36).suffix(4)
    return String(
      format: "%04d%02d%02d-%02d%02d%02d-", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
      parts.tm_hour,
      parts.tm_min, parts.tm_sec) + String(repeating: "0", count: 4 - tail.count) + tail
  }

  /// Seconds since 1970 at which a session was begun, by a name that `newID` made; nil for another one.
  static func begun(_ id: String) -> Double? {
    guard let match = id.wholeMatch(of: #/(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-[0-9a-z]{4}/#) else {
      return nil
    }
    func number(_ digits: Substring) -> Int32 { Int32(digits) ?? 0 }
    var parts = tm()
    (parts.tm_year, parts.tm_mon) = (number(match.1) - 1900, number(match.2) - 1)
    (parts.tm_mday, parts.tm_hour) = (number(match.3), number(match.4))
    (parts.tm_min, parts.tm_sec) = (number(match.5), number(match.6))
    return Double(timegm(&parts)).clamped(to: SessionBounds.time)
  }

  /// A line that was cut by the end of its writer is taken away, so that the next one stands alone, and kept in a file
  /// beside the log; a whole one that only lacks its end gets it, and so does one that cannot be kept elsewhere.
  private func mendLastLine() {
    let size = lseek(descriptor, 0, SEEK_END)
    var last: UInt8 = 0
    guard size > 0, pread(descriptor, &last, 1, size - 1) != 1 || last != 10,
      let data = try? FileName.contents(ofPlain: folder + "/log.jsonl")
    else { return }
    let kept = (data.lastIndex(of: 10) ?? -1) + 1
    guard SessionContents(data[kept...]).lost > 0, keepDamaged(data[kept...]) else {
      write(Data([10]))
      return
    }
    ftruncate(descriptor, off_t(kept))
    lseek(descriptor, 0, SEEK_END)
  }

  /// Adds a damaged line to those that are kept; false where the disk does not take it.
  private func keepDamaged(_ line: Data) -> Bool {
    let file = open(folder + "/log.jsonl.damaged", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    defer { close(file) }
    let bytes = line + [10]
    let count = bytes.withUnsafeBytes { $0.baseAddress.map { Glibc.write(file, $0, bytes.count) } ?? -1 }
    return count == bytes.count && fdatasync(file) == 0
  }

  /// Appends an entry and what waited before it. False where the disk takes nothing: it waits then.
  @discardableResult
  public func append(_ entry: SessionEntry) -> Bool {
    guard let line = try? JSONText.line(entry) else { return flush() }
    if case .opened = entry.event {
      opening = line + [10]
      return true
    }
    if case .settings = entry.event, !isBegun, waiting.isEmpty {
      turned = line + [10]
      return true
    }
    waiting += owed + [opening, turned].compactMap(\.self)
    (owed, opening, turned) = ([], nil, nil)
    waiting.append(line + [10])
    return flush()
  }

  /// Entries that are written before the next thing that is done: a session in which nothing is done is not touched.
  public func owe(_ entries: [SessionEntry]) {
    owed = entries.compactMap { try? JSONText.line($0) }.map { $0 + [10] }
  }

  /// Writes what waits, as far as the disk takes it. False where something still waits.
  @discardableResult
  public func flush() -> Bool {
    noticeLoss()
    if !isBegun {
      // What was attached and never asked about is nothing that was done.
      guard !waiting.isEmpty else { return true }
      do {
        try begin()
      } catch {
        obstacle = "\(error)"
        return false
      }
    }
    fetchMovedPictures()
    mendPictures()
    for (hash, png) in waitingPictures where write(png, hash) { waitingPictures[hash] = nil }
    while let line = waiting.first {
      guard write(line) else {
        withdrawEmpty()
        return false
      }
      waiting.removeFirst()
    }
    return fdatasync(descriptor) == 0 && waitingPictures.isEmpty
  }

  /// A disk that takes not even the first entry gets no empty session: it is begun anew with the next attempt.
  private func withdrawEmpty() {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size == 0 else { return }
    FileName.remove(folder + "/log.jsonl")
    FileName.remove(folder + "/lock")
    release()
    // Only where nothing is in them.
    for place in [folder + "/pictures", folder] { _ = FileName.withPath(place) { rmdir($0) } }
  }

  /// What is written to a log that somebody has removed, or moved, is not where anybody looks for it: all of it waits for
  /// a new one then, in the old place.
  private func noticeLoss() {
    let path = folder + "/log.jsonl"
    var own = stat(), other = stat()
    guard isBegun, fstat(descriptor, &own) == 0 else { return }
    let isTaken = FileName.withPath(path) { stat($0, &other) } == 0
    // What cannot be looked at may be there.
    guard isTaken || errno == ENOENT || errno == ENOTDIR else { return }
    if own.st_nlink > 0, isTaken, (other.st_ino, other.st_dev) == (own.st_ino, own.st_dev) { return }
    let moved = movedLog(own), kept = isTaken ? Self.freeName(path + ".other") : nil
    // Whatever is in its place is somebody's.
    if let kept, !FileName.rename(path, kept) { return }
    renewal =
      (moved.map { "the session's log was moved to \($0)" } ?? "the session's log was removed")
      + (kept.map { ", and what is in its place is kept as \($0)" } ?? "") + "; it is written anew"
      + (moved == nil && !FileName.isFolder(folder + "/pictures") ? ", without the pictures before" : "")
    movedPictures = moved.map { FileName.parent(of: $0) + "/pictures" }
    var log = Data(count: Int(own.st_size))
    let count = log.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { pread(self.descriptor, $0, bytes.count, 0) } ?? 0
    }
    let lines = log.prefix(max(0, count)).split(separator: 10).map { Data($0) + [10] }
    waiting = lines + waiting
    renewals += 1
    release()
  }

  /// The pictures' folder is made again where somebody has removed it alone.
  private func mendPictures() {
    let path = folder + "/pictures"
    guard FileName.isFolder(folder), !FileName.exists(path) else { return }
    do {
      try FileName.makeFolder(path, mode: 0o700)
      renewal = "\(path) was removed; it is made anew, without the pictures before"
      renewals += 1
    } catch {
      obstacle = SessionStore.obstacle(error, path)
    }
  }

  /// Where the log lies now that only changed its place; nil where that is not known.
  private func movedLog(_ own: stat) -> String? {
    guard own.st_nlink > 0,
      let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)"),
      let there = FileName.status(path), (there.st_ino, there.st_dev) == (own.st_ino, own.st_dev)
    else { return nil }
    return path
  }

  /// Pictures come along from where the session was moved to.
  private func fetchMovedPictures() {
    guard let moved = movedPictures else { return }
    movedPictures = nil
    for name in (try? FileName.names(in: moved)) ?? [] where name.hasSuffix(".png") {
      let path = "\(folder)/pictures/\(name)"
      guard !FileName.exists(path), let png = try? FileName.contents(ofPlain: "\(moved)/\(name)") else {
        continue
      }
      try? AtomicFile.write(png, to: path, mode: 0o600)
    }
  }

  private static func freeName(_ path: String) -> String {
    var name = path, number = 1
    while FileName.isTaken(name) {
      number += 1
      name = "\(path).\(number)"
    }
    return name
  }

  /// A whole line or none of it.
  @discardableResult
  private func write(_ line: Data) -> Bool {
    let start = lseek(descriptor, 0, SEEK_END)
    var done = 0
    while done < line.count {
      let count = line.withUnsafeBytes { bytes in
        bytes.baseAddress.map { Glibc.write(self.descriptor, $0 + done, line.count - done) } ?? -1
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        obstacle = "\(folder): \(String(cString: strerror(errno)))"
        ftruncate(descriptor, start)
        return false
      }
      done += count
    }
    return true
  }

  /// Keeps a picture under its content's hash, which the caller has computed: this module links no library that can.
  /// Where the disk takes nothing it waits in memory, and is tried again with the next entry.
  public func keep(_ png: Data, as hash: String) {
    if isBegun { mendPictures() }
    if !isBegun || !write(png, hash) { waitingPictures[hash] = png }
  }

  /// Whether a picture is the session's own.
  public func holds(_ hash: String) -> Bool {
    waitingPictures[hash] != nil || FileManager.default.fileExists(atPath: "\(folder)/pictures/\(hash).png")
  }

  /// A whole picture or none.
  private func write(_ png: Data, _ hash: String) -> Bool {
    let path = "\(folder)/pictures/\(hash).png"
    if FileManager.default.fileExists(atPath: path) { return true }
    do {
      try AtomicFile.write(png, to: path, mode: 0o600)
      return true
    } catch {
      obstacle = "\(error)"
      return false
    }
  }
}
