import DataSets
import Evaluation
import Foundation
import Tensors
import TestSupport
import Testing
import VUGEN

/// Measures, tried on what is wrong as well as on what is right.
@Suite(.serialized)
@NumericActor
struct EvaluationTests {
  private func tiny() throws -> LoadedModel {
    let folder = temporaryPath()
    try ModelShape.tiny.write(to: folder, seed: 5)
    return try LoadedModel(folder: folder)
  }

  private func composer(_ size: Int) throws -> SceneComposer {
    SceneComposer(try curatedCutOuts.get(), seed: 1, size: size)
  }

  /// A right answer to every question, and to none a wrong one that another scene's question would have.
  @Test func answersAreRightOrWrong() throws {
    let composer = try composer(32)
    var kinds: Set<String> = []
    for index in 0..<60 {
      let record = composer.scene(UInt64(index), .validation).record
      for (measure, question) in UnderstandingEvaluation.questions(of: record) {
        kinds.insert(measure)
        #expect(UnderstandingEvaluation.isRight(question.answer, question, measure, record), "\(question)")
        // Captions and classes are compared by what they name, all others word for word.
        let isExact = !["caption", "class"].contains(measure)
        for wrong in ["nonsense", ""] + (isExact ? [question.answer + " and a dog", question.question] : []) {
          #expect(!UnderstandingEvaluation.isRight(wrong, question, measure, record), "\(wrong)")
        }
      }
    }
    #expect(kinds == Set(UnderstandingEvaluation.measures))
  }

  /// Random weights know nothing: every kind of question is asked, and hardly any is answered.
  @Test func randomWeightsKnowNothing() throws {
    var done: [Int] = []
    let found = try UnderstandingEvaluation(tiny(), batch: 8).run(composer(112), .validation, scenes: 6) {
      done.append($0)
    }
    #expect(done.last == 6 && done == done.sorted())
    #expect(found.scores.values.allSatisfy { $0.asked > 0 && $0.right == 0 }, "\(found.scores)")
    let wrong = found.confusions.reduce(0) { $0 + $1.count }
    #expect(wrong == found.scores.values.reduce(0) { $0 + $1.asked })
    #expect(found.confusions.map(\.count) == found.confusions.map(\.count).sorted(by: >))
    #expect(throws: CancellationError.self) {
      try UnderstandingEvaluation(tiny(), batch: 8).run(
        composer(112), .validation, scenes: 6, isCancelled: { true }
      ) { _ in }
    }
  }

  /// A caption's own picture is found far more often than by chance, which would be 1 in 5.
  @Test func captionsFindTheirPictures() throws {
    let model = try LoadedModel(folder: EmbeddedModel.folder), retrieval = try Retrieval(model)
    let composer = try composer(model.configuration.vision.imageSize)
    let one = try retrieval.share(composer, .heldOut, scenes: 20, top: 1)
    let four = try retrieval.share(composer, .heldOut, scenes: 20, top: 4)
    #expect(one >= 0.3 && four >= 0.7 && one <= four, "\(one), \(four)")
    #expect(throws: (any Error).self) { try Retrieval(tiny()) }
  }

  @Test func fewerBitsAreMeasuredAgainstTheStored() throws {
    let model = try tiny()
    let evaluation = QuantizationEvaluation(model, try composer(112), .validation, scenes: 4, batch: 4)
    var done: [Int] = []
    let results = try evaluation.run { done.append($0) }
    #expect(results.map(\.bits) == [nil, .eight, .four] && done.last == 12 && done == done.sorted())
    #expect(results[0].sameAnswers == 1 && results.allSatisfy { $0.logProbability < 0 })
    // 4 bits are further from the stored weights than 8.
    let (eight, four) = (results[1], results[2])
    let whole = results[0].logProbability
    #expect(abs(eight.logProbability - whole) < abs(four.logProbability - whole), "\(results)")
    #expect(model.tower.quantizedOutput != nil)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try evaluation.run { _ in throw Stop() } }
  }

  /// A picture of the right scene comes back nearer than one of another.
  @Test func reconstructionsAreTheirPictures() throws {
    let model = try LoadedModel(folder: EmbeddedModel.folder), drawing = try model.generation()
    let composer = try composer(drawing.configuration.imageSize)
    let values = try ReconstructionEvaluation(model.tower, drawing).run(
      composer, .heldOut, scenes: 3, steps: 1
    ) { _ in }
    for (i, value) in values.enumerated() {
      let own = composer.scene(UInt64(i), .heldOut).picture
      let drawn = drawing.reconstruct(own, model.tower, steps: 1, seed: UInt64(i))
      #expect(drawn.psnr(own) == value && value > 10)
      #expect(drawn.psnr(composer.scene(UInt64(i + 1), .heldOut).picture) < value)
    }
  }
}
