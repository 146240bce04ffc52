import Engine
import Foundation
import Frames
import Pictures
import Requests
import SessionLog
import StudioUI
import Terminal
import VUGEN

/// A studio before a screen, without the program around it.
private final class Stage {
  private var state: StudioState
  private let screen: Screen
  private let cache = LayoutCache()

  init(_ state: StudioState, _ screen: Screen) { (self.state, self.screen) = (state, screen) }

  func act(_ action: Action) { _ = reduce(&state, action) }
  func draw() { screen.draw(view(state, cache), theme: state.terminal.theme) }
  func scrollToEnd() { act(.key(.escape)) }
}

/// The studio before a pseudo-terminal that stands in for standard input and output.
public struct StudioMeasurement {
  private let model: String

  /// - Parameter model: the folder of the model that draws meanwhile.
  public init(model: String) { self.model = model }

  /// What was measured, by its name. Throws `BenchmarkError`, `TerminalError`, or what is wrong with the model.
  public func run() async throws -> [(String, Double)] {
    setenv("TERM", "xterm-256color", 1)
    let terminal = try PseudoTerminal(columns: 160, rows: 50)
    defer { terminal.restore() }
    let opening = try StudioOpening(terminal).results()
    let cache = EncodedPictureCache(load: { _ in nil }, onReady: {})
    let screen = Screen(graphics: .sixel, usesColours: true, cache: cache)
    try screen.start(environment: ["TERM": "xterm-256color"])
    defer { screen.end() }
    let stage = Stage(longSession(cache), screen)
    stage.act(.resized(Size(160, 50), cell: screen.facts.cell))
    stage.draw()
    var results = opening + scroll(stage)
    // Whatever was being encoded is shown, then nothing may be sent any more.
    for _ in 0..<20 {
      usleep(20_000)
      stage.draw()
    }
    let before = terminal.settledCount()
    for _ in 0..<100 { stage.draw() }
    results.append(
      ("bytes sent for an unchanged screen, 100 draws", Double(terminal.settledCount() - before)))
    results += try await type(stage)
    results.append(("CPU share while idle for two seconds", idleShare()))
    return results
  }

  /// 10 000 messages, a picture at every twentieth.
  private func longSession(_ cache: EncodedPictureCache) -> StudioState {
    var state = StudioState(), seed: UInt64 = 1
    for i in 1...10_000 {
      guard i % 20 == 0 else {
        _ = reduce(
          &state, .session(.note("message \(i): a line of text that somebody wrote about a picture")))
        continue
      }
      let name = PictureID.hash("picture \(i)")
      let pixels = (0..<32 * 32).flatMap { _ -> [UInt8] in
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return [UInt8(seed >> 56), UInt8(seed >> 48 & 255), UInt8(seed >> 40 & 255)]
      }
      cache.add(Picture(width: 32, height: 32, rgb: pixels).resizedBicubic(width: 128, height: 128), name)
      _ = reduce(&state, .pictureKnown(name, Size(128, 128)))
      let origin = PictureOrigin(ImageSettings(prompt: "a picture"), stepsDone: 50)
      _ = reduce(
        &state, .session(.drawn(request: i, picture: name, origin: origin, seconds: 1, isPartial: false)))
    }
    return state
  }

  private func scroll(_ stage: Stage) -> [(String, Double)] {
    let clock = ContinuousClock(), frames = 400
    var times: [Double] = []
    for _ in 0..<frames {
      times.append(
        clock.measure {
          stage.act(.key(.mouse(.init(.wheelUp, 5, 5))))
          stage.draw()
        } / .seconds(1))
    }
    stage.scrollToEnd()
    return [
      ("scrolling 10 000 messages, frames per second", Double(frames) / times.reduce(0, +)),
      ("… slowest frame in 100, ms", times.percentile(99) * 1000),
    ]
  }

  /// Keys while the model draws.
  private func type(_ stage: Stage) async throws -> [(String, Double)] {
    let engine = StudioEngine(folder: model), facts = try await engine.load()
    guard facts.canDraw else { return [] }
    let flag = CancellationFlag()
    var settings = ImageSettings(prompt: "a red apple left of a cat")
    settings.steps = 200
    let request = Request<Picture>.imagine(settings, count: 1000, parent: nil)
    let work = Task.detached {
      await engine.run(request, previewEvery: .milliseconds(250), cancelledBy: flag) { _ in }
    }
    let clock = ContinuousClock()
    var times: [Double] = []
    for i in 0..<300 {
      usleep(10_000)
      let key: Key = i % 10 == 9 ? .control("u") : .character(Character(Unicode.Scalar(UInt8(97 + i % 26))))
      times.append(
        clock.measure {
          stage.act(.key(key))
          stage.draw()
        } / .seconds(1))
    }
    flag.set()
    await work.value
    return [
      ("key to screen while the model draws, median ms", times.median * 1000),
      ("… slowest in 100, ms", times.percentile(99) * 1000),
    ]
  }

  private func idleShare() -> Double {
    func used() -> Double {
      var usage = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
    }
    let before = used()
    usleep(2_000_000)
    return (used() - before) / 2
  }
}
