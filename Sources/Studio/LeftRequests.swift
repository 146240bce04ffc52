import Requests
import SessionLog

/// Requests that a studio left when it was killed, as a log says by itself or lacks it.
public struct LeftRequests: Sendable {
  /// Those that were begun and not finished. A sweep is one request.
  public private(set) var cutOff: Set<Int> = []
  /// Those that were not begun.
  public private(set) var neverBegun: Set<Int> = []
  /// Those that nobody has asked again or dropped since, a line each: the session is not whole without them.
  public private(set) var lines: [String] = []
  /// The one that was worked on when the log ended.
  let running: Int?

  /// - Parameter isOpen: whether a studio writes the session now: what has not ended may go on then.
  public init(_ entries: [SessionEntry], isOpen: Bool) {
    let found = UnfinishedRequests(entries), left = isOpen ? nil : found
    running = found.running
    cutOff = Set([left?.running].compactMap(\.self))
    note(entries) { _ in true }
    // The next studio will write what another one wrote in the same case; but what was begun long ago and lacks its end was
    // left by no studio that was killed.
    let begun = Set(entries.compactMap { $0.event.requested == nil ? nil : $0.event.request })
    note(left?.owed ?? []) { !begun.contains($0) }
    var sweeps: Set<Int> = []
    for event in left?.again ?? [] {
      guard let request = event.request, sweeps.insert(event.sweep ?? request).inserted else { continue }
      lines.append(line(event, request, entries))
    }
  }

  private mutating func note(_ entries: [SessionEntry], whereCutOff isLeft: (Int) -> Bool) {
    for entry in entries {
      guard case .failed(let request, let reason) = entry.event else { continue }
      if reason == UnfinishedRequests.notBegun { neverBegun.insert(request) }
      if reason == UnfinishedRequests.cutOff, isLeft(request) { cutOff.insert(request) }
    }
  }

  private func line(_ event: SessionEvent, _ request: Int, _ entries: [SessionEntry]) -> String {
    let prompt = event.sweep ?? request
    func isOfIt(_ other: SessionEvent) -> Bool {
      other.request == request || event.sweep != nil && other.sweep == prompt
    }
    let what: String
    if case .asked(_, let text, _, _, let written) = event {
      what = "the question '\((written ?? text).inOneLine)'"
    } else {
      what = "\(event.sweep == nil ? "the drawing" : "the sweep") of '\((event.text ?? "").inOneLine)'"
    }
    guard let place = entries.lastIndex(where: { $0.event.requested != nil && isOfIt($0.event) }),
      !neverBegun.contains(request)
    else { return "\(what) was never begun: its studio ended before" }
    let own = Set(entries.filter { isOfIt($0.event) }.compactMap(\.event.request))
    let drawn = entries.count { entry in
      if case .drawn(let request, _, _, _, false) = entry.event { own.contains(request) } else { false }
    }
    let asked = entries[place].event.requested
    let several: String
    if event.sweep == nil, case .imagine(_, let count, _) = asked, count > 1 {
      several = " with \(drawn) of \(count) results"
    } else {
      several = drawn > 0 ? " with \(drawn) result\(drawn == 1 ? "" : "s")" : ""
    }
    return "entry \(place + 1): \(what) was cut off\(several): its studio ended before it was done"
  }
}
