import Files
import Foundation
import TestSupport
import Testing
import Training

/// Events are, byte for byte, what the package `tensorboard` writes: `Tests/Fixtures/make_event_reference.py`.
@Suite struct EventFileTests {
  private func contents(_ path: String) -> [UInt8] {
    [UInt8](FileManager.default.contents(atPath: path) ?? Data())
  }

  @Test func recordsAreThoseOfTheReference() throws {
    let place = try #require(
      Bundle.module.url(forResource: "events", withExtension: "tfevents", subdirectory: "Fixtures"))
    let pixels = (0..<3).flatMap { _ in (0...255).map(UInt8.init) }
    let events: [(EventFile.Content, Int, Double)] = [
      (.version, 0, 1.5), (.values([.number("loss/total", 0.75), .number("loss/flow", 1e-3)]), 1, 2.25),
      (.values([.number("run/rate", -2.5), .number("größe", 3)]), 300, 1.7e9),
      (.values([.picture("samples", width: 768, height: 130, png: pixels)]), 70_000, 1.75e9),
      (.restart, 301, 1.75e9),
    ]
    let written = events.flatMap { EventRecord.bytes($0.0, step: $0.1, seconds: $0.2) }
    #expect(!written.isEmpty && written == contents(place.path))
  }

  private func line(_ step: Int) -> MetricsLog.Line {
    let report = Trainer.Report(step: step, loss: 2, terms: [("flow", 0.5)], gradientNorm: 4, rate: 5)
    return MetricsLog.Line(report, picturesPerSecond: 6, seconds: 7, validationLoss: step == 2 ? 8 : nil)
  }

  /// A run that goes on appends to its file, cuts off what was half written, and says which steps come again.
  @Test func aFileGoesOn() throws {
    let folder = try temporaryFolder(), path = EventFile.path(in: folder)
    func open(after step: Int) throws -> EventFile { try EventFile(path: path, after: step) { 1.5 } }
    var file = try open(after: 0)
    for step in 1...3 { try file.append(line(step)) }
    let first = contents(path), version = EventRecord.bytes(.version, step: 0, seconds: 1.5)
    let values: [EventFile.Value] = [
      .number("loss/total", 2), .number("loss/flow", 0.5), .number("loss/validation", 8),
      .number("run/gradient norm", 4), .number("run/rate", 5), .number("run/pictures per second", 6),
    ]
    let second = EventRecord.bytes(.values(values), step: 2, seconds: 1.5)
    #expect(first.starts(with: version) && Data(first).range(of: Data(second)) != nil)
    // Killed within a record, and with a record whose sum is another.
    for damage in 0..<2 {
      let torn =
        damage == 0 ? first + second.dropLast(5) : first + second.dropLast() + [(second.last ?? 0) ^ 1]
      try Data(torn).write(to: URL(fileURLWithPath: path))
      file = try open(after: 2)
      try file.append(line(2))
      #expect(contents(path) == first + EventRecord.bytes(.restart, step: 3, seconds: 1.5) + second)
    }
    // What is no such file begins anew, as nobody can read it.
    try Data("nothing of the kind".utf8).write(to: URL(fileURLWithPath: path))
    _ = try open(after: 0)
    #expect(contents(path) == version)
  }
}
