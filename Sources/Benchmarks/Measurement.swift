import Foundation
import Tensors

/// One line of a benchmark, and one entry of `results` in its JSON.
public struct Measurement: Codable, Sendable {
  /// What was measured, with its sizes: the key by which two reports are compared.
  public var name: String
  /// Median over the runs, of one call.
  public var seconds = 0.0
  /// Billions of multiplications and additions a second, where that is what limits it.
  public var gflops: Double?
  /// Bytes read and written a second, where memory limits it.
  public var bytesPerSecond: Double?
  /// Share of the limit that this machine showed at the start, 0…1.
  public var limitShare: Double?
  /// Of a language model, while it reads or writes.
  public var tokensPerSecond: Double?
  /// Memory, and as a share of the weights' files.
  public var bytes: Int?
  /// That memory over the weights' files.
  public var weightShare: Double?
  /// Of two times in this run, and the most (or, of a share, the least) that it may be.
  public var ratio: Double?
  /// What the ratio is held against; nil for none.
  public var bar: Bar?

  /// Each argument is the property of its name.
  public init(
    name: String, seconds: Double = 0, gflops: Double? = nil, bytesPerSecond: Double? = nil,
    limitShare: Double? = nil, tokensPerSecond: Double? = nil, bytes: Int? = nil, weightShare: Double? = nil,
    ratio: Double? = nil, bar: Bar? = nil
  ) {
    (self.name, self.seconds, self.gflops, self.bytesPerSecond) = (name, seconds, gflops, bytesPerSecond)
    (self.limitShare, self.tokensPerSecond, self.bytes) = (limitShare, tokensPerSecond, bytes)
    (self.weightShare, self.ratio, self.bar) = (weightShare, ratio, bar)
  }

  /// What a ratio is held against.
  public enum Bar: Codable, Equatable, Sendable {
    case atMost(Double), atLeast(Double)

    /// Whether a ratio is on the right side.
    public func holds(_ ratio: Double) -> Bool {
      switch self {
      case .atMost(let bar): ratio <= bar
      case .atLeast(let bar): ratio >= bar
      }
    }
  }
}

/// The machine as the benchmark saw it.
public struct Machine: Codable, Sendable {
  /// The budget of the run (`Threads.count`).
  public var threads: Int
  /// What the kernels use: `baseline`, `avx2` or `avx512`.
  public var instructionSet: String
  /// Whether the processor multiplies bf16 itself.
  public var hasBF16Products: Bool
  /// Peaks measured at the start: a large product in f32 and bf16, a large read.
  public var peakF32Gflops: Double
  /// The same product in bf16.
  public var peakBF16Gflops: Double
  /// The same of memory.
  public var readBytesPerSecond: Double

  /// From figures that were measured elsewhere.
  public init(
    threads: Int, instructionSet: String, hasBF16Products: Bool, peakF32Gflops: Double,
    peakBF16Gflops: Double,
    readBytesPerSecond: Double
  ) {
    (self.threads, self.instructionSet, self.hasBF16Products) = (threads, instructionSet, hasBF16Products)
    (self.peakF32Gflops, self.peakBF16Gflops) = (peakF32Gflops, peakBF16Gflops)
    self.readBytesPerSecond = readBytesPerSecond
  }
}

/// What a benchmark found, and on which machine.
public struct BenchReport: Codable, Sendable {
  /// Where it was measured.
  public var machine: Machine
  /// In the order of measuring.
  public var results: [Measurement]

  /// Each argument is the property of its name.
  public init(machine: Machine, results: [Measurement]) { (self.machine, self.results) = (machine, results) }

  /// The report as a person reads it.
  public var lines: [String] {
    let m = machine, width = results.map(\.name.count).max() ?? 0
    let head =
      "\(m.threads) threads, \(m.instructionSet) kernels; measured peaks: f32 \(whole(m.peakF32Gflops)) GFLOP/s, "
      + "bf16 \(whole(m.peakBF16Gflops)) GFLOP/s\(m.hasBF16Products ? "" : " (no bf16 products here: it runs as f32)"), "
      + "read \(String(format: "%.1f", m.readBytesPerSecond / 1e9)) GB/s"
    return [head] + results.map { $0.line(width: width + 2) }
  }

  private func whole(_ x: Double) -> String { String(format: "%.0f", x) }
}

extension Measurement {
  /// - Parameter width: of the name's column.
  fileprivate func line(width: Int) -> String {
    var line = name.padding(toLength: width, withPad: " ", startingAt: 0)
    if let bytes {
      line += String(format: "%10.3f GB", Double(bytes) / 1e9)
    } else if ratio == nil {
      line += String(format: "%10.3f ms", seconds * 1e3)
    }
    if let gflops { line += String(format: "  %6.0f GFLOP/s", gflops) }
    if let bytesPerSecond { line += String(format: "  %6.1f GB/s", bytesPerSecond / 1e9) }
    if let tokensPerSecond { line += String(format: "  %6.1f tokens/s", tokensPerSecond) }
    if let weightShare { line += String(format: "  %4.0f %% of the weights", weightShare * 100) }
    if let ratio { line += String(format: "%13.2f", ratio) }
    if let ratio, let bar {
      switch bar {
      case .atMost(let most): line += String(format: "  (at most %.2f: ", most)
      case .atLeast(let least): line += String(format: "  (at least %.2f: ", least)
      }
      line += bar.holds(ratio) ? "met)" : "missed)"
    }
    if let limitShare { line += String(format: "  %4.0f %% of the limit", limitShare * 100) }
    return line
  }
}

/// What keeps a benchmark from its result, in one line.
public struct BenchmarkError: Error, CustomStringConvertible, Equatable {
  /// Which benchmark cannot be run here and why, in one line.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Median seconds of `body` over `runs`, after `warmUp` unmeasured calls.
@NumericActor
public func medianSeconds(runs: Int, warmUp: Int = 1, _ body: @NumericActor () -> Void) -> Double {
  times(runs: runs, warmUp: warmUp, body).median
}

/// The shortest run: what the machine can do, for limits.
@NumericActor
func shortestSeconds(runs: Int, _ body: @NumericActor () -> Void) -> Double {
  times(runs: runs, warmUp: 2, body).min() ?? 0
}

@NumericActor
private func times(runs: Int, warmUp: Int, _ body: @NumericActor () -> Void) -> [Double] {
  for _ in 0..<warmUp { body() }
  let clock = ContinuousClock()
  return (0..<max(1, runs)).map { _ in clock.measure(body) / .seconds(1) }
}

extension Machine {
  /// Looks at the processor for a second or two: long enough for its clock to rise.
  @NumericActor
  public static func measured() -> Machine {
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

  /// Of products in a precision.
  public func peakGflops(_ precision: Precision) -> Double {
    precision == .f32 ? peakF32Gflops : peakBF16Gflops
  }
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
