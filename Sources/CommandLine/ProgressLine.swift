import Files
import Foundation
import Terminal

/// A line on standard error that is written over and over, when a person looks at it.
enum ProgressLine {
  /// Not where a line cannot be taken back.
  static let isShown =
    isatty(2) == 1 && !Company.isSilent
    && !TerminalFacts.isDumb(environment: ProcessInfo.processInfo.environment)

  static func show(_ text: String) {
    if isShown { writeError("\r\u{1B}[K\(text)") }
  }

  /// What begins something long: where no line can be taken back, one that stays.
  static func begin(_ text: String) { if isShown { show(text) } else { note(text) } }

  static func end() {
    if isShown { writeError("\r\u{1B}[K") }
  }
}

/// A line on standard error, which one of several processes writes.
func note(_ text: String) { if !Company.isSilent { writeError("vugen: \(text.message)\n") } }
