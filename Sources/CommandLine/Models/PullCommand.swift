import ArgumentParser
import Files
import Foundation
import ModelFiles
import VUGEN

extension Model {
  struct Pull: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetch a model from the hub.",
      discussion: """
        Only the files that vugen reads are fetched, into the cache that is shared with the hub's own client \
        (HF_HUB_CACHE, HF_HOME). An interrupted download resumes where it stopped. Afterwards, every command \
        accepts --model ORG/NAME. A gated model needs a token in HF_TOKEN; HF_ENDPOINT sets another hub, \
        and HF_HUB_OFFLINE=1 prevents any request to it.

        Example: vugen model pull facebook/Perception-LM-1B
        """)

    @Argument(help: "Model on the hub: ORG/NAME, or ORG/NAME@REVISION for a branch, tag or commit.")
    var model: String
    @Option(
      help: .init("Folder to put the files into, instead of the cache.", valueName: "folder"),
      completion: .directory, transform: folderPath)
    var localDir: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
      guard let name = HubName(model) else {
        throw CommandError("'\(model)' names no model on the hub; write ORG/NAME or ORG/NAME@REVISION")
      }
      var settings = try HubSettings()
      settings.agent = "vugen/\(Version.number)"
      Interruption.watch(endings: true)
      Interruption.unblock()
      let pull = HubPull(name, settings, folder: localDir) { Interruption.isRequested }
      pull.inspect = Self.reservation
      var report = PullReport(name: name, isShown: settings.showsProgress)
      do {
        let pulled = try pull.run { report.take($0) }
        report.end()
        if json { print(try Self.line(name, pulled)) } else { try Output.show(name: pulled.folder) }
      } catch {
        report.end()
        guard Interruption.isRequested else { throw error }
        note("stopped; the same command goes on where this ended")
        throw CancellationError()
      }
    }

    /// What is said of a model that this program will not be able to ask.
    private static func reservation(_ configuration: String) -> String? {
      do {
        _ = try UnderstandingConfiguration(folder: (configuration as NSString).deletingLastPathComponent)
        return nil
      } catch {
        let reason = (error as? ModelFileError)?.reason ?? "\(error)"
        return "vugen will not be able to ask this model: \(reason.split(separator: ";").first ?? "")"
      }
    }

    private static func line(_ name: HubName, _ pulled: HubPulled) throws -> String {
      try jsonLine([
        "model": .text(name.repository), "revision": .text(name.revision ?? "main"),
        "commit": .text(pulled.commit),
        "folder": .text(pulled.folder), "files": .number(Double(pulled.files)),
        "bytes": .number(Double(pulled.bytes)), "fetchedBytes": .number(Double(pulled.fetched)),
      ])
    }
  }
}

/// How a pull goes on, on standard error: one line that is written over, or for a file a line.
struct PullReport {
  private let name: String, isShown: Bool, isTerminal = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private var start: ContinuousClock.Instant?, told: ContinuousClock.Instant
  private var bytesAtStart = 0

  init(name: HubName, isShown: Bool) {
    (self.name, self.isShown) = (name.name, isShown)
    told = clock.now
  }

  mutating func take(_ event: HubEvent) {
    switch event {
    case .note(let text):
      ProgressLine.end()
      note(text.oneLine)
    case .finished(let path, let bytes):
      if isShown, !isTerminal { note("\(path.oneLine), \(Self.megabytes(bytes)) MB") }
    case .progress(let bytes, let all, let files, let allFiles):
      InterruptionReport.note([
        "model": .text(name), "files": .number(Double(files)), "of": .number(Double(allFiles)),
        "bytes": .number(Double(bytes)),
      ])
      guard isShown, all > 0 else { return }
      let now = clock.now
      if start == nil { (start, bytesAtStart) = (now, bytes) }
      // Off a terminal only what takes long is told between files.
      guard isTerminal || now - told > .seconds(30) else { return }
      told = now
      let passed = (now - (start ?? now)) / .seconds(1),
        rate = passed > 0.5 ? Double(bytes - bytesAtStart) / passed : 0
      let line = Self.line(name, bytes, all, files, allFiles, rate)
      if isTerminal { ProgressLine.show(String(line.prefix(Self.columns - 1))) } else { note(line) }
    }
  }

  mutating func end() { ProgressLine.end() }

  private static func line(
    _ name: String, _ bytes: Int, _ all: Int, _ files: Int, _ allFiles: Int, _ rate: Double
  ) -> String {
    var parts = [
      "\(files) of \(allFiles) files",
      "\(megabytes(bytes)) of \(megabytes(all)) MB, \(bytes * 100 / max(1, all))%",
    ]
    if rate > 1000, bytes < all {
      let left = Int(min(Double(all - bytes) / rate, 359_999))
      parts.append("\(megabytes(Int(rate))) MB/s")
      parts.append(String(format: "%d:%02d left", left / 60, left % 60))
    }
    return "\(name): " + parts.joined(separator: ", ")
  }

  private static func megabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1e6) }

  private static var columns: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 80
  }
}
