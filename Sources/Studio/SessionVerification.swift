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
  private let engine: StudioEngine
  private let facts: ModelFacts
  private let store: SessionStore
  private let id: String

  /// - Parameters:
  ///   - facts: of the model that `engine` has loaded.
  ///   - id: the session, in `store`.
  public init(_ engine: StudioEngine, _ facts: ModelFacts, _ store: SessionStore, _ id: String) {
    (self.engine, self.facts, self.store, self.id) = (engine, facts, store, id)
  }

  /// What is wrong with the pictures that entries name.
  public func damagedPictures(_ entries: [SessionEntry]) -> [String] {
    store.damagedPictures(entries, of: id).map(\.reason)
  }

  /// Runs all requests, up to the first result that differs. Throws what keeps the model from drawing.
  ///
  /// - Returns: how many results are compared, and how many were cut off when they were made, which are not; and what
  ///   differs, in one line.
  public func run(_ entries: [SessionEntry], progress: (String) -> Void) async throws -> (
    compared: Int, partial: Int, difference: String?
  ) {
    var compared = 0, partial = 0
    for (number, entry) in entries.enumerated() {
      progress("entry \(number + 1) of \(entries.count)")
      let results = entries[(number + 1)...].map(\.event)
      switch entry.event {
      case .asked(let request, let text, let pictures, let sampling):
        guard let expected = Self.answer(request, results) else {
          partial += 1
          continue
        }
        // What is missing is told elsewhere.
        guard
          let known = try? pictures.compactMap(\.stored).map({
            try Picture(bytes: [UInt8](store.picture($0, of: id)), name: $0)
          })
        else { continue }
        let said = await answer(text, known, sampling)
        compared += 1
        if said != expected {
          let difference = "the answer to '\(text)' was '\(expected)' and is now '\(said)'"
          return (compared, partial, "entry \(number + 1): \(difference)")
        }
      case .drawn(_, .hash(let hash), let origin, _, let isPartial) where !isPartial:
        guard let found = try await draw(origin.settings) else { continue }
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

  private func answer(_ text: String, _ pictures: [Picture], _ sampling: SessionEvent.Sampling) async
    -> String
  {
    var said = ""
    let request = Request<Picture>.ask(
      Question(text, pictures: pictures, temperature: sampling.temperature, seed: sampling.seed))
    for await event in engine.run(request) {
      if case .answered(let text, _, _, _) = event { said = text }
    }
    return said
  }

  /// The hash of the picture that these settings give now.
  private func draw(_ settings: ImageSettings) async throws -> String? {
    for await event in engine.run(.imagine(settings, count: 1, parent: nil)) {
      if case .drawn(let picture, let settings, let done, _, _) = event {
        return try Digest.sha256(
          PictureMetadata(settings, stepsDone: done, model: facts.name).png(of: picture))
      }
      if case .failed(let reason) = event { throw SessionError(reason) }
    }
    return nil
  }
}
