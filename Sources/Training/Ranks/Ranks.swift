import CMPI
import Foundation
import Synchronization
import Tensors

/// The processes that train one model together, and which of them this is: the only one, unless a launcher of Open MPI
/// (`mpirun`, Slurm's `srun`) has started several.
///
/// What they do together all of them call, in the same order and on one thread. Alone, every operation is free and changes
/// no bit.
public final class Ranks: Sendable {
  /// Which one this is, 0 …< count.
  public let rank: Int
  /// How many there are.
  public let count: Int
  /// Whether a launcher has started it, so that others wait for its leave.
  private let isJoined: Bool
  private let failed = Mutex<RanksError?>(nil)
  /// Where all of them run.
  let places: [RankPlace]

  /// One process for itself.
  public static let alone = Ranks(rank: 0, count: 1, isJoined: false, places: [])

  private init(rank: Int, count: Int, isJoined: Bool, places: [RankPlace]) {
    (self.rank, self.count, self.isJoined, self.places) = (rank, count, isJoined, places)
  }

  /// Whether there is no other.
  public var isAlone: Bool { count == 1 }
  /// Whether this one speaks and writes for all.
  public var isFirst: Bool { rank == 0 }

  /// Whether a launcher has started this process as one of several, whose first one alone speaks.
  public static var isLaunched: Bool { vugen_mpi_launched_count() != 1 }
  /// The rank that the launcher gives this process, before it has joined the others; 0 without one.
  public static var launchedRank: Int { max(0, Int(vugen_mpi_launched_rank())) }

  /// Open MPI's version, or what is missing of it.
  public static var library: (isThere: Bool, text: String) {
    var text = [CChar](repeating: 0, count: 512)
    let isThere = vugen_mpi_library(&text, text.count)
    return (isThere, Self.text(text))
  }

  /// Joins the others, once a process; `alone` where no launcher says that there are any. Throws `RanksError`.
  public static func joined() throws -> Ranks {
    guard isLaunched else { return .alone }
    var rank: Int32 = 0, count: Int32 = 1, reason = [CChar](repeating: 0, count: 512)
    switch vugen_mpi_begin(&rank, &count, &reason, reason.count) {
    case VUGEN_MPI_DONE: break
    case VUGEN_MPI_NO_LIBRARY:
      throw RanksError(
        "a launcher started this as one process of several, and Open MPI cannot be loaded: \(text(reason)); install "
          + "openmpi-bin on every host, or start vugen without the launcher")
    default: throw RanksError("Open MPI cannot begin: \(text(reason))")
    }
    guard count > 1 || vugen_mpi_launched_count() == 0 else {
      throw RanksError(
        "a launcher started \(vugen_mpi_launched_count()) processes, and Open MPI knows of one alone; start them by its "
          + "own mpirun")
    }
    let ranks = Ranks(rank: Int(rank), count: Int(count), isJoined: true, places: [])
    let places = try ranks.gather(RankPlace.own.bytes).map(RankPlace.init)
    return Ranks(rank: Int(rank), count: Int(count), isJoined: true, places: places)
  }

  private static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Ends the waiting for others once `ask` says so: one of them may be gone.
  public static func whileWaiting(_ ask: @convention(c) () -> Bool) { vugen_mpi_when_waiting(ask) }

  /// Takes leave of the others, once all of them do.
  public func leave() { if isJoined { vugen_mpi_finish() } }

  /// Ends all processes: the others cannot go on without this one.
  public func abort(_ status: Int32) -> Never {
    guard isJoined else { exit(status) }
    vugen_mpi_abort(status)
  }

  // MARK: Numbers

  /// What an operation came to; behind one that has failed none is tried.
  func perform(_ operation: () -> vugen_mpi_end_kind) {
    guard failed.withLock({ $0 == nil }) else { return }
    switch operation() {
    case VUGEN_MPI_DONE: return
    // Waited for in vain, or cut off.
    default: failed.withLock { $0 = .gone }
    }
  }

  /// Throws what has gone wrong since; numbers that came of it must not be used.
  public func check() throws { if let error = failed.withLock({ $0 }) { throw error } }

