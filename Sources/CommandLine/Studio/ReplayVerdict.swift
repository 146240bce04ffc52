import Files
import SessionLog
import Studio

/// What `replay --verify` found in a session.
struct ReplayVerdict {
  /// Entries that cannot be read, and those of a kind that is not known here.
  private let lost: Int, unknown: Int
  /// A line for each that is damaged, altered or missing.
  private let pictures: [String], altered: [String], gaps: [String]
  /// Results that came out as recorded, and those that were cut off when they were made.
  var compared = 0, partial = 0
  /// The first result that did not.
  var difference: String?
  /// Results whose model is not here, a line each.
  var unchecked: [String] = []

  /// What can be said before anything is run.
  ///
  /// - Parameters:
  ///   - altered: as `checker` finds them.
  ///   - lost: entries that cannot be read.
  ///   - unknown: entries of a kind that is not known here.
  init(
    _ checker: SessionVerification, _ entries: [SessionEntry], _ altered: [Int: String], lost: Int,
    unknown: Int
  ) {
    (self.lost, self.unknown) = (lost, unknown)
    pictures = checker.damagedPictures(entries)
    self.altered = altered.sorted { $0.key < $1.key }.map(\.value)
    gaps = checker.gaps(entries)
  }

  /// What is damaged, altered or missing, a line each.
  var lines: [String] {
    var list: [String] = []
    if lost > 0 { list.append("\(lost) damaged \(lost == 1 ? "entry" : "entries") could not be read") }
    if unknown > 0 {
      let what = unknown == 1 ? "entry of an unknown kind is" : "entries of unknown kinds are"
      list.append("\(unknown) \(what) not checked")
    }
    return list + pictures + altered + gaps
  }

  /// Whether everything was checked and came out as recorded.
  var isGood: Bool { lines.isEmpty && unchecked.isEmpty && difference == nil && compared > 0 }

  /// Why nothing was compared; nil where something was.
  var nothing: String? {
    guard compared == 0 else { return nil }
    if partial > 0 {
      return "\(counted(partial, "result")) cut off when \(partial == 1 ? "it was" : "they were") made"
    }
    return lines.isEmpty && unchecked.isEmpty
      ? "holds no answers or pictures" : "what it holds could not be checked"
  }

  /// That what was compared came out as recorded, and what was not compared.
  var agreement: String {
    let what = compared == 1 ? "1 answer or picture is" : "\(compared) answers and pictures are"
    let rest = partial > 0 ? "; \(partial) were cut off when they were made and are not compared" : ""
    guard !(lines + unchecked).isEmpty else { return "\(what) identical, bit for bit\(rest)" }
    let damage = lines.isEmpty ? "" : ", but what is damaged, altered or missing could not be checked"
    let absent = unchecked.isEmpty ? "" : "; \(unchecked.count) not checked, whose model is not here"
    return "\(what) as recorded\(rest)\(damage)\(absent)"
  }

  /// The same for scripts.
  var numbers: [String: ReportValue] {
    let counts = [
      "compared": compared, "different": difference == nil ? 0 : 1, "partial": partial,
      "damagedEntries": lost,
      "unknownEntries": unknown, "damagedPictures": pictures.count, "alteredEntries": altered.count,
      "missingEntries": gaps.count, "notChecked": unchecked.count,
    ]
    let texts = difference.map { ["difference": ReportValue.text($0)] } ?? [:]
    return counts.mapValues { .number(Double($0)) }.merging(texts) { first, _ in first }
  }
}
