import Benchmarks
import Foundation
import Testing

struct MeasurementTests {
  @Test func theMiddleIsTheUpperOfTwo() {
    #expect([3, 1, 2].median == 2 && [4, 1, 3, 2].median == 3 && [Double]().median == 0)
    #expect([1, 2, 6].mean == 3 && [Double]().mean == 0)
    let all = (0..<300).reversed().map(Double.init)
    #expect(all.percentile(99) == 297 && all.percentile(0) == 0 && all.percentile(100) == 299)
    #expect([Double]().percentile(99) == 0)
  }

  @Test func barsHoldOnTheirSide() {
    let most = Measurement.Bar.atMost(3), least = Measurement.Bar.atLeast(0.4)
    #expect(most.holds(3) && most.holds(0.1) && !most.holds(3.01))
    #expect(least.holds(0.4) && least.holds(1) && !least.holds(0.39))
  }

  /// What scripts read, and what a person does.
  @Test func aReportTellsTheSameTwice() throws {
    let machine = Machine(
      threads: 4, instructionSet: "avx2", hasBF16Products: false, peakF32Gflops: 100, peakBF16Gflops: 100,
      readBytesPerSecond: 2e10)
    let report = BenchReport(
      machine: machine,
      results: [
        Measurement(name: "product", seconds: 0.25, gflops: 80, limitShare: 0.8),
        Measurement(name: "two at once", ratio: 0.3, bar: .atLeast(0.4)),
      ])
    let lines = report.lines
    #expect(lines.count == 3 && lines[0].hasPrefix("4 threads, avx2 kernels"))
    #expect(lines[0].contains("no bf16 products here") && lines[0].hasSuffix("read 20.0 GB/s"))
    #expect(lines[1].contains("250.000 ms") && lines[1].contains("80 % of the limit"))
    #expect(lines[2].contains("0.30  (at least 0.40: missed)") && !lines[2].contains("ms"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
    let results = try #require(object["results"] as? [[String: Any]])
    #expect((object["machine"] as? [String: Any])?["threads"] as? Int == 4)
    #expect(Set(results[0].keys) == ["name", "seconds", "gflops", "limitShare"])
    #expect(results[1]["ratio"] as? Double == 0.3)
  }
}
