import Files
import Foundation
import Tensors

/// What `vugen --version` says.
enum Version {
  /// The one place of the number: `make lint` compares it with the top of CHANGELOG.md, `make dist` names its files by it.
  static let number = "0.1.0"

  /// What the Makefile noted beside the program; unknown from a tarball, and where it was built anew since.
  private static var commit: String {
    let note = ProgramFiles.folder + "/vugen-commit"
    func time(_ path: String) -> Date? {
      (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]) as? Date
    }
    guard let built = time(ProgramFiles.executable), let noted = time(note), noted >= built,
      let text = try? String(contentsOfFile: note, encoding: .utf8)
    else { return "unknown" }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  static var text: String {
    let can = Hardware.InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue).joined(separator: ", ")
    let products = Hardware.hasBF16Products ? ", bf16 products" : ""
    return """
      vugen \(number)
      commit: \(commit)
      instruction set: \(Hardware.instructionSet.rawValue) (this processor has \(can)\(products))
      """
  }
}
