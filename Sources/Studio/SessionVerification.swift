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

/// What running a session again came to.
public struct SessionComparison: Sendable {
  /// Results that were compared.
  public var answers = 0, pictures = 0
  /// So many in all.
  public var compared: Int { answers + pictures }
  /// Pictures that are as recorded but for rounding.
  public var rounded = 0
  /// Results that were cut off when they were made, which are not compared.
  public var partial = 0
  /// Answers that are not compared as they follow one that was cut off.
  public var adrift = 0
  /// What differs, in one line.
  public var difference: String?

  /// By how much of 255 a colour may differ where processors of several kinds add numbers up in another order.
  public static let rounding = 2

  /// Nothing yet.
  public init() {}
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
  ///
  /// - Parameter left: what a studio left that was killed, which is no gap.
  public func gaps(_ entries: [SessionEntry], except left: LeftRequests) -> [String] {
    entries.gaps(except: left.running)
  }

  /// Runs all requests, each with the model that it was made with, up to the first result that differs. What no model here
  /// can make again, `RecordedModels` knows. Throws what keeps a model from drawing.
  ///
  /// - Parameters:
  ///   - altered: places of entries that are not run.
  ///   - left: requests of which nothing came, because their studio was killed.
  public func run(
    _ entries: [SessionEntry], except altered: Set<Int> = [], left: LeftRequests,
    progress: (String) -> Void
  ) async throws -> SessionComparison {
    var result = SessionComparison()
    // Behind an answer that was cut off, the conversation cannot be had again.
    var isAdrift = false
    for (number, entry) in entries.enumerated() where result.difference == nil && !altered.contains(number) {
      let place = "entry \(number + 1)"
      progress("\(place) of \(entries.count)")
      let results = entries[(number + 1)...].map(\.event)
      // A model that is loaded anew knows nothing of what was cut off before.
      if await models.follow(entry.event) { isAdrift = false }
      switch entry.event {
      case .asked(let request, let text, let pictures, let sampling, _):
        let expected = Self.answer(request, results)
        // The model never saw it.
        if expected == nil, left.neverBegun.contains(request) { continue }
        if !pictures.isEmpty { isAdrift = false }
        let isLeft = left.cutOff.contains(request)
        if isAdrift || expected == nil && (isLeft || Self.wasCutOff(request, results)) {
          isAdrift = true
          if expected != nil { result.adrift += 1 } else if !isLeft { result.partial += 1 }
          continue
        }
        guard let said = try await answer(text, pictures, sampling, (request, number + 1)) else { continue }
        // What follows may be about what is missing.
        guard let expected else { continue }
        result.answers += 1
        if said != expected {
          result.difference = "\(place): the answer to '\(text)' was '\(expected)' and is now '\(said)'"
        }
      case .drawn(let request, .hash(let hash), let origin, _, let isPartial) where !isPartial:
        try await compare(hash, origin.settings, (request, number + 1), &result)
      case .drawn: result.partial += 1
      default: break
      }
    }
    return result
  }

  private func compare(
    _ hash: String, _ settings: ImageSettings, _ drawn: (request: Int, entry: Int),
    _ result: inout SessionComparison
  ) async throws {
    guard let found = try await draw(settings, drawn) else { return }
    result.pictures += 1
    if found.hash == hash { return }
    let recorded = try? Picture(bytes: [UInt8](store.picture(hash, of: id)), name: hash)
    let distance = recorded.flatMap { found.picture.largestDifference(from: $0) }
    // Its file may name the model otherwise, whose folder has another name by now.
    if distance == 0 { return }
    if let distance, distance <= SessionComparison.rounding {
      result.rounded += 1
      return
    }
    let size = distance.map { ", by up to \($0) of 255 in a colour" } ?? ""
    result.difference =
      "entry \(drawn.entry): the picture of '\(settings.prompt)' differs\(size): it was \(hash) and is now \(found.hash)"
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

  /// The picture that these settings give now, and its file's hash; nil where the model that a request was made with is not
  /// here.
  private func draw(
    _ settings: ImageSettings, _ asked: (request: Int, entry: Int)
  ) async throws -> (picture: Picture, hash: String)? {
    guard let model = try await models.maker(of: asked.request, entry: asked.entry) else { return nil }
    for await event in model.engine.run(.imagine(settings, count: 1, parent: nil)) {
      if case .drawn(let picture, let settings, let done, _, _) = event {
        let metadata = PictureMetadata(settings, stepsDone: done, model: model.facts.name)
        return (picture, try Digest.sha256(metadata.png(of: picture)))
      }
      if case .failed(let reason) = event { throw SessionError(reason) }
    }
    return nil
  }
}
