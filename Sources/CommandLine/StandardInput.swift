import Files
import Foundation

/// Text from standard input, which may never end.
enum StandardInput {
  /// All of it. Throws `CommandError` for what is not UTF-8 or longer than `most` bytes, and `Patience.Ended` where Ctrl-C
  /// ends the waiting.
  static func text(most: Int = 64 << 20) throws -> String {
    var bytes: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      try Patience.wait(
        for: STDIN_FILENO, POLLIN, "standard input: waiting for a text; Ctrl-D ends it, Ctrl-C the program")
      let count = read(STDIN_FILENO, &piece, piece.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count >= 0 else { throw CommandError("standard input: \(FileName.systemReason)") }
      if count == 0 { break }
      bytes += piece[..<count]
      guard bytes.count <= most else {
        throw CommandError("standard input: more than \(most) bytes are no text to read; shorten it")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandError("standard input: this is no UTF-8 text; convert it: iconv -t UTF-8")
    }
    return text
  }
}
