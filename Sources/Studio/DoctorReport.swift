import Foundation
import Frames
import StudioUI
import Tensors
import Terminal

/// What the terminal answered, and the machine's and the model's state.
public struct DoctorReport {
  /// All of it, line by line.
  public let text: String

  /// - Parameters:
  ///   - facts: what the terminal answered.
  ///   - size: of the screen, in cells.
  ///   - model: how far its loading is.
  public init(_ facts: TerminalFacts, size: Size, model: ModelStatus) {
    var lines = Self.terminal(facts, size: size) + Self.machine()
    switch model {
    case .ready(let name, let parameters, let bytes, let canDraw):
      lines.append(
        "Model: \(name), \(Format.count(parameters)) parameters, \(Format.bytes(bytes)), \(canDraw ? "sees and draws" : "sees only")"
      )
    case .loading: lines.append("Model: loading")
    case .failed(let reason): lines.append("Model: \(reason)")
    }
    text = (lines + Self.remedies(facts)).joined(separator: "\n")
  }

  /// What the terminal answered, in lines.
  public static func terminal(_ facts: TerminalFacts, size: Size) -> [String] {
    let environment = ProcessInfo.processInfo.environment
    let attributes = facts.attributes.map(String.init).joined(separator: ";")
    let answered =
      attributes.isEmpty
      ? "no reply" : "device attributes \(attributes)\(facts.hasKitty ? ", kitty graphics" : "")"
    let noColour = TerminalFacts.usesColours(environment) ? "" : ", NO_COLOR is set"
    var lines = [
      "Terminal: \(environment["TERM"] ?? "unknown")\(facts.version.isEmpty ? "" : ", \(facts.version)")",
      "Pictures: \(facts.graphics.rawValue) (\(answered))",
      "Cell: \(facts.cell.width) × \(facts.cell.height) pixels; screen: \(size.width) × \(size.height) cells",
      "Colours: \(colours(of: facts))\(noColour)",
      "Synchronised updates: \(facts.hasSynchronizedUpdates ? "yes" : "no")",
      "Background: " + (facts.background.map { $0.luminance < 0.5 ? "dark" : "light" } ?? "unknown"),
    ]
    if environment["TMUX"] != nil {
      lines.append("tmux: versions before 3.4 cannot show sixel; half blocks are used instead")
    }
    return lines
  }

  private static func colours(of facts: TerminalFacts) -> String {
    facts.isTruecolor || facts.colours > 256 ? "24 bits" : facts.colours == 0 ? "none" : "\(facts.colours)"
  }

  /// What of the environment is not obeyed, and what is done instead, in lines.
  public static var surroundings: [String] {
    [Hardware.complaint, Threads.complaint].compactMap(\.self).map(\.oneLine)
  }

  /// The machine and how it computes, in lines.
  public static func machine() -> [String] {
    [
      "Machine: \(Threads.physicalCores) cores, \(Hardware.instructionSet.rawValue) kernels, "
        + "\(ProcessInfo.processInfo.physicalMemory >> 30) GB of memory",
      "Threads: \(Threads.count); \(Threads.waiting)"
        + (Threads.isOneTeam
          ? "" : "; oneDNN and kernels run on another OpenMP runtime, which waits in its own way"),
    ] + surroundings.map { "Not obeyed: \($0)" }
  }

  /// Lines for `config.toml` that would settle a wrong guess.
  public static func remedies(_ facts: TerminalFacts) -> [String] {
    var lines = ["If a guess is wrong, set in config.toml:"]
    let others = Graphics.allCases.filter { $0 != facts.graphics }.map { "\"\($0.rawValue)\"" }
    lines.append(
      "  graphics = \(others.joined(separator: " or "))    # found: \"\(facts.graphics.rawValue)\"")
    if facts.background == nil { lines.append("  theme = \"light\"    # on a light background") }
    lines.append("  mouse = false    # leaves text selection to the terminal")
    return lines
  }
}
