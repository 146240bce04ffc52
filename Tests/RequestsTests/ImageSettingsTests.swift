import Foundation
import Requests
import Testing

struct ImageSettingsTests {
  /// Each picture of a request can be drawn again alone, by its own seed; the last seed is followed by the first.
  @Test func seedsFollowEachOther() {
    let first = ImageSettings(prompt: "a cat", seed: 7, steps: 20)
    #expect(first.numbered(0) == first && first.numbered(3).seed == 10)
    #expect(first.numbered(3).prompt == "a cat" && first.numbered(3).steps == 20)
    #expect(ImageSettings(prompt: "", seed: .max).numbered(1).seed == 0)
  }

  /// What a log of the first version has not is left out, and read so.
  @Test func oldLogsStayWhatTheyWere() throws {
    var settings = ImageSettings(prompt: "a cat", seed: 7)
    let old = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings)) as? [String: Any])
    #expect(Set(old.keys) == ["prompt", "negative", "seed", "guidanceScale", "steps", "decoderSteps"])
    (settings.solver, settings.guidanceStart, settings.guidanceEnd) = (.heun, 0.25, 0.75)
    let data = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(ImageSettings.self, from: data) == settings)
  }

  @Test func aRequestKeepsItsWordsWhereItsPicturesAreReplaced() throws {
    struct Missing: Error {}
    let question = Question("What is this?", pictures: ["a", "b"], temperature: 0.5, seed: 3)
    let found = Request.ask(question).replacingPictures(\.count)
    #expect(found == .ask(Question("What is this?", pictures: [1, 1], temperature: 0.5, seed: 3)))
    #expect(throws: Missing.self) {
      try Request.ask(question).replacingPictures { (_: String) -> Int in throw Missing() }
    }
  }

  @Test func numbersAreClamped() {
    #expect(5.clamped(to: 1...3) == 3 && 0.clamped(to: 1...3) == 1 && 2.clamped(to: 1...3) == 2)
    #expect(Float.nan.clamped(to: 1...3) == 1)
  }
}