  /// The sum over all, in place.
  public func sum(_ values: inout [Double]) throws {
    guard !isAlone else { return }
    perform { values.withUnsafeMutableBufferPointer { vugen_mpi_sum_doubles($0.baseAddress, $0.count) } }
    try check()
  }

  /// The largest of all, place by place.
  public func largest(_ values: [Double]) throws -> [Double] {
    guard !isAlone else { return values }
    var values = values
    perform { values.withUnsafeMutableBufferPointer { vugen_mpi_max_doubles($0.baseAddress, $0.count) } }
    try check()
    return values
  }

  /// Place by place, whether it holds on any rank.
  public func any(_ flags: [Bool]) throws -> [Bool] {
    isAlone ? flags : try largest(flags.map { $0 ? 1 : 0 }).map { $0 > 0 }
  }

  /// By what a mean over `count` things here is multiplied, so that the mean over the ranks is that over the things of all:
  /// one factor a count; 0 where there are none anywhere.
  public func shares(of counts: [Int]) throws -> [Float] {
    guard !isAlone else { return counts.map { _ in 1 } }
    var sums = counts.map(Double.init)
    try sum(&sums)
    return zip(counts, sums).map { $1 > 0 ? Float(Double($0) * Double(count) / $1) : 0 }
  }

  /// Waits for all.
  public func barrier() throws {
    guard !isAlone else { return }
    perform { vugen_mpi_barrier() }
    try check()
  }

  // MARK: Bytes

  /// Bytes of one rank, for all. Only that rank's `data` counts.
  public func broadcast(_ data: Data, from root: Int = 0) throws -> Data {
    guard !isAlone else { return data }
    var size = UInt64(data.count)
    perform {
      withUnsafeMutableBytes(of: &size) { vugen_mpi_broadcast($0.baseAddress, $0.count, Int32(root)) }
    }
    try check()
    var result = rank == root ? data : Data(count: Int(size))
    perform {
      result.withUnsafeMutableBytes { vugen_mpi_broadcast($0.baseAddress, $0.count, Int32(root)) }
    }
    try check()
    return result
  }

  /// A value of one rank, for all.
  public func broadcast<Value: Codable>(_ value: Value, from root: Int = 0) throws -> Value {
    guard !isAlone else { return value }
    let data = rank == root ? try JSONEncoder().encode([value]) : Data()
    let all = try JSONDecoder().decode([Value].self, from: try broadcast(data, from: root))
    return rank == root ? value : all[0]
  }

  /// A value of each rank, by rank, for all.
  public func collected<Value: Codable>(_ value: Value) throws -> [Value] {
    try (0..<count).map { try broadcast(value, from: $0) }
  }

  /// A tensor of one rank, for all; the others' says its shape and type.
  public func broadcast(_ tensor: Tensor, from root: Int = 0) throws -> Tensor {
    guard !isAlone else { return tensor }
    let result = tensor.copied()
    perform { vugen_mpi_broadcast(result.pointer, result.byteCount, Int32(root)) }
    try check()
    return result
  }

  /// As many bytes of each, by rank.
  func gather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    guard !isAlone else { return [bytes] }
    var all = [UInt8](repeating: 0, count: bytes.count * count)
    perform { vugen_mpi_gather(bytes, bytes.count, &all) }
    try check()
    return (0..<count).map { Array(all[$0 * bytes.count..<($0 + 1) * bytes.count]) }
  }
}

/// What goes wrong between ranks, in one line.
public struct RanksError: Error, CustomStringConvertible, Equatable {
  /// The line.
  public let description: String

  init(_ description: String) { self.description = description }

  static func ~= (pattern: RanksError, error: any Error) -> Bool { error as? RanksError == pattern }

  /// Where others were waited for in vain when this process is asked to end, or the way to them is cut.
  static let gone = RanksError("a rank has ended, or the launcher ends the run: the others no longer answer")

  /// Whether others are no longer there: the first rank says so and saves, if it can.
  public var isOfOthers: Bool { description.hasPrefix("a rank has ended") }

  /// The same behind a step of a run, whose state is saved.
  static func ended(at step: Int) -> RanksError {
    let saved =
      step > 0
      ? "step \(step) is saved, and --resume goes on from there"
      : "no step was taken, and nothing is to be resumed"
    return RanksError("a rank has ended, or the launcher ends the run; \(saved)")
  }
}
