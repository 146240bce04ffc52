import DataSets
import Files
import Foundation
import Tensors
import VUGEN

/// What of a prompt a generation tower uses as its training goes on: a line for a person, and one in the run's
/// `prompt-use.jsonl`. A loss says nothing of it: that two things change places is worth a hundredth of it.
@NumericActor
public final class PromptUseLog {
  /// Near the noise, where a drawing's layout is decided, and where the layout can be seen already.
  private static let times: [Float] = [0.02, 0.1]

  /// The run that is measured: what it draws with, and scenes that it is not trained on, where there are any.
  public struct Subject {
    var folder: String
    var stepCount: Int
    var minutes: Double
    var scenes: Int
    var imaginer: () throws -> Imaginer
    var unseenScenes: () throws -> SceneComposer?

    /// - Parameters:
    ///   - folder: of the run.
    ///   - stepCount: steps that were taken before.
    ///   - minutes: between two measures; 0 for none.
    ///   - scenes: of each kind of change.
    public init(
      folder: String, stepCount: Int, minutes: Double, scenes: Int, imaginer: @escaping () throws -> Imaginer,
      unseenScenes: @escaping () throws -> SceneComposer?
    ) {
      (self.folder, self.stepCount, self.minutes, self.scenes) = (folder, stepCount, minutes, scenes)
      (self.imaginer, self.unseenScenes) = (imaginer, unseenScenes)
    }
  }

  private let subject: Subject
  private let tell: (String) -> Void
  private let path: String
  private var lines: [String] = []
  private var composer: SceneComposer?
  private var isWithoutScenes = false
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant

  /// Keeps what an earlier part of the run has measured.
  ///
  /// - Parameter tell: takes a line for a person.
  public init(_ subject: Subject, tell: @escaping (String) -> Void) {
    (self.subject, self.tell) = (subject, tell)
    path = subject.folder + "/prompt-use.jsonl"
    last = clock.now
    struct Line: Decodable { let step: Double }
    let text = (try? MappedFile.contents(of: path)) ?? Data()
    lines = text.split(separator: 10).filter { line in
      let old = try? JSONDecoder().decode(Line.self, from: line)
      return old.map { Int($0.step) <= subject.stepCount } ?? false
    }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Measures where it is time to. Throws what keeps the tower from being run, or the file from being written.
  public func measure(step: Int) throws {
    let minutes = subject.minutes
    guard minutes > 0, clock.now - last >= .seconds(minutes * 60) else { return }
    last = clock.now
    guard let composer = scenes() else { return }
    let use = PromptUse(try subject.imaginer())
    let found = try use.run(
      composer, .train, scenes: subject.scenes, times: Self.times)
    var report: [String: ReportValue] = ["step": .number(Double(step))]
    var told: [String] = []
    for (i, t) in Self.times.enumerated() {
      var shares: [String] = []
      for change in PromptChange.allCases {
        guard let score = found[change]?[i], score.scenes > 0 else { continue }
        report["\(change.rawValue), t \(t)"] = .number(Double(score.higher) / Double(score.scenes))
        report["\(change.rawValue), t \(t), excess"] = .number(score.meanExcess)
        shares.append("\(change.rawValue) \(score.higher) of \(score.scenes)")
      }
      told.append("t \(t): " + shares.joined(separator: ", "))
    }
    tell("step \(step), wrong prompts told apart at " + told.joined(separator: "; "))
    lines.append(try jsonLine(report))
    try AtomicFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: path)
  }

  /// A run whose latents are there goes on without the pictures that they were made of.
  private func scenes() -> SceneComposer? {
    if composer == nil, !isWithoutScenes {
      do { composer = try subject.unseenScenes() } catch { tell("nothing is measured: \(error)") }
      isWithoutScenes = composer == nil
    }
    return composer
  }
}
