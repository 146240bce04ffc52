import CMPI
import Foundation
import Tensors

/// Where a rank runs: its host, and which processors of it.
package struct RankPlace: Equatable, Sendable {
  static let hostLength = 64, maskLength = 128

  /// The host's name, as the system gives it.
  package let host: String
  /// A bit a processor.
  package let mask: [UInt8]

  package init(host: String, mask: [UInt8]) { (self.host, self.mask) = (host, mask) }

  /// From `bytes`.
  package init(_ bytes: [UInt8]) {
    host = String(decoding: bytes.prefix(Self.hostLength).prefix { $0 != 0 }, as: UTF8.self)
    mask = Array(bytes.dropFirst(Self.hostLength))
  }

  /// As many for every place.
  package var bytes: [UInt8] {
    let name = Array(host.utf8.prefix(Self.hostLength))
    return name + [UInt8](repeating: 0, count: Self.hostLength - name.count) + mask
  }

  /// This process's.
  static var own: RankPlace { RankPlace(host: hostName, mask: mask(of: 0)) }

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The processors that a process may use; 0 is this one.
  static func mask(of process: pid_t) -> [UInt8] {
    var mask = [UInt8](repeating: 0, count: maskLength)
    vugen_mpi_processors(process, &mask, mask.count)
    return mask
  }

  /// Whether both run on one host and share a processor.
  func shares(processorsWith other: RankPlace) -> Bool {
    host == other.host && zip(mask, other.mask).contains { $0 & $1 != 0 }
  }
}

extension Ranks {
  /// The host of each rank.
  public var hosts: [String] { places.map(\.host) }

  /// Threads for this rank: the cores that it may use, divided by the ranks of this host that may use them, too.
  public var threads: Int32 {
    Self.threads(of: rank, at: places, cores: Threads.physicalCores)
  }

  package static func threads(of rank: Int, at places: [RankPlace], cores: Int32) -> Int32 {
    guard places.indices.contains(rank) else { return cores }
    let sharing = places.count { $0.shares(processorsWith: places[rank]) }
    return max(1, cores / Int32(max(1, sharing)))
  }

  /// What a person should know where the launcher has bound this host's ranks to a few of the processors that it has itself;
  /// nil where all are in use.
  public var binding: String? {
    guard places.indices.contains(rank) else { return nil }
    let here = places.filter { $0.host == places[rank].host }
    return Self.binding(here.map(\.mask), launcher: RankPlace.mask(of: getppid()))
  }

  package static func binding(_ masks: [[UInt8]], launcher: [UInt8]) -> String? {
    func count(_ mask: [UInt8]) -> Int { mask.reduce(0) { $0 + $1.nonzeroBitCount } }
    let used = masks.reduce([UInt8](repeating: 0, count: launcher.count)) { zip($0, $1).map { $0 | $1 } }
    let (few, all) = (count(used), count(launcher))
    guard few > 0, few < all else { return nil }
    return
      "the launcher lets the ranks of this host use \(few) of \(all) processors; mpirun --bind-to none gives them all"
  }
}
