import ArgumentParser
import Files
import Foundation
import Tensors
import Training

/// The processes that a launcher has started to do one command together: the first one speaks, and writes, for all.
enum Company {
  /// Commands that several processes do together.
  private static let commands = ["train", "caption", "evaluate"]

  /// Whether another process says what is to be said.
  static let isSilent =
    Ranks.isLaunched && Ranks.launchedRank > 0 && commands.contains(ProgramArguments.words.first ?? "")

  /// In front of what a process says that is not the first one.
  private(set) nonisolated(unsafe) static var place = ""

  /// What went wrong for this process, and is said already.
  struct Told: Error {}

  /// Joins the others, does the work, and takes leave of them. Work that goes wrong for this process alone ends all of
  /// them: they would wait for it for ever. Throws `RanksError`, or what went wrong for all.
  ///
  /// - Parameter threads: as a person asked for; nil for this process's share of the host's cores.
  @NumericActor
  static func run(threads: Int32? = nil, _ work: (Ranks) throws -> Void) throws {
    let ranks = try Ranks.joined()
    if !ranks.isAlone {
      if ranks.isFirst { Ranks.whileWaiting { Interruption.isOverdue } }
      if threads == nil, getenv("OMP_NUM_THREADS") == nil { Threads.count = ranks.threads }
      place = ranks.isFirst ? "" : "rank \(ranks.rank) on \(ranks.hosts[ranks.rank]): "
      describe(ranks)
    }
    do { try work(ranks) } catch {
      let isOfAll = error is SharedFailure || error is CancellationError || error is ExitCode
      if !ranks.isAlone, !isOfAll { end(ranks, error) }
      ranks.leave()
      throw error
    }
    ranks.leave()
  }

  private static func describe(_ ranks: Ranks) {
    let hosts = Set(ranks.hosts).count
    note(
      "\(ranks.count) ranks on \(hosts) \(hosts == 1 ? "host" : "hosts"), \(Threads.count) \(Threads.count == 1 ? "thread" : "threads") each"
    )
    if ranks.isFirst, let line = ranks.binding { note(line) }
  }

  /// Says what went wrong here, and ends the others.
  private static func end(_ ranks: Ranks, _ error: any Error) -> Never {
    // The first one may have to save and to say it; where it is gone itself, the launcher ends all.
    if !ranks.isFirst, (error as? RanksError)?.isOfOthers == true {
      sleep(60)
      ranks.abort(1)
    }
    if !(error is Told) { Failure(Vugen.self, isJSON: ProgramArguments.wantsJSON).tell(error) }
    _ = try? Output.finish()
    PartialOutput.removeAll()
    ranks.abort(1)
  }
}
