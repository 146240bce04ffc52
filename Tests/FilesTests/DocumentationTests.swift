import Foundation
import TestSupport
import Testing

/// What a newcomer can read of the libraries.
@Suite struct DocumentationTests {
  /// Every public declaration says what it is; `scripts/undocumented` names those that do not.
  @Test func everyPublicDeclarationIsDocumented() throws {
    let tree = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    let ended = try ChildProgram.run(["/bin/sh", tree.appendingPathComponent("scripts/undocumented").path])
    #expect(ended.output.hasPrefix("0 of ") && ended.status == 0, "\(ended)")
  }
}
