import Foundation
import ProgramSupport
import TestSupport
import Testing

@FirstCommands
struct FuzzTests {
  /// A short form of `make fuzz`: 5 rounds, each with another command, over absurd options and spoilt inputs.
  @Test func everyCommandBearsAbsurdOptionsAndInputs() throws {
    let ended = try ChildProgram.run([
      Session.program("fuzz"), "--seed", "7", "--rounds", "5", "--patience", "1", "--quick", "--folder",
      temporaryFolder(),
    ])
    #expect(ended.status == 0 && ended.output.contains("5 rounds run"), "\(ended)")
  }
}
