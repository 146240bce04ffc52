import Files
import Foundation

/// When a session was used last: the time of its log's last entry.
enum LastUse {
  /// Seconds since 1970, from the log's end: entries have their keys in order, and the time behind what they hold. Of a
  /// log that was written otherwise, all is read.
  static func of(_ log: String) -> Double {
    guard let file = try? FileName.openPlain(log), let end = try? file.seekToEnd() else { return 0 }
    defer { try? file.close() }
    try? file.seek(toOffset: end - min(end, 256))
    let tail = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    if let time = time(atEndOf: tail) { return time }
    try? file.seek(toOffset: 0)
    return SessionContents((try? file.readToEnd()) ?? Data()).lastTime
  }

  /// `…,"time":1732443300.5,"version":1}` and no more than a line's end behind it.
  private static func time(atEndOf text: String) -> Double? {
    let text = text.hasSuffix("\n") ? text.dropLast() : text[...]
    guard text.hasSuffix("}"), let start = text.range(of: ",\"time\":", options: .backwards)?.upperBound
    else { return nil }
    let parts = text[start...].dropLast().components(separatedBy: ",\"version\":")
    guard parts.count == 2, Int(parts[1]) != nil, let time = Double(parts[0]) else { return nil }
    return time.clamped(to: SessionBounds.time)
  }
}
