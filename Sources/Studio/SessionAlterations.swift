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
        } catch { difference = "\(error)" }
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

/// What a request's log should have.
private struct Expected {
  let place, count: Int
  var results: Int
  let what: String
}

extension [SessionEntry] {
  /// Requests that ended in nothing that the log tells, and results that nobody asked for, a line each: what was there
  /// was taken out of the log, or the program was killed on the way.
  var gaps: [String] {
    var requests: [Int: Expected] = [:], ended: Set<Int> = [], lines: [(place: Int, line: String)] = []
    for (place, entry) in enumerated() {
      switch entry.event {
      case .asked(let request, let text, _, _):
        requests[request] = Expected(place: place, count: 1, results: 0, what: "the question '\(text)'")
        ended.remove(request)
      case .drawingAsked(let request, let settings, let count, _, _):
        requests[request] = Expected(
          place: place, count: count, results: 0, what: "the drawing of '\(settings.prompt)'")
        ended.remove(request)
      case .answered(let request, _, _, _, _), .drawn(let request, _, _, _, _):
        if requests[request] == nil {
          lines.append((place, "belongs to a request that the log does not have"))
        }
        requests[request]?.results += 1
      case .failed(let request, _), .cancelled(let request): ended.insert(request)
      default: break
      }
    }
    for (id, request) in requests where request.results < request.count && !ended.contains(id) {
      let missing =
        request.count == 1
        ? "has no result" : "has \(request.results) of \(request.count) results"
      lines.append(
        (
          request.place,
          "\(request.what.oneLine) \(missing), and nothing says that it failed or was cancelled"
        ))
    }
    return lines.sorted { $0.place < $1.place }.map { "entry \($0.place + 1): \($0.line)" }
  }
}
