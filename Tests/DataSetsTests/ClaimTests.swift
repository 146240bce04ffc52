import DataSets
import Testing

/// What captions say, taken apart.
@Suite struct ClaimTests {
  private typealias Thing = SceneClaim.Thing

  @Test func captionsAreTakenApart() {
    let cases: [(String, [Thing], Relation?)] = [
      ("a red apple on a white background", [Thing(count: 1, colour: .red, noun: "apple")], nil),
      (
        "A cat is left of an orange orange.",
        [Thing(count: 1, noun: "cat"), Thing(count: 1, colour: .orange, noun: "orange")], .leftOf
      ),
      ("an orange", [Thing(count: 1, noun: "orange")], nil),
      ("three dogs together", [Thing(count: 3, noun: "dogs")], nil),
      (
        "there are two apples and a car on dots",
        [Thing(count: 2, noun: "apples"), Thing(count: 1, noun: "car")], nil
      ),
      ("a pair of blue trousers", [Thing(count: 1, colour: .blue, noun: "pair of trousers")], nil),
      (
        "a dog to the right of a sea lion on a gradient from red to blue",
        [Thing(count: 1, noun: "dog"), Thing(count: 1, noun: "sea lion")], .rightOf
      ),
      ("a ball on top of a box", [Thing(count: 1, noun: "ball"), Thing(count: 1, noun: "box")], .above),
      ("apples", [Thing(noun: "apples")], nil), ("", [], nil), (" on ", [], nil), ("a", [], nil),
    ]
    for (caption, things, relation) in cases {
      let claim = SceneClaim(caption: caption)
      #expect(claim.things == things && claim.relation == relation, "\(caption): \(claim)")
    }
  }

  /// Every caption that a scene may have is true of it, and of none with a fault.
  @Test func scenesAgreeWithTheirOwnCaptions() throws {
    let composer = SceneComposer(try bank.get(), seed: 5, size: 64)
    var faults: [SceneFault: Int] = [:]
    for index in 0..<UInt64(150) {
      let record = composer.record(index, .validation)
      let claim = SceneClaim(caption: record.caption)
      #expect(record.truth(of: claim) == ClaimTruth(everything: true), "\(record.caption): \(claim)")
      for fault in SceneFault.allCases {
        guard let asked = record.asked(beforeFault: fault) else { continue }
        faults[fault, default: 0] += 1
        #expect(
          asked.truth(of: claim) != ClaimTruth(everything: true), "\(fault.rawValue): \(record.caption)")
      }
    }
    #expect(SceneFault.allCases.allSatisfy { faults[$0, default: 0] >= 5 }, "\(faults)")
  }

  @Test func otherThingsAreNotRight() throws {
    let composer = SceneComposer(try bank.get(), seed: 5, size: 64)
    let record = try #require(
      (0..<50).lazy.map { composer.record($0, .validation) }.first { $0.kind == .pair })
    let (a, b) = (record.objects[0].phrase, record.objects[1].phrase)
    let relation = try #require(record.relation)
    func truth(_ caption: String) -> ClaimTruth { record.truth(of: SceneClaim(caption: caption)) }
    #expect(truth("\(b) \(relation.inverse.rawValue) \(a)").relation)
    #expect(!truth("\(b) \(relation.rawValue) \(a)").relation)
    #expect(!truth(a).things && !truth("\(a) and \(a)").things && !truth("\(a), \(b) and a zeppelin").things)
    #expect(truth("\(a) and \(b)").things && !truth("\(a) and \(b)").relation)
  }
}
