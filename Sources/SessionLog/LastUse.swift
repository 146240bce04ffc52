import Files
import Foundation

/// When a session was used last: the time of its log's last entry that is a use, as `SessionEvent.isUse` says.
enum LastUse {
  /// Seconds since 1970, from the log's end: entries have their keys in order, and the time behind what they hold. Of a
  /// log that was written otherwise, all is read.
  static func of(_ log: String) -> Double {
    guard let file = try? FileName.openPlain(log), let end = try? file.seekToEnd() else {
      return written(log)
    }
    defer { try? file.close() }
    try? file.seek(toOffset: end - min(end, 1024))
    let tail = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    if let time = timeOfUse(atEndOf: tail) { return time }
    try? file.seek(toOffset: 0)
    let found = SessionContents((try? file.readToEnd()) ?? Data())
    return found.isDated ? found.lastTime : written(log)
  }

  /// When a session was begun, by its name, or its log was written last, by its file: for one of which no entry can be read.
  static func written(_ log: String) -> Double {
    SessionFile.begun(FileName.last(of: FileName.parent(of: log)))
      ?? (FileName.status(log).map { Double($0.st_mtim.tv_sec) } ?? 0).clamped(to: SessionBounds.time)
  }

  /// Of the last line that is a use, where it and those behind it are written as here; nil for no such line.
  private static func timeOfUse(atEndOf tail: String) -> Double? {
    for line in tail.split(separator: "\n").reversed() {
      let isOther = SessionEvent.Other.allCases.contains { line.hasPrefix("{\"event\":{\"\($0.rawValue)\"") }
      if !isOther { return time(atEndOf: String(line)) }
    }
    return nil
  }

  /// `…,"time":1732443300.5,"version":1}` and nothing behind it.
  private static func time(atEndOf text: String) -> Double? {
    guard text.hasSuffix("}"), let start = text.range(of: ",\"time\":", options: .backwards)?.upperBound
    else { return nil }
    let parts = text[start...].dropLast().components(separatedBy: ",\"version\":")
    guard parts.count == 2, Int(parts[1]) != nil, let time = Double(parts[0]) else { return nil }
    return time.clamped(to: SessionBounds.time)
  }
}
