import DataSets
import Files
import Foundation
import Synchronization

/// What of a run's shards is not trained on as it is: samples that are skipped are counted, named in the run's
/// `skipped.jsonl` and limited; captions that are too long for the model, and damaged records of scenes, are counted.
package final class SampleAccount: Sendable {
  private struct State {
    var kinds: [SkippedSample.Kind: Int] = [:]
    var first: [SkippedSample] = []
    /// Places of samples that turned out to be damaged.
    var damaged: Set<Int> = []
    var cut: Set<Int> = []
    /// Places of samples whose scene's record is damaged, and the first of them by name.
    var records: Set<Int> = []
    var firstRecord = ""
    var file: FileHandle?

    var count: Int { kinds.values.reduce(0, +) }
  }

  private let state = Mutex(State())
  private let total: Int
  /// Samples that may be skipped.
  private let most: Int
  private let share: Double
  private let path: String?
  /// What was found beside the samples, a line each.
  private let problems: [String]

  /// The share, rounded down; at least one, so that a set of less than a hundred samples bears a damaged one, unless
  /// none may.
  private static func most(_ share: Double, of total: Int) -> Int {
    // What is 3 in decimal numbers must not be a hair less.
    share > 0 ? max(1, Int(share * Double(total) + 1e-6)) : 0
  }

  /// - Parameters:
  ///   - share: of the samples that may be skipped.
  ///   - folder: of the run.
  ///   - others: files beside the shards, in a line.
  ///
  /// Throws `DataSetError` where more are skipped already.
  init(_ index: ShardIndex, mostSkipped share: Double, folder: String?, others: String? = nil) throws {
    total = index.count + index.skippedCount
    self.share = share
    most = Self.most(share, of: total)
    path = folder.map { $0 + "/skipped.jsonl" }
    problems = index.problems.map(\.description) + [others].compactMap { $0 }
    if let path { try? FileManager.default.removeItem(atPath: path) }
    for i in 0..<index.skippedCount { state.withLock { note(index.skipped(i), &$0) } }
    try check()
  }

  /// Whether a sample is known to be damaged.
  func isDamaged(_ place: Int) -> Bool { state.withLock { $0.damaged.contains(place) } }

  /// Takes note of a damaged sample. Throws `DataSetError` where they become too many.
  func skip(_ place: Int, _ sample: SkippedSample) throws {
    state.withLock { state in
      if state.damaged.insert(place).inserted { note(sample, &state) }
    }
    try check()
  }

  /// Takes note of a sample whose caption is longer than the model's context.
  func cutCaption(of place: Int) { state.withLock { _ = $0.cut.insert(place) } }

  /// Takes note of a sample whose record is meant for a scene's and cannot be used: only its caption is learnt.
  func damagedRecord(of place: Int, _ shard: String, _ key: String) {
    state.withLock { state in
      if state.records.isEmpty { state.firstRecord = "\(shard): \(key)" }
      state.records.insert(place)
    }
  }

  private func note(_ sample: SkippedSample, _ state: inout State) {
    state.kinds[sample.kind, default: 0] += 1
    if state.first.count < 3 { state.first.append(sample) }
    guard let path else { return }
    if state.file == nil {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      state.file = FileHandle(forWritingAtPath: path)
    }
    // A disk that is full must not end a run for a list's sake.
    let line = [
      "shard": sample.shard, "sample": sample.key, "kind": sample.kind.rawValue, "reason": sample.detail,
    ]
    if let json = try? JSONText.namedLine(line) { try? state.file?.write(contentsOf: Data("\(json)\n".utf8)) }
  }

  private func check() throws {
    let (count, said) = state.withLock { ($0.count, Self.said($0)) }
    guard count > most else { return }
    throw DataSetError(
      path ?? "the shards",
      "\(count) of \(total) samples cannot be used, more than data.maxSkipped = \(share) allows: \(said); mend the data, or allow more: --set data.maxSkipped=\(Self.roundedUp(Double(count) / Double(total)))"
    )
  }

  private static func roundedUp(_ share: Double) -> Double { min(1, (share * 50).rounded(.up) / 50) }

  private static func said(_ state: State) -> String {
    let kinds = SkippedSample.Kind.allCases.compactMap { kind in
      state.kinds[kind].map { "\($0) × \(kind.rawValue)" }
    }
    return kinds.joined(separator: ", ") + " (" + (state.first.first?.description ?? "") + ")"
  }

  static func cutCaptions(_ count: Int) -> String {
    "\(count) \(count == 1 ? "caption is" : "captions are") longer than the model's context or data.maxTokens, and cut"
  }

  /// What a person should know, a line each.
  package var notes: [String] {
    let (count, cut, said) = state.withLock { ($0.count, $0.cut.count, Self.said($0)) }
    var notes = problems
    if count > 0 {
      notes.append(
        "\(count) of \(total) samples skipped: \(said)" + (path.map { "; all are named in \($0)" } ?? ""))
    }
    if cut > 0 { notes.append(Self.cutCaptions(cut)) }
    let (records, first) = state.withLock { ($0.records.count, $0.firstRecord) }
    if records > 0 {
      notes.append(
        "\(records) \(records == 1 ? "record of a scene is" : "records of scenes are") damaged, such as by a number that is none, and their captions alone are learnt; the first that was met: \(first)"
      )
    }
    return notes
  }
}
