import DataSets
import Files
import Foundation
import Pictures

/// What `caption` makes, as far as it is made: finished captions are in the list at once, whatever ends the program.
final class CaptionResults {
  private let existing: OverwriteOption
  private let list: (path: String, form: CaptionFile, file: GrowingFile)?
  private let sheet: String?
  private let total: Int
  private var items: [ContactSheet.Item] = []
  /// Pictures that have their line.
  private var done = 0
  private(set) var failures = 0

  /// - Parameters:
  ///   - list: the file that was named for it; nil where captions are printed.
  ///   - sheet: the file for the sheet.
  ///   - total: pictures.
  init(_ existing: OverwriteOption, list: String?, sheet: String?, of total: Int) {
    (self.existing, self.sheet, self.total) = (existing, sheet, total)
    self.list = list.map { ($0, CaptionFile(path: $0) ?? .jsonLines, GrowingFile($0)) }
  }

  /// Throws where the list can hold no more.
  func take(_ entry: CaptionFile.Entry, _ thumbnail: Picture?) throws {
    if entry.caption == nil { failures += 1 }
    if let thumbnail, let caption = entry.caption { items.append(.init(thumbnail, caption)) }
    if let list { try list.file.append((done == 0 ? list.form.head : Data()) + list.form.bytes(of: entry)) }
    done += 1
    InterruptionReport.note(finished)
  }

  private var finished: [String: ReportValue] {
    ["pictures": .number(Double(done)), "of": .number(Double(total)), "failed": .number(Double(failures))]
  }

  /// When all is made.
  func finish() throws {
    guard done > 0 else { return }
    // Where one of them cannot be written, the other is.
    let written = [
      Result { if let list { try existing.write(list.path) { try list.file.finish(as: $0) } } },
      Result { if let sheet { try existing.write(sheet) { try draw(to: $0) } } },
    ]
    for result in written { try result.get() }
  }

  private func draw(to sheet: String) throws {
    try AtomicFile.write(Data(try ContactSheet().draw(items).data(for: sheet)), to: sheet)
  }

  /// What the program ends with where it ends early; what is finished has a place, which is told.
  func kept(because error: any Error) -> any Error {
    let isInterrupted = error is CancellationError || error is Patience.Ended
    let outputs = done == 0 ? [] : keep()
    if isInterrupted {
      let places = ["outputs": ReportValue.list(outputs.map { .text($0.place) })]
      InterruptionReport.note(finished.merging(outputs.isEmpty ? [:] : places) { first, _ in first })
      for (path, place) in outputs {
        let these = told(path)
        let said = place == path ? "holds \(these)" : "is as it was, and \(place) holds \(these)"
        note("interrupted after \(done) of \(counted(total, "picture")); \(path) \(said)".oneLine)
      }
      return CancellationError()
    }
    guard !outputs.isEmpty else { return error }
    let places = outputs.map(\.place).joined(separator: " and ")
    let held = holdsAll(outputs[0].path) ? done : done - failures
    return CommandError(
      "\(Failure.reason(of: error)); what is finished, \(held) of \(counted(total, "picture")), is in \(places)"
    )
  }

  /// Whether an output has those that could not be described, too: their lines are in JSON alone.
  private func holdsAll(_ path: String) -> Bool {
    failures == 0 || list.map { $0.path == path && $0.form == .jsonLines } ?? false
  }

  /// What an output holds.
  private func told(_ path: String) -> String {
    holdsAll(path) ? "these" : "the captions of \(done - failures), as \(failures) could not be described"
  }

  /// The files that were named, and where what is finished lies now: there, or beside what is there. What goes nowhere is
  /// none of them.
  private func keep() -> [(path: String, place: String)] {
    var outputs: [(String, String)] = []
    if let list, !list.file.isEmpty, !list.file.isSpecial {
      let place = try? existing.keep(list.path) { try list.file.finish(as: $0) }
      if let place = place ?? list.file.heldAt { outputs.append((list.path, place)) }
    }
    if let sheet, !items.isEmpty {
      let place = try? existing.keep(sheet) { try draw(to: $0) }
      if let place, sheet != "-", !AtomicFile.isSpecial(sheet) { outputs.append((sheet, place)) }
    }
    return outputs
  }
}
