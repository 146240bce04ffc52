import DataSets
import Files
import Foundation

/// The work of `data build folder`, which goes on where it was ended.
final class FolderBuild {
  private let pairs: [FolderImport.Pair]
  private let size: Int?
  private let perShard: Int
  private var account: ImportAccount?
  private var unfinished: UnfinishedFolder?

  init(_ pairs: [FolderImport.Pair], size: Int?, perShard: Int) {
    (self.pairs, self.size, self.perShard) = (pairs, size, perShard)
  }

  /// The pictures that cannot be read, and why.
  func write(to output: String, replacing: Bool) throws -> [(path: String, reason: String)] {
    var bad: [(path: String, reason: String)] = []
    do {
      try OutputFolder.writeGoingOn(to: output, replacing: replacing) { folder, unfinished in
        self.unfinished = unfinished
        account = unfinished.map {
          ImportAccount($0.account, size: size, perShard: perShard, program: Version.number)
        }
        bad = try FolderImport.write(
          pairs, to: folder, size: size, perShard: perShard, account: account,
          isEnded: { Interruption.isRequested }, begins: tellBeginning
        ) { done in
          ProgressLine.show("\(done) of \(pairs.count) pictures")
          try Interruption.check()
        }
      }
    } catch {
      ProgressLine.end()
      throw kept(because: error)
    }
    return bad
  }

  private var finished: String { "\(account?.pictures ?? 0) of \(counted(pairs.count, "picture"))" }

  private func tellBeginning() {
    guard let account, let unfinished else { return }
    if account.pictures > 0 { note("goes on: \(unfinished.shown) holds \(finished)".oneLine) }
    if account.isOfOthers {
      note(
        "what \(unfinished.shown) held was made of other pictures, captions or settings; all is made again"
          .oneLine)
    }
  }

  /// What the program ends with where it ends early; where what is finished lies is told.
  private func kept(because error: any Error) -> any Error {
    let isInterrupted = error is CancellationError || error is Patience.Ended
    guard let account, let unfinished, account.pictures > 0, unfinished.isKept else {
      return isInterrupted ? CancellationError() : error
    }
    guard isInterrupted else {
      return CommandError(
        "\(Failure.reason(of: error)); \(unfinished.shown) holds \(finished), and the same command goes on with them"
      )
    }
    InterruptionReport.note([
      "pictures": .number(Double(account.pictures)), "of": .number(Double(pairs.count)),
      "outputs": .list([.text(unfinished.shown)]),
    ])
    note(
      "interrupted; \(unfinished.shown) holds \(finished), and the same command goes on with them".oneLine)
    return CancellationError()
  }
}
