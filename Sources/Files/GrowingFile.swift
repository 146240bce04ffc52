import Foundation

/// A file that is written piece by piece while long work goes on, so that what is finished is there whatever ends it: beside
/// the file that it becomes, under that name and `.partial`. Where the disk is full, what fits stays.
///
/// A pipe, a device or standard output gets each piece at once.
public final class GrowingFile {
  private struct Opened {
    let descriptor: Int32
    /// nil for what is written through.
    let partial: (path: String, care: PartialOutput)?
  }

  private let path: String
  private var opened: Opened?
  private var size: off_t = 0
  /// Whether a piece did not go: nothing is written behind it.
  private var isBroken = false

  private var shown: String { path == "-" ? "standard output" : path }

  /// - Parameter path: as the person named it; a link is followed.
  public init(_ path: String) { self.path = path }

  deinit { close() }

  /// Whether pieces leave at once, and nothing is kept under another name.
  public var isSpecial: Bool { path == "-" || AtomicFile.isSpecial(path) }

  /// Whether nothing was written.
  public var isEmpty: Bool { size == 0 }

  /// Under which name it grows; nil where nothing does.
  public var heldAt: String? { opened?.partial?.path }

  /// Writes a piece, all of it or none. Throws `FileAccessError`, or `Patience.Ended` where nobody reads a pipe.
  public func append(_ piece: Data) throws {
    guard !piece.isEmpty, !isBroken else { return }
    let opened = try opened ?? open()
    self.opened = opened
    do {
      guard try piece.withUnsafeBytes({ try Patience.write($0, to: opened.descriptor, shown) }) else {
        throw FileAccessError(shown, "cannot be written: " + FileName.systemReason)
      }
    } catch {
      isBroken = true
      if opened.partial != nil { _ = ftruncate(opened.descriptor, size) }
      throw error
    }
    size += off_t(piece.count)
  }

  /// Gives it the name that it is for: `place`, or where a link there leads. A file that is replaced keeps its mode.
  /// Throws `FileAccessError`; what was written is still there then, under its other name.
  public func finish(as place: String) throws {
    let opened = try opened ?? open()
    guard let partial = opened.partial else { return close() }
    let end = try AtomicFile.followed(place)
    if let mode = FileName.status(end)?.st_mode { _ = fchmod(opened.descriptor, mode & 0o7777) }
    guard isBroken || fsync(opened.descriptor) == 0, FileName.rename(partial.path, end) else {
      let reason = FileName.systemReason
      throw FileAccessError(place, "cannot be written: \(reason); what is finished is in \(partial.path)")
    }
    close()
  }

  private func close() {
    guard let opened else { return }
    self.opened = nil
    if isEmpty { opened.partial?.care.undo() } else { opened.partial?.care.forget() }
    if opened.partial != nil || path != "-" && AtomicFile.openDescriptor(path) == nil {
      Foundation.close(opened.descriptor)
    }
  }

  private func open() throws -> Opened {
    if path == "-" { return Opened(descriptor: STDOUT_FILENO, partial: nil) }
    if let number = AtomicFile.openDescriptor(path) { return Opened(descriptor: number, partial: nil) }
    if isSpecial {
      let descriptor = try Patience.openForWriting(path)
      guard descriptor >= 0 else {
        throw FileAccessError(path, "cannot be written: " + FileName.systemReason)
      }
      return Opened(descriptor: descriptor, partial: nil)
    }
    let end = try AtomicFile.followed(path), name = FileName.last(of: end)
    let beside: String = end.dropLast(name.count) + FileName.fitting(name, before: ".partial") + ".partial"
    var free = beside, number = 1
    while true {
      if let (descriptor, care) = PartialOutput.makeFile(free) {
        return Opened(descriptor: descriptor, partial: (free, care))
      }
      let reason = FileName.systemReason
      guard FileName.isTaken(free) else { throw FileAccessError(path, "cannot be written: " + reason) }
      number += 1
      free = FileReservation.numbered(beside, number)
    }
  }
}
