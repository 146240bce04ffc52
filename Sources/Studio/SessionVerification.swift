import Digests
import Engine
import Files
import Foundation
import Pictures
import Requests
import SessionLog
import VUGEN

extension SessionStore {
  /// Pictures that entries name and that are not as they were made: their content has the hash that is their name.
  public func damagedPictures(_ entries: [SessionEntry], of id: String) -> [(hash: String, reason: String)] {
    var seen: Set<String> = [], bad: [(String, String)] = []
    for hash in entries.flatMap(\.event.pictures).compactMap(\.stored) where seen.insert(hash).inserted {
      let shown = String(hash.prefix(12)).oneLine
      guard let data = try? picture(hash, of: id) else {
        bad.append((hash, "the picture \(shown) is missing"))
        continue
      }
      if (try? Digest.sha256([UInt8](data))) != hash {
        bad.append((hash, "the picture \(shown) was altered"))
      }
    }
    return bad
  }
}

/// Runs a session's requests again and compares what comes of them.
public struct SessionVerification {
  private let models: RecordedModels
  private let store: SessionStore
  private let id: String

  /// - Parameters:
  ///   - models: where those are found that the session was made with.
  ///   - id: the session, in `store`.
  public init(_ models: RecordedModels, _ store: SessionStore, _ id: String) {
    (self.models, self.store, self.id) = (models, store, id)
  }

  /// What is wrong with the pictures that entries name.
  public func damagedPictures(_ entries: [SessionEntry]) -> [String] {
    store.damagedPictures(entries, of: id).map(\.reason)
  }

  /// Drawings of which the log does not say what their files do, by the entry's place: nothing that it says of them is
  /// drawn again.
  public func alteredDrawings(_ entries: [SessionEntry]) -> [Int: String] {
    store.alteredDrawings(entries, of: id)
  }

  /// Requests without a result, and results without a request, a line each.
  public func gaps(_ entries: [SessionEntry]) -> [String] { entries.gaps }

  /// Runs all requests, each with the model that it was made with, up to the first result that differs. What no model here
  /// can make again, `RecordedModels` knows. Throws what keeps a model from drawing.
  ///
  /// - Parameter altered: places of entries that are not run.
  /// - Returns: how many results are compared, and how many were cut off when they were made, which are not; and what
  ///   differs, in one line.
  public func run(
    _ entries: [SessionEntry], except altered: Set<Int> = [], progress: (String) -> Void
  ) async throws -> (compared: Int, partial: Int, difference: String?) {
    var compared = 0, partial = 0
    // Behind an answer that was cut off, the conversation cannot be had again.
    var isAdrift = false
    for (number, entry) in entries.enumerated() where !altered.contains(number) {
      progress("entry \(number + 1) of \(entries.count)")
      let results = entries[(number + 1)...].map(\.event)
      await models.follow(entry.event)
      switch entry.event {
      case .asked(let request, let text, let pictures, let sampling):
        if !pictures.isEmpty { isAdrift = false }
        let expected = Self.answer(request, results)
        if isAdrift || expected == nil && Self.wasCutOff(request, results) {
          (isAdrift, partial) = (true, partial + 1)
          continue
        }
        guard let said = try await answer(text, pictures, sampling, (request, number + 1)) else { continue }
        // What follows may be about what is missing.
        guard let expected else { continue }
        compared += 1
        if said != expected {
          let difference = "the answer to '\(text)' was '\(expected)' and is now '\(said)'"
          return (compared, partial, "entry \(number + 1): \(difference)")
        }
      case .drawn(let request, .hash(let hash), let origin, _, let isPartial) where !isPartial:
        guard let found = try await draw(origin.settings, (request, number + 1)) else { continue }
        compared += 1
        if found != hash {
          let difference =
            "the picture of '\(origin.settings.prompt)' differs: it was \(hash) and is now \(found)"
          return (compared, partial, "entry \(number + 1): \(difference)")
        }
      case .drawn: partial += 1
      default: break
      }
    }
    return (compared, partial, nil)
  }

  private static func answer(_ request: Int, _ later: [SessionEvent]) -> String? {
    for case .answered(request, let text, _, _, false) in later { return text }
    return nil
  }

  /// Whether the log says that a question was not answered to its end.
  private static func wasCutOff(_ request: Int, _ later: [SessionEvent]) -> Bool {
    later.contains { event in
      switch event {
      case .answered(request, _, _, _, true), .cancelled(request), .failed(request, _): true
      default: false
      }
    }
  }

  /// What is said now; nil where a picture or the model is missing, which is told elsewhere.
  private func answer(
    _ text: String, _ pictures: [PictureID], _ sampling: SessionEvent.Sampling,
    _ asked: (request: Int, entry: Int)
  ) async throws -> String? {
    let known = try? pictures.compactMap(\.stored).map {
      try Picture(bytes: [UInt8](store.picture($0, of: id)), name: $0)
    }
    guard let known, let model = try await models.maker(of: asked.request, entry: asked.entry) else {
      return nil
    }
    var said = ""
    let request = Request<Picture>.ask(
      Question(text, pictures: known, temperature: sampling.temperature, seed: sampling.seed))
    for await event in model.engine.run(request) {
      if case .answered(let text, _, _, _) = event { said = text }
    }
    return said
  }

  /// The hash of the picture that these settings give now; nil where the model that a request was made with is not here.
  private func draw(_ settings: ImageSettings, _ asked: (request: Int, entry: Int)) async throws -> String? {
    guard let model = try await models.maker(of: asked.request, entry: asked.entry) else { return nil }
    for await event in model.engine.run(.imagine(settings, count: 1, parent: nil)) {
      if case .drawn(let picture, let settings, let done, _, _) = event {
        return try Digest.sha256(
          PictureMetadata(settings, stepsDone: done, model: model.facts.name).png(of: picture))
      }
      if case .failed(let reason) = event { throw SessionError(reason) }
    }
    return nil
  }
}
