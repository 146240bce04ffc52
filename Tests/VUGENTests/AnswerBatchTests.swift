import Foundation
import ModelFiles
import Pictures
import TestSupport
import Tensors
import Testing
import VUGEN

/// Many answers at once against `Conversation.ask` one by one, on the tiny random models.
@Suite(.serialized)
@NumericActor
struct AnswerBatchTests {
  private struct Model {
    let model: LoadedModel
    var tower: UnderstandingTower { model.tower }
    let pictures: [Tensor]

    init(_ folder: String, _ precision: Precision = .f32) throws {
      let tower = try UnderstandingTower(folder: folder)
      tower.precision = precision
      model = try LoadedModel(tower, Tokenizer(folder: fixtures()), folder: folder)
      var random = Philox(seed: 11)
      let side = tower.configuration.vision.imageSize
      let whole = try Picture(path: try fixtures() + "/picture.png")
      pictures =
        [tower.configuration.vision.tiles(of: whole)]
        + (0..<3).map { _ in Tensor.uniform([1, side, side, 3], low: -1, high: 1, using: &random) }
    }

    func batch(_ slots: Int) -> AnswerBatch { AnswerBatch(model, slots: slots) }

    /// As an answer that nothing runs beside.
    func alone(_ question: BatchQuestion) throws -> Answer {
      let talk = Conversation(model)
      var random = Philox(seed: question.seed)
      let answer = try talk.ask(
        question.turn, sampling: question.sampling, most: question.most, using: &random)
      return Answer(answer.tokens, talk.promptTokens, answer.text, answer.stop)
    }

    /// Of all lengths: with a picture, with two, with none; short and long questions and answers.
    func questions(_ count: Int) -> [BatchQuestion] {
      (0..<count).map { i in
        let own = [[pictures[i % 4]], [], [pictures[3], pictures[0]]][i % 3]
        let text = String(repeating: "What is it? ", count: 1 + i * 5 % 7)
        let sampling = i % 4 == 3 ? Sampling(temperature: 0.8, repetitionPenalty: 1.2) : .greedy
        return BatchQuestion(
          Turn(.user, text, pictures: own), sampling: sampling, most: 1 + i * 7 % 23, seed: UInt64(i))
      }
    }
  }

  private struct Answer: Equatable {
    let tokens, prompt: [Int32], text: String, stop: StopReason

    init(_ tokens: [Int32], _ prompt: [Int32], _ text: String, _ stop: StopReason) {
      (self.tokens, self.prompt, self.text, self.stop) = (tokens, prompt, text, stop)
    }

    init(_ answer: BatchAnswer) { self.init(answer.tokens, answer.promptTokens, answer.text, answer.stop) }
  }

  private func answers(_ batch: AnswerBatch, _ questions: [BatchQuestion]) throws -> [Answer] {
    var rest = questions[...], list: [Answer] = []
    try batch.run({ rest.popFirst().map { .success($0) } }) { index, answer in
      #expect(index == list.count)
      list.append(Answer(try answer.get()))
    }
    return list
  }

  /// Fewer slots than questions, as many, more, and one alone.
  @Test(arguments: modelNames)
  func answersAreThoseOfOneByOne(_ name: String) throws {
    let model = try Model(try fixtures() + "/" + name), questions = model.questions(17)
    let expected = try questions.map(model.alone)
    for slots in [1, 3, 16, 32] {
      let found = try answers(model.batch(slots), questions)
      #expect(found == expected, "\(name), \(slots) at once")
    }
  }

