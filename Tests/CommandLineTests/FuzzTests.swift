import Foundation
import TestSupport
import Testing

@FirstCommands
struct FuzzTests {
  /// A short form of `make fuzz`: 24 rounds, each with another command, over absurd options and spoilt inputs.
  @Test func everyCommandBearsAbsurdOptionsAndInputs() throws {
    let program = try Session.program(), folder = try temporaryFolder(), process = Process(), pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: (program as NSString).deletingLastPathComponent + "/fuzz")
    process.arguments = ["--seed", "7", "--rounds", "24", "--patience", "1", "--quick", "--folder", folder]
    process.standardOutput = pipe
    try process.run()
    let told = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(told)")
    #expect(told.contains("24 rounds run"), "\(told)")
  }
}
