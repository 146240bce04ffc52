import Foundation
import TestSupport
import Testing

@FirstCommands
struct FuzzTests {
  /// A short form of `make fuzz`: 12 rounds, each with another command, over absurd options and spoilt inputs.
  @Test func everyCommandBearsAbsurdOptionsAndInputs() throws {
    let ended = try ChildProgram.run([
      Session.program("fuzz"), "--seed", "7", "--rounds", "12", "--patience", "1", "--quick", "--folder",
      temporaryFolder(),
    ])
    #expect(ended.status == 0 && ended.output.contains("12 rounds run"), "\(ended)")
  }
}
