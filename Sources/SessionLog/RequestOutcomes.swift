import Files
import Foundation
import Requests

/// What came of a session's requests, for those who read of them later.
public struct RequestOutcomes: Sendable {
  /// Requests of which something came; those of a sweep count as its first one.
  private var done: Set<Int> = []
  private var cancelled: Set<Int> = []
  private var sweeps: [Int: Int] = [:]
  /// Those that the log knows only as waiting.
  private let waiting: Set<Int>
  private let running: Int?
  /// Pictures that a studio left that was killed, and those that there are.
  private let missing: [Int: Int]
  private var drawn: [Int: Int] = [:]

  /// Of a session's entries.
  ///
  /// - Parameters:
  ///   - isOpen: whether a studio works on it.
  ///   - running: the request that a model still works on.
  public init(_ entries: [SessionEntry], whileOpen isOpen: Bool, running: Int? = nil) {
    self.running = running
    let found = UnfinishedRequests(entries)
    waiting = isOpen ? Set(found.waiting.compactMap(\.request)) : []
    missing = isOpen ? [:] : found.missingPictures
    for entry in isOpen ? entries : found.entries {
      switch entry.event {
      case .drawingAsked(let request, _, _, _, let sweep?): sweeps[request] = sweep
      case .drawn(let request, _, _, _, let isPartial):
        let request = sweeps[request] ?? request
        done.insert(request)
        // One that was left half drawn is missing as a whole.
        if !isPartial || missing[request] == nil { drawn[request, default: 0] += 1 }
      case .answered(let request, _, _, _, _), .failed(let request, _):
        done.insert(sweeps[request] ?? request)
      case .cancelled(let request): cancelled.insert(sweeps[request] ?? request)
      default: break
      }
    }
  }

  /// What stands behind a request of which nothing came; empty for the others.
  public func label(of request: Int) -> String {
    let request = sweeps[request] ?? request
    if let running, request == sweeps[running] ?? running { return " (still running)" }
    let drawn = drawn[request, default: 0], all = drawn + missing[request, default: 0]
    if missing[request] != nil, all > 1 { return " (\(drawn) of \(all) pictures)" }
    if done.contains(request) { return "" }
    if waiting.contains(request) { return " (not begun)" }
    return cancelled.contains(request) ? " (cancelled)" : " (no result)"
  }
}

extension SessionStore {
  /// The request that another studio works on, as far as its log tells: the last one since it opened the session, where
  /// nothing came of it; nil where no studio has the session open.
  public func runningRequest(of id: String, _ entries: [SessionEntry]) -> Int? {
    guard isOpen(id) else { return nil }
    for entry in entries.reversed() {
      switch entry.event {
      case .asked(let request, _, _, _, _), .drawingAsked(let request, _, _, _, _): return request
      case .answered, .failed, .cancelled, .opened: return nil
      // One of several, perhaps.
      case .drawn(let request, _, _, _, let isPartial):
        let (wanted, drawn) = entries.pictures(of: request)
        return isPartial || drawn >= wanted ? nil : request
      default: continue
      }
    }
    return nil
  }

  /// Whether a studio writes a session now.
  public func isOpen(_ id: String) -> Bool {
    let lock = FileName.open(folder(of: id) + "/lock", O_RDONLY)
    guard lock >= 0 else { return false }
    defer { close(lock) }
    // Others may look at the same time.
    guard flock(lock, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
    flock(lock, LOCK_UN)
    return false
  }
}

extension [SessionEntry] {
  /// How many pictures a request is for, and how many there are of it.
  fileprivate func pictures(of asked: Int) -> (wanted: Int, drawn: Int) {
    reduce(into: (0, 0)) { numbers, entry in
      switch entry.event {
      case .drawingAsked(asked, _, let count, _, _): numbers.0 = count
      case .drawn(asked, _, _, _, _): numbers.1 += 1
      default: break
      }
    }
  }

  /// The models by which the session was opened, each once.
  public var models: [String] {
    reduce(into: []) { names, entry in
      if case .opened(let name, _, _) = entry.event, !names.contains(name) { names.append(name) }
    }
  }

  /// What pictures were drawn from.
  public var picturePrompts: [PictureID: String] {
    reduce(into: [:]) { prompts, entry in
      if case .drawn(_, let picture, let origin, _, _) = entry.event {
        prompts[picture] = origin.settings.prompt
      }
    }
  }

  /// What pictures' files were called.
  public var pictureNames: [PictureID: String] {
    var names: [PictureID: String] = [:]
    for entry in self {
      switch entry.event {
      case .named(let picture, let name), .attached(let picture, let name, _, _): names[picture] = name
      default: break
      }
    }
    return names
  }
}
