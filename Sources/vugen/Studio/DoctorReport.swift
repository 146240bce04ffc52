import Foundation
import Frames
import StudioUI
import Tensors
import Terminal

/// What the terminal answered, and the machine's and the model's state.
struct DoctorReport {
  let text: String

  init(screen facts: Screen.Facts, state: StudioState) {
    let environment = ProcessInfo.processInfo.environment
    var lines = [
      "Terminal: \(environment["TERM"] ?? "unknown")\(facts.version.isEmpty ? "" : ", \(facts.version)")",
      "Pictures: \(facts.graphics.rawValue) (device attributes \(facts.attributes.map(String.init).joined(separator: ";"))"
        + "\(facts.hasKitty ? ", kitty graphics" : ""))",
      "A cell: \(facts.cell.width) × \(facts.cell.height) pixels; the screen: \(state.size.width) × \(state.size.height) cells",
      "Colours: \(facts.colours)\(facts.isTruecolor ? ", 24 bits for pictures" : "")"
        + (environment["NO_COLOR"].map { $0.isEmpty ? "" : ", NO_COLOR is set" } ?? ""),
      "Synchronised updates: \(facts.hasSynchronizedUpdates ? "yes" : "no")",
      "Background: " + (facts.background.map { $0.luminance < 0.5 ? "dark" : "light" } ?? "not told"),
    ]
    if environment["TMUX"] != nil {
      lines.append("tmux: older than 3.4 shows no sixel; half blocks are used then")
    }
    lines.append(contentsOf: Self.machine())
    switch state.model {
    case .ready(let name, let parameters, let bytes, let canDraw):
      lines.append(
        "Model: \(name), \(parameters) parameters, \(bytes >> 20) MB, \(canDraw ? "sees and draws" : "sees only")"
      )
    case .loading: lines.append("Model: loading")
    case .failed(let reason): lines.append("Model: \(reason)")
    }
    lines.append(
      "To settle a wrong guess, in config.toml: graphics = \"sixel\" | \"kitty\" | \"blocks\" | \"none\"")
    text = lines.joined(separator: "\n")
  }

  static func machine() -> [String] {
    [
      "Machine: \(Threads.physicalCores) cores, \(Hardware.instructionSet.rawValue) kernels, "
        + "\(ProcessInfo.processInfo.physicalMemory >> 30) GB of memory"
    ]
  }
}
