import Foundation
import Requests

/// What a session's log holds. A line that cannot be read costs itself alone.
public struct SessionContents: Sendable {
  /// What could be read, in the order of the log.
  public private(set) var entries: [SessionEntry] = []
  /// Lines that are damaged.
  public private(set) var lost = 0
  /// Entries of kinds that this program does not know. They stay in the log.
  public private(set) var unknown = 0
  /// The newest version that an entry is written in.
  public private(set) var newestVersion = 0
  /// Seconds since 1970 of the last entry that is a use, known or not; where there is none, of the first entry, else 0.
  public private(set) var lastTime = 0.0
  /// Whether anything in it tells a time.
  var isDated: Bool { !entries.isEmpty || unknown > 0 }

  /// Whether a newer program wrote in it: what it means by its entries is not known here.
  public var isNewer: Bool { newestVersion > SessionEntry.currentVersion }

  /// That another version of this program wrote in it, and what of it is left out: what is shown may not be all of it, or
  /// not what it means there. nil where this one reads all.
  public var remark: String? {
    guard isNewer || unknown > 0 else { return nil }
    let count = unknown == 1 ? "1 entry of an unknown kind is" : "\(unknown) entries of unknown kinds are"
    return "\(isNewer ? "a newer" : "another") version of this program wrote it"
      + (unknown > 0 ? "; \(count) left out" : "")
  }

  /// The entries as they are played: the remark comes first, as a note, and stays in sight; what was cut off says so.
  ///
  /// - Parameter isOpen: whether a studio works on it: what has not ended may go on then.
  public func played(whileOpen isOpen: Bool) -> [SessionEntry] {
    let entries = isOpen || isNewer ? entries : UnfinishedRequests(entries).entries
    guard let remark else { return entries }
    return [SessionEntry(time: entries.first?.time ?? 0, event: .note(remark))] + entries
  }

  /// Whether anything was done in it.
  public var hasContent: Bool {
    unknown > 0
      || entries.contains {
        switch $0.event {
        case .opened, .settings: false
        default: true
        }
      }
  }

  /// - Parameter data: lines of JSON; the last one needs no end.
  public init(_ data: Data) {
    let decoder = JSONDecoder()
    var isUsed = false
    for line in Self.lines(of: data) {
      if let entry = try? decoder.decode(SessionEntry.self, from: line) {
        entries.append(entry)
        newestVersion = max(newestVersion, entry.version)
        if entry.event.isUse || entries.count == 1 && !isUsed { lastTime = entry.time }
        isUsed = isUsed || entry.event.isUse
      } else if let other = try? decoder.decode(UnknownEntry.self, from: line), other.isOfAnotherProgram {
        unknown += 1
        newestVersion = max(newestVersion, other.version)
        (lastTime, isUsed) = (other.time.clamped(to: SessionBounds.time), true)
      } else {
        lost += 1
      }
    }
  }
}

extension SessionContents {
  /// Lines that hold something, without their ends. The C library looks for those: a line may have 50 MB.
  fileprivate static func lines(of data: Data) -> [Data] {
    data.withUnsafeBytes { bytes in
      var lines: [Data] = [], start = 0
      while start < bytes.count, let base = bytes.baseAddress {
        let end =
          memchr(base + start, 10, bytes.count - start).map { UnsafeRawPointer($0) - base } ?? bytes.count
        if end > start { lines.append(data[data.startIndex + start..<data.startIndex + end]) }
        start = end + 1
      }
      return lines
    }
  }
}

/// A whole entry whose event means nothing here.
private struct UnknownEntry: Decodable {
  var version: Int
  var time: Double
  /// Kinds, of which there is one.
  var event: [String: Anything]

  /// An event of a kind that is known here is damaged where it cannot be read, unless a newer program wrote it.
  var isOfAnotherProgram: Bool {
    version > SessionEntry.currentVersion
      || event.count == 1 && event.keys.allSatisfy { !SessionEvent.kinds.contains($0) }
  }

  struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
  }
}

extension SessionEvent {
  /// What kinds are called in a log.
  fileprivate static let kinds: Set<String> = [
    "opened", "renamed", "asked", "answered", "drawingAsked", "drawn", "failed", "cancelled", "note",
    "attached", "named",
    "starred", "undone", "redone", "deleted", "settings", "queued", "unqueued",
  ]
}

extension [SessionEntry] {
  /// Requests that say again what the first of their sweep said: to a person a sweep is one prompt.
  public var repeatedPrompts: Set<Int> {
    var sweeps: Set<Int> = [], repeated: Set<Int> = []
    for entry in self {
      guard case .drawingAsked(let request, _, _, _, let sweep?) = entry.event else { continue }
      if !sweeps.insert(sweep).inserted { repeated.insert(request) }
    }
    return repeated
  }

  /// The same in the order in which a person reads them: what came of a request stands with it, whatever was asked
  /// meanwhile; sweeps are one request.
  public var byRequest: [SessionEntry] {
    var groups: [[SessionEntry]] = [[]], places: [Int: Int] = [:]
    for entry in self {
      var at = groups.count - 1
      switch entry.event {
      case .asked(let request, _, _, _, _):
        at += 1
        places[request] = at
      case .drawingAsked(let request, _, _, _, let sweep):
        // A number may come again where a session was taken up: the sweep's first one begins it anew.
        at = request == sweep ? at + 1 : sweep.flatMap { places[$0] } ?? at + 1
        places[request] = at
        if let sweep { places[sweep] = at }
      case .answered(let request, _, _, _, _), .drawn(let request, _, _, _, _), .failed(let request, _),
        .cancelled(let request):
        at = places[request] ?? at
      default: break
      }
      if at == groups.count { groups.append([]) }
      groups[at].append(entry)
    }
    return groups.flatMap(\.self)
  }

  /// Pictures that were deleted and not brought back.
  public var deletedPictures: Set<PictureID> {
    var deleted: Set<PictureID> = []
    for entry in self {
      guard case .deleted(let picture, let isDeleted) = entry.event else { continue }
      if isDeleted { deleted.insert(picture) } else { deleted.remove(picture) }
    }
    return deleted
  }

  /// Requests that were taken back and not brought back.
  public var undoneRequests: Set<Int> {
    reduce(into: []) { undone, entry in
      switch entry.event {
      case .undone(let request): undone.insert(request)
      case .redone(let request): undone.remove(request)
      default: break
      }
    }
  }

  /// What a person sees of a session: without requests that were undone and what came of them, and without pictures that
  /// were deleted.
  public var shown: [SessionEntry] {
    let deleted = deletedPictures, undone = undoneRequests
    return compactMap { entry in
      if let request = entry.event.request, undone.contains(request) { return nil }
      switch entry.event {
      case .undone, .redone, .deleted, .queued, .unqueued: return nil
      case .drawn(_, let picture, _, _, _), .attached(let picture, _, _, _), .named(let picture, _),
        .starred(let picture, _):
        return deleted.contains(picture) ? nil : entry
      case .asked(let request, let text, let pictures, let sampling, let written):
        let kept = pictures.filter { !deleted.contains($0) }
        var same = entry
        same.event = .asked(
          request: request, text: text, pictures: kept, sampling: sampling, written: written)
        return same
      default: return entry
      }
    }
  }
}
