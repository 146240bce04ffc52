import Pictures
import Requests
import SessionLog
import VUGEN

extension SessionStore {
  /// Drawings of which the log says something else than their own files: by the entry's place, and what, in a line.
  ///
  /// A picture's file has the hash that the log names, and its settings inside: nothing need be drawn to see it.
  func alteredDrawings(_ entries: [SessionEntry], of id: String) -> [Int: String] {
    var asked: [Int: (settings: ImageSettings, count: Int)] = [:], altered: [Int: String] = [:]
    for (place, entry) in entries.enumerated() {
      switch entry.event {
      case .drawingAsked(let request, let settings, let count, _, _): asked[request] = (settings, count)
      case .drawn(let request, .hash(let hash), let origin, _, let isPartial):
        // One that is missing is told elsewhere.
        guard let data = try? picture(hash, of: id) else { continue }
        let difference: String?
        do {
          let made = try PictureMetadata(
            bytes: [UInt8](data), name: "the picture \(hash.prefix(12))".oneLine)
          difference =
            Self.difference(origin, isPartial, made)
            ?? asked[request].flatMap { Self.difference(origin.settings, asked: $0.settings, $0.count) }
        } catch { difference = "\("\(error)".prefix { $0 != ";" }); the picture was altered" }
        if let difference { altered[place] = "entry \(place + 1): \(difference)" }
      default: break
      }
    }
    return altered
  }

  /// Between what the log says of a picture and what its file says.
  private static func difference(
    _ log: PictureOrigin, _ isPartial: Bool, _ made: PictureMetadata
  ) -> String? {
    if let name = difference(log.settings, made.settings) {
      return "the log's \(name) is not that in the picture's file; the log was altered"
    }
    if log.stepsDone != made.stepsDone {
      return
        "the log says \(log.stepsDone) steps, and the picture's file \(made.stepsDone); the log was altered"
    }
    let isCut = made.stepsDone < made.settings.steps
    // A decoder of several steps can be cut off, too.
    guard isPartial != isCut, isCut || made.settings.decoderSteps == 1 else { return nil }
    return
      "the log calls the picture \(isPartial ? "cut off" : "whole"), and its file does not; the log was altered"
  }

  /// The first setting in which two differ, with both values.
  private static func difference(_ log: ImageSettings, _ made: ImageSettings) -> String? {
    let values: [(name: String, log: String, made: String)] = [
      ("prompt", log.prompt, made.prompt), ("negative prompt", log.negative, made.negative),
      ("seed", "\(log.seed)", "\(made.seed)"), ("number of steps", "\(log.steps)", "\(made.steps)"),
      ("number of decoder steps", "\(log.decoderSteps)", "\(made.decoderSteps)"),
      ("guidance", "\(log.guidanceScale)", "\(made.guidanceScale)"),
      ("guidance's start", "\(log.guidanceStart)", "\(made.guidanceStart)"),
      ("guidance's end", "\(log.guidanceEnd)", "\(made.guidanceEnd)"),
      ("solver", log.solver.rawValue, made.solver.rawValue),
    ]
    return values.first { $0.log != $0.made }.map { "\($0.name) ('\($0.log)', not '\($0.made)')" }
  }

  /// Between what was drawn and what was asked for, of which a prompt may have been cut.
  private static func difference(_ drawn: ImageSettings, asked: ImageSettings, _ count: Int) -> String? {
    func isCut(_ part: String, _ whole: String) -> Bool { part.count < whole.count }
    var expected = asked
    if isCut(drawn.prompt, asked.prompt) { expected.prompt = drawn.prompt }
    if isCut(drawn.negative, asked.negative) { expected.negative = drawn.negative }
    if drawn.seed &- asked.seed < UInt64(max(1, count)) { expected.seed = drawn.seed }
    return difference(expected, drawn).map {
      "its request's \($0) is not that of the picture; the log was altered"
    }
  }
}

/// What a log should have of a request, and has so far.
private struct Awaited {
  let place, count: Int
  let what: String
  var results = 0
  var hasEnded = false

  /// What is missing of it, where nothing tells why.
  var gap: (place: Int, line: String)? {
    guard results < count, !hasEnded else { return nil }
    let missing = count == 1 ? "has no result" : "has \(results) of \(count) results"
    return (place, "\(what.inOneLine) \(missing), and nothing says that it failed or was cancelled")
  }
}

extension [SessionEntry] {
  /// Requests that ended in nothing that the log tells, results that nobody asked for, and more of them than were asked
  /// for, a line each: something was taken out of the log or put into it, or the program was killed on the way.
  ///
  /// - Parameter running: the request that was worked on when the log ended, which is no gap.
  func gaps(except running: Int?) -> [String] {
    var requests: [Int: Awaited] = [:], lines: [(place: Int, line: String)] = []
    /// A number may come again where a session was taken up; what had it before is over then.
    func begin(_ request: Int, _ awaited: Awaited) {
      if let gap = requests[request]?.gap { lines.append(gap) }
      requests[request] = awaited
    }
    for (place, entry) in enumerated() {
      switch entry.event {
      case .asked(let request, let text, _, _, _):
        begin(request, Awaited(place: place, count: 1, what: "the question '\(text)'"))
      case .drawingAsked(let request, let settings, let count, _, _):
        begin(request, Awaited(place: place, count: count, what: "the drawing of '\(settings.prompt)'"))
      case .answered(let request, _, _, _, _), .drawn(let request, _, _, _, _):
        guard let awaited = requests[request] else {
          lines.append((place, "belongs to a request that the log does not have"))
          continue
        }
        if awaited.results >= awaited.count {
          lines.append((place, "is one result more than \(awaited.what.inOneLine) asked for"))
        }
        requests[request]?.results += 1
      case .failed(let request, _), .cancelled(let request): requests[request]?.hasEnded = true
      default: break
      }
    }
    lines += requests.compactMap { $0 == running ? nil : $1.gap }
    return lines.sorted { $0.place < $1.place }.map { "entry \($0.place + 1): \($0.line)" }
  }
}
