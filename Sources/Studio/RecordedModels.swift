import Engine
import Foundation
import SessionLog
import VUGEN

/// The models that a session's requests were made with, as far as they are here. Each is loaded when it is needed; one is
/// in memory at a time.
public final class RecordedModels {
  private let given: String?
  /// The model that the log is opened with where it is read, and those of the requests so far.
  private var current: RecordedModel?
  private var makers: [Int: RecordedModel?] = [:]
  private var found: [RecordedModel: String] = [:]
  private var missing: Set<RecordedModel> = []
  private var loaded: (folder: String, engine: StudioEngine, facts: ModelFacts)?
  /// Results that nothing here can make again, each in a line.
  public private(set) var unchecked: [String] = []

  /// - Parameter folder: a model that a person names; it is looked at first. nil for the built-in one.
  public init(_ folder: String?) { given = folder }

  /// Loads the model that a person named: that it cannot be used is said before all else.
  public func checkGiven() async throws {
    if let given { _ = try await load(EmbeddedModel.folder(for: given)) }
  }

  /// Follows the log: which model is opened, and what is asked of it. A model that is opened knows no earlier turns;
  /// neither does one behind a request that was taken back, unless that only waited.
  ///
  /// - Returns: whether earlier turns are forgotten by it.
  public func follow(_ event: SessionEvent) async -> Bool {
    switch event {
    case .opened(let name, let hash, _):
      current = RecordedModel(name: name, hash: hash)
      await loaded?.engine.forget()
      return true
    case .undone(let request) where makers[request] != nil:
      await loaded?.engine.forget()
      return true
    case .asked(let request, _, _, _, _), .drawingAsked(let request, _, _, _, _):
      makers.updateValue(current, forKey: request)
    default: break
    }
    return false
  }

  /// The model that a request was made with; nil where it is not here, which is noted of the entry. Throws what keeps it
  /// from being loaded.
  public func maker(of request: Int, entry: Int) async throws -> (engine: StudioEngine, facts: ModelFacts)? {
    guard let named = makers[request] ?? current else {
      return try await load(EmbeddedModel.folder(for: given))
    }
    guard let folder = folder(of: named) else {
      let name = named.name.oneLine, hash = named.hash.oneLine
      unchecked.append(
        "entry \(entry): made with the model '\(name)' (\(hash)), which is not here; --model names its folder"
      )
      return nil
    }
    return try await load(folder)
  }

  /// Where a model lies that a log names, as `--model` takes it; nil where it is not here.
  ///
  /// - Parameter near: where it is looked for first.
  static func place(of model: RecordedModel, near: [String] = []) -> String? {
    func isIt(_ folder: String) -> Bool { (try? ModelFacts.hash(of: folder)) == model.hash }
    let names = near + [EmbeddedModel.name, model.name]
    if let name = names.first(where: { isIt(EmbeddedModel.folder(for: $0)) }) { return name }
    guard let listed = ListedModel.all().first(where: { isIt($0.folder) }) else { return nil }
    return EmbeddedModel.folder(for: listed.name) == listed.folder ? listed.name : listed.folder
  }

  private func folder(of named: RecordedModel) -> String? {
    if let known = found[named] { return known }
    if missing.contains(named) { return nil }
    let near = given.map { [$0] } ?? []
    let folder = Self.place(of: named, near: near).map { EmbeddedModel.folder(for: $0) }
    if let folder { found[named] = folder } else { missing.insert(named) }
    return folder
  }

  private func load(_ folder: String) async throws -> (engine: StudioEngine, facts: ModelFacts) {
    if let loaded, loaded.folder == folder { return (loaded.engine, loaded.facts) }
    loaded = nil
    let engine = StudioEngine(folder: folder), facts = try await engine.load()
    loaded = (folder, engine, facts)
    return (engine, facts)
  }
}
