import Files
import Foundation
import Tensors

/// One line of a benchmark, and one entry of `results` in its JSON.
struct Measurement: Codable {
  var name: String
  /// Median over the runs, of one call.
  var seconds = 0.0
  var gflops: Double?
  var bytesPerSecond: Double?
  /// Share of the limit that this machine showed at the start, 0…1.
  var limitShare: Double?
  var tokensPerSecond: Double?
  /// Memory, and as a share of the weights' files.
  var bytes: Int?
  var weightShare: Double?
  /// Of two times in this run, and the most (or, of a share, the least) that it may be.
  var ratio: Double?
  var bar: Bar?

  enum Bar: Codable, Equatable {
    case atMost(Double), atLeast(Double)

    func holds(_ ratio: Double) -> Bool {
      switch self {
      case .atMost(let bar): ratio <= bar
      case .atLeast(let bar): ratio >= bar
      }
    }
  }
}

/// The machine as the benchmark saw it.
struct Machine: Codable {
  var threads: Int
  var instructionSet: String
  var hasBF16Products: Bool
  /// Peaks measured at the start: a large product in f32 and bf16, a large read.
  var peakF32Gflops: Double
  var peakBF16Gflops: Double
  var readBytesPerSecond: Double
}

struct BenchReport: Codable {
  var machine: Machine
  var results: [Measurement]

  func print(asJSON: Bool) throws {
    if asJSON {
      Swift.print(try jsonLine(of: self))
      return
    }
    let m = machine
    Swift.print(
      "\(m.threads) threads, \(m.instructionSet) kernels; measured peaks: f32 \(whole(m.peakF32Gflops)) GFLOP/s, "
        + "bf16 \(whole(m.peakBF16Gflops)) GFLOP/s\(m.hasBF16Products ? "" : " (no bf16 products here: it runs as f32)"), "
        + "read \(String(format: "%.1f", m.readBytesPerSecond / 1e9)) GB/s")
    let width = results.map(\.name.count).max() ?? 0
    for r in results {
      var line = r.name.padding(toLength: width + 2, withPad: " ", startingAt: 0)
      if let bytes = r.bytes {
        line += String(format: "%10.3f GB", Double(bytes) / 1e9)
      } else if r.ratio == nil {
        line += String(format: "%10.3f ms", r.seconds * 1e3)
      }
      if let g = r.gflops { line += String(format: "  %6.0f GFLOP/s", g) }
      if let b = r.bytesPerSecond { line += String(format: "  %6.1f GB/s", b / 1e9) }
      if let t = r.tokensPerSecond { line += String(format: "  %6.1f tokens/s", t) }
      if let w = r.weightShare { line += String(format: "  %4.0f %% of the weights", w * 100) }
      if let ratio = r.ratio { line += String(format: "%13.2f", ratio) }
      if let ratio = r.ratio, let bar = r.bar {
        switch bar {
        case .atMost(let most): line += String(format: "  (at most %.2f: ", most)
        case .atLeast(let least): line += String(format: "  (at least %.2f: ", least)
        }
        line += bar.holds(ratio) ? "met)" : "missed)"
      }
      if let s = r.limitShare { line += String(format: "  %4.0f %% of the limit", s * 100) }
      Swift.print(line)
    }
  }

  private func whole(_ x: Double) -> String { String(format: "%.0f", x) }
}

/// Median seconds of `body` over `runs`, after `warmUp` unmeasured calls.
@NumericActor
func medianSeconds(runs: Int, warmUp: Int = 1, _ body: @NumericActor () -> Void) -> Double {
  let times = sortedSeconds(runs: runs, warmUp: warmUp, body)
  return times[times.count / 2]
}

/// The shortest run: what the machine can do, for limits.
@NumericActor
func shortestSeconds(runs: Int, _ body: @NumericActor () -> Void) -> Double {
  sortedSeconds(runs: runs, warmUp: 2, body)[0]
}

@NumericActor
private func sortedSeconds(runs: Int, warmUp: Int, _ body: @NumericActor () -> Void) -> [Double] {
  for _ in 0..<warmUp { body() }
  let clock = ContinuousClock()
  return (0..<max(1, runs)).map { _ in clock.measure(body) / .seconds(1) }.sorted()
}

extension Machine {
  /// Looks at the processor for a second or two: long enough for its clock to rise.
  @NumericActor
  static func measured() -> Machine {
    var random = Philox(seed: 1)
    let (m, n) = (2048, 1024)
    let weight = Parameter(.normal([n, n], using: &random)), x = Tensor.normal([m, n], using: &random)
    func peak(_ type: ElementType) -> Double {
      let input = x.cast(to: type)
      let seconds = shortestSeconds(runs: 50) { _ = linear(input, weight: weight.tensor(as: type)) }
      return 2 * Double(m * n * n) / seconds / 1e9
    }
    let f32 = peak(.f32), bf16 = Hardware.hasBF16Products ? peak(.bf16) : f32
    let pass = ReadPass(), read = Double(pass.byteCount) / ((0..<6).map { _ in pass.seconds() }.min() ?? 1)
    return Machine(
      threads: Int(Threads.count), instructionSet: Hardware.instructionSet.rawValue,
      hasBF16Products: Hardware.hasBF16Products, peakF32Gflops: f32, peakBF16Gflops: bf16,
      readBytesPerSecond: read)
  }

  func peakGflops(_ precision: Precision) -> Double { precision == .f32 ? peakF32Gflops : peakBF16Gflops }
}

/// A pass over memory that no cache holds: what reading is limited by.
@NumericActor
struct ReadPass {
  /// Four times the largest cache that these machines have.
  private let large = Tensor.zeros([48 << 10, 1024]), row = Tensor.zeros([1, 1024])

  var byteCount: Int { large.byteCount }

  /// Seconds of a pass, the faster of one as a plain sum and one as a product with a row.
  func seconds() -> Double {
    min(
      medianSeconds(runs: 1, warmUp: 0) { _ = large.sumOfSquares() },
      medianSeconds(runs: 1, warmUp: 0) { _ = linearFromStored(row, weight: large) })
  }
}
