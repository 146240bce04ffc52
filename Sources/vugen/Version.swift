import CBuild
import Tensors

/// What `vugen --version` says.
enum Version {
  /// The one place of the number: `make lint` compares it with the top of CHANGELOG.md, `make dist` names its files by it.
  static let number = "0.1.0"

  static var text: String {
    let can = Hardware.InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue).joined(separator: ", ")
    let products = Hardware.hasBF16Products ? ", bf16 products" : ""
    return """
      vugen \(number)
      commit: \(String(cString: vugen_commit()))
      instruction set: \(Hardware.instructionSet.rawValue) (this processor has \(can)\(products))
      """
  }
}
