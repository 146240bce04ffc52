import Requests

/// What came of a session's requests, for those who read of them later.
public struct RequestOutcomes: Sendable {
  /// Requests of which something came; those of a sweep count as its first one.
  private var done: Set<Int> = []
  private var cancelled: Set<Int> = []
  private var sweeps: [Int: Int] = [:]

  /// Of a session's entries.
  public init(_ entries: [SessionEntry]) {
    for entry in entries {
      switch entry.event {
      case .drawingAsked(let request, _, _, _, let sweep?): sweeps[request] = sweep
      case .answered(let request, _, _, _, _), .drawn(let request, _, _, _, _), .failed(let request, _):
        done.insert(sweeps[request] ?? request)
      case .cancelled(let request): cancelled.insert(sweeps[request] ?? request)
      default: break
      }
    }
  }

  /// What stands behind a request of which nothing came; empty for the others.
  public func label(of request: Int) -> String {
    let request = sweeps[request] ?? request
    if done.contains(request) { return "" }
    return cancelled.contains(request) ? " (cancelled)" : " (no result)"
  }
}

extension [SessionEntry] {
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
