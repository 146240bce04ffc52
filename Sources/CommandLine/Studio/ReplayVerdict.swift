import Files
import SessionLog
import Studio

/// What `replay --verify` found in a session.
struct ReplayVerdict {
  /// Entries that cannot be read, and those of a kind that is not known here.
  private let lost: Int, unknown: Int
  /// A line for each that is damaged, altered or missing.
  private let pictures: [String], altered: [String], gaps: [String]
  /// What a studio left that was killed.
  private let left: LeftRequests
  /// What running the rest again came to.
  var comparison = SessionComparison()
  /// Results whose model is not here, a line each.
  var unchecked: [String] = []

  /// What can be said before anything is run.
  ///
  /// - Parameters:
  ///   - altered: as `checker` finds them.
  ///   - lost: entries that cannot be read.
  ///   - unknown: entries of a kind that is not known here.
  ///   - left: what a studio left that was killed.
  init(
    _ checker: SessionVerification, _ entries: [SessionEntry], _ altered: [Int: String], lost: Int,
    unknown: Int, left: LeftRequests
  ) {
    (self.lost, self.unknown, self.left) = (lost, unknown, left)
    pictures = checker.damagedPictures(entries)
    self.altered = altered.sorted { $0.key < $1.key }.map(\.value)
    gaps = checker.gaps(entries, except: left)
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

  /// The same of what was not finished and is still to be asked again.
  var leftLines: [String] { left.lines }

  /// Whether the session is whole, and everything was checked and came out as recorded.
  var isGood: Bool {
    lines.isEmpty && leftLines.isEmpty && unchecked.isEmpty && comparison.adrift == 0
      && comparison.difference == nil
      && comparison.compared > 0
  }

  /// Why nothing was compared; nil where something was.
  var nothing: String? {
    guard comparison.compared == 0 else { return nil }
    let partial = comparison.partial
    if partial > 0 {
      return "\(counted(partial, "result")) cut off when \(partial == 1 ? "it was" : "they were") made"
        + leftText + adriftText
    }
    if !leftText.isEmpty, lines.isEmpty, unchecked.isEmpty {
      return String(leftText.dropFirst(2)) + adriftText
    }
    return lines.isEmpty && unchecked.isEmpty
      ? "holds no answers or pictures" : "what it holds could not be checked"
  }

  /// What was not finished when a studio ended.
  private var leftText: String {
    let (cut, never) = (left.cutOff.count, left.neverBegun.count)
    let parts = [
      cut > 0 ? "\(cut) \(cut == 1 ? "was" : "were") cut off" : nil,
      never > 0 ? "\(never) \(never == 1 ? "was" : "were") never begun" : nil,
    ].compactMap(\.self)
    return parts.isEmpty ? "" : "; \(parts.joined(separator: " and ")), as the studio ended"
  }

  private var adriftText: String {
    let count = comparison.adrift
    guard count > 0 else { return "" }
    return
      "; \(counted(count, "answer")) not checked, as \(count == 1 ? "it follows" : "they follow") one that was cut off"
  }

  /// That what was compared came out as recorded, and what was not compared.
  var agreement: String {
    let (compared, partial, rounded) = (comparison.compared, comparison.partial, comparison.rounded)
    let kinds = [(comparison.answers, "answer"), (comparison.pictures, "picture")].filter { $0.0 > 0 }
    let what =
      kinds.map { counted($0.0, $0.1) }.joined(separator: " and ") + (compared == 1 ? " is" : " are")
    let rounding = roundingText
    let cut = partial == 1 ? "1 was cut off when it was" : "\(partial) were cut off when they were"
    let rest = rounding + (partial > 0 ? "; \(cut) made and not compared" : "") + leftText + adriftText
    if rounded > 0 || !leftLines.isEmpty, (lines + unchecked).isEmpty { return "\(what) as recorded\(rest)" }
    guard !(lines + unchecked).isEmpty else { return "\(what) identical, bit for bit\(rest)" }
    let damage = lines.isEmpty ? "" : ", but what is damaged, altered or missing could not be checked"
    let absent = unchecked.isEmpty ? "" : "; \(unchecked.count) not checked, whose model is not here"
    return "\(what) as recorded\(rest)\(damage)\(absent)"
  }

  /// Which of what was compared is as recorded but for rounding.
  private var roundingText: String {
    let (rounded, pictures) = (comparison.rounded, comparison.pictures)
    guard rounded > 0 else { return "" }
    let which =
      rounded == comparison.compared
      ? ""
      : rounded < pictures
        ? "; \(rounded) of the pictures" : pictures == 1 ? "; the picture" : "; the pictures"
    return which
      + " but for rounding, which differs among kinds of processors: by no more than \(SessionComparison.rounding) of 255 in a colour"
  }

  /// The same for scripts.
  var numbers: [String: ReportValue] {
    let counts = [
      "compared": comparison.compared, "different": comparison.difference == nil ? 0 : 1,
      "rounded": comparison.rounded, "partial": comparison.partial, "cutOff": left.cutOff.count,
      "neverBegun": left.neverBegun.count, "unfinished": leftLines.count,
      "damagedEntries": lost,
      "unknownEntries": unknown, "damagedPictures": pictures.count, "alteredEntries": altered.count,
      "missingEntries": gaps.count, "notChecked": unchecked.count + comparison.adrift,
    ]
    let texts = comparison.difference.map { ["difference": ReportValue.text($0)] } ?? [:]
    return counts.mapValues { .number(Double($0)) }.merging(texts) { first, _ in first }
  }
}