  /// Answers that end by themselves, at different steps: their places are taken at once.
  @Test func endedAnswersMakeRoom() throws {
    let copy = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: try fixtures() + "/plain", toPath: copy)
    var model = try Model(copy)
    // A token that answers come to sooner or later, each at its own step, becomes one that ends them.
    let long = model.questions(12).map {
      BatchQuestion($0.turn, sampling: Sampling(temperature: 1), most: 24, seed: $0.seed)
    }
    let said = try long.map { try model.alone($0).tokens }
    let common = try #require(
      Set(said.flatMap { $0 }).max { a, b in
        func places(_ t: Int32) -> Int { Set(said.compactMap { $0.firstIndex(of: t) }).count }
        return places(a) < places(b)
      })
    let path = copy + "/config.json"
    var file = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    var text = try #require(file["text_config"] as? [String: Any])
    text["eos_token_id"] = [Int(common)]
    file["text_config"] = text
    try JSONSerialization.data(withJSONObject: file).write(to: URL(fileURLWithPath: path))
    model = try Model(copy)
    let expected = try long.map(model.alone)
    #expect(Set(expected.filter { $0.stop == .end }.map(\.tokens.count)).count > 1)
    for slots in [2, 5] { #expect(try answers(model.batch(slots), long) == expected) }
  }

  /// Several questions about one picture read it once, and say the same.
  @Test(arguments: ["plain", "rounded"])
  func questionsShareTheirPicture(_ name: String) throws {
    let model = try Model(try fixtures() + "/" + name)
    let questions = (0..<13).map { i in
      BatchQuestion(Turn(.user, "Question \(i)?", pictures: [model.pictures[i / 5]]), most: 9)
    }
    let expected = try questions.map(model.alone)
    for slots in [1, 4, 16] { #expect(try answers(model.batch(slots), questions) == expected) }
  }

  @Test func aBadQuestionFailsAlone() throws {
    let model = try Model(try fixtures() + "/plain")
    var questions: [Result<BatchQuestion, any Error>] = model.questions(6).map { .success($0) }
    questions.insert(.failure(ModelFileError("x.png", "no such file")), at: 2)
    let long = Turn(.user, String(repeating: "word ", count: 3000), pictures: [model.pictures[0]])
    questions.insert(.success(BatchQuestion(long)), at: 5)
    var rest = questions[...], places: [Int] = [], failed: [Int] = []
    try model.batch(3).run({ rest.popFirst() }) { index, answer in
      places.append(index)
      do {
        #expect(Answer(try answer.get()) == (try model.alone(try questions[index].get())))
      } catch {
        failed.append(index)
      }
    }
    #expect(places == Array(0..<8) && failed == [2, 5])
  }

  /// Answers come while later questions are not even made, be they ever so short; so do failures.
  @Test func answersComeAsTheyFinish() throws {
    let model = try Model(try fixtures() + "/plain")
    var asked = 0, farthest = 0
    try model.batch(4).run {
      guard asked < 60 else { return nil }
      asked += 1
      if asked % 5 == 0 { return .failure(PromptError.empty) }
      return .success(BatchQuestion(Turn(.user, "What?", pictures: [model.pictures[asked % 4]]), most: 1))
    } onAnswer: { index, _ in
      farthest = max(farthest, asked - index)
    }
    #expect(asked == 60 && farthest <= 4)
  }

  @Test func cancellingKeepsWholeAnswers() throws {
    let model = try Model(try fixtures() + "/rounded"), questions = model.questions(9)
    let expected = try questions.map(model.alone), batch = model.batch(3)
    for allowed in [0, 3, 17, 40] {
      var rest = questions[...], looks = 0, kept: [Int] = []
      let isWhole = try batch.run({ rest.popFirst().map { .success($0) } }) {
        looks += 1
        return looks > allowed
      } onAnswer: { index, answer in
        #expect(kept.allSatisfy { $0 < index })
        kept.append(index)
        let found = Answer(try answer.get())
        #expect(found == expected[index])
      }
      #expect(!isWhole && looks == allowed + 1 && kept.count < questions.count)
    }
    // It can be used again.
    #expect(try answers(batch, questions) == expected)
  }

  /// Memory is that of the slots and of what prompts begin with, however many questions there are.
  @Test func memoryIsThatOfTheSlots() throws {
    let model = try Model(try fixtures() + "/plain"), slots = 2, most = 200
    let turn = Turn(.user, "What?", pictures: [model.pictures[0]])
    let prompt = Conversation(model.model).tokenCount(asking: turn)
    let memory = BatchMemory(model.tower.configuration, promptTokens: prompt, most: most)
    _ = try model.alone(BatchQuestion(turn, most: 1))
    let before = MemoryPool.shared.counters.bytesInUse
    var asked = 0, largest = 0
    try model.batch(slots).run {
      asked += 1
      return asked > 40 ? nil : .success(BatchQuestion(turn, most: most - asked))
    } isCancelled: {
      largest = max(largest, MemoryPool.shared.counters.bytesInUse - before)
      return asked > 12
    } onAnswer: { _, _ in
    }
    #expect(largest > 0 && largest <= (slots + 1) * memory.bytesPerSlot, "\(largest), \(memory)")
  }

  @Test func slotsFollowTheFreeMemory() {
    let memory = BatchMemory(ModelShape.plm1B.configuration, promptTokens: 512, most: 256)
    #expect((20 << 20...100 << 20).contains(memory.bytesPerSlot), "\(memory)")
    #expect(memory.slots(free: 0) == 1 && memory.slots(free: 64 << 30) == 16)
    let some = memory.slots(free: 2 * (memory.workingBytes + 6 * memory.bytesPerSlot))
    #expect(some == 5)
    #expect(SystemMemory.availableBytes.map { $0 > 0 } ?? true)
  }

  /// With bf16 products prompts are packed; each still finds its own beginning, and answers come in order.
  @Test func packedPromptsStayApart() throws {
    let model = try Model(try fixtures() + "/rounded", .bf16)
    let questions = model.questions(11).map { BatchQuestion($0.turn, most: 1) }
    let expected = try questions.map(model.alone), found = try answers(model.batch(8), questions)
    #expect(found.map(\.prompt) == expected.map(\.prompt))
    // Rounding may exchange tokens that are equally likely, and nothing else.
    #expect(zip(found, expected).count { $0.tokens == $1.tokens } >= 9)
  }
}
