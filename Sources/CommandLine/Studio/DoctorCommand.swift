import ArgumentParser
import Files
import Foundation
import Frames
import SessionLog
import Studio
import StudioUI
import Tensors
import Terminal
import Training
import VUGEN

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check what the terminal, the machine and the model can do, and how pictures look.",
    discussion: """
      The card of what the studio would show pictures by comes first, and behind it what was found; --card all shows every \
      mode. In the studio, /doctor shows the same, but for Open MPI, by which several machines train together.

      Example: vugen doctor --card all
      """)

  @Option(
    help: "Modes to show the test card in: found, all, none, sixel, kitty or blocks.",
    completion: .list(["found", "all", "none", "sixel", "kitty", "blocks"]))
  var card = "found"
  @Flag(help: "Print one JSON object, without a card.") var json = false

  func validate() throws {
    guard ["found", "all", "none"].contains(card) || Graphics(rawValue: card) != nil else {
      throw ValidationError("--card must be found, all, none, sixel, kitty or blocks.")
    }
  }

  func run() throws {
    let environment = ProcessInfo.processInfo.environment
    let facts = isatty(1) == 1 || json ? TerminalFacts.ask(environment: environment) : nil
    let report = try ModelFolderReport(folder: EmbeddedModel.folder)
    let parameters = report.parts.reduce(0) { $0 + $1.parameters }
    let bytes = report.parts.reduce(0) { $0 + $1.bytes }, store = SessionStore.standard()
    if json {
      print(
        try jsonLine([
          "terminal": .text(environment["TERM"] ?? ""), "graphics": .text(facts?.graphics.rawValue ?? "none"),
          "sixel": .flag(facts?.hasSixel ?? false), "kitty": .flag(facts?.hasKitty ?? false),
          "cell": .list([.number(Double(facts?.cell.width ?? 0)), .number(Double(facts?.cell.height ?? 0))]),
          "model": .text(EmbeddedModel.name), "parameters": .number(Double(parameters)),
          "bytes": .number(Double(bytes)),
          "missing": .list((report.missing + report.problems).map { .text($0) }),
          "settings": .list((Self.complaints + DoctorReport.surroundings).map { .text($0) }),
          "sessions": .number(Double(store.ids().count)), "threads": .number(Double(Threads.count)),
          "waiting": .text("\(Threads.waiting)"),
          "mpi": .text(Ranks.library.isThere ? Ranks.library.text : ""),
        ]))
      return
    }
    // What was found stands last: a card scrolls what is above it away.
    if let facts { try showCards(facts) }
    var lines = Self.terminal(facts) + DoctorReport.machine()
    let missing = report.missing.isEmpty ? "" : ", missing: \(report.missing.joined(separator: ", "))"
    lines.append(
      "Model: \(EmbeddedModel.name), \(Format.count(parameters)) parameters, \(Format.bytes(bytes))\(missing)"
    )
    lines += report.problems
    lines.append(Self.ranks)
    lines.append("Sessions: \(store.ids().count) in \(store.folder)")
    lines += Self.complaints.map { "Settings: \($0)" }
    lines += facts.map(DoctorReport.remedies) ?? []
    print(lines.joined(separator: "\n"))
  }

  /// Whether several machines can train together.
  private static var ranks: String {
    let (isThere, text) = Ranks.library
    return isThere
      ? "Many machines: \(text) (mpirun vugen train)"
      : "Many machines: no, \(text); openmpi-bin has it"
  }

  /// What can be said of the terminal, or why nothing can.
  private static func terminal(_ facts: TerminalFacts?) -> [String] {
    if let facts {
      let window = Screen.windowSize()
      return DoctorReport.terminal(facts, size: Size(window?.columns ?? 80, window?.rows ?? 24))
    }
    return [
      isatty(1) == 1
        ? "Terminal: TERM=dumb shows lines of text alone; pictures and the studio need another"
        : "Terminal: standard output is not one; run vugen doctor in a terminal to check it"
    ]
  }

  /// What is wrong with settings and themes, as the studio says it.
  private static var complaints: [String] { StudioConfiguration.complaints }

  private func showCards(_ facts: TerminalFacts) throws {
    let announced = [facts.hasSixel ? Graphics.sixel : nil, facts.hasKitty ? .kitty : nil, .blocks]
      .compactMap(\.self)
    let modes =
      card == "all"
      ? [.sixel, .kitty, .blocks] : card == "found" ? [facts.graphics] : [Graphics(rawValue: card) ?? .none]
    let usesColours = TerminalFacts.usesColours(ProcessInfo.processInfo.environment)
    let palette = facts.isTruecolor ? 256 : min(facts.colours, 256)
    for mode in modes where mode != .none {
      let variants =
        mode != .blocks ? [true] : card == "found" || !usesColours ? [facts.isTruecolor] : [true, false]
      for isTruecolor in variants {
        let colours =
          mode != .blocks
          ? "" : !usesColours ? ", no colours" : isTruecolor ? ", 24-bit colours" : ", \(palette) colours"
        print(
          "\(mode.rawValue)\(colours)\(announced.contains(mode) ? "" : " (the terminal did not announce it)"):"
        )
        try Output.show(TestCard.bytes(mode, isTruecolor: isTruecolor, on: facts))
        print()
      }
    }
  }
}
