import Foundation
import Testing

/// What a newcomer can read of the libraries.
@Suite struct DocumentationTests {
  /// Every public declaration says what it is; `scripts/undocumented` names those that do not.
  @Test func everyPublicDeclarationIsDocumented() throws {
    let tree = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [tree.appendingPathComponent("scripts/undocumented").path]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.hasPrefix("0 of ") && process.terminationStatus == 0, "\(text)")
  }
}
