import Files
import Foundation
import Frames

/// What a terminal says of itself.
public enum TerminalReply: Equatable, Sendable {
  /// Primary device attributes; 4 means sixel.
  case attributes([Int])
  /// A cell in pixels.
  case cell(width: Int, height: Int)
  /// The text area in pixels.
  case area(width: Int, height: Int)
  case background(Colour)
  case kittyGraphics
  case synchronizedUpdates
  case version(String)
  /// It has read everything up to a question.
  case ready
  /// Something that was understood as a reply and means nothing here.
  case other
}

/// Bytes from the terminal as keys and replies. Replies may come late, in pieces, or never; none of their bytes is
/// ever taken for typing.
public struct InputParser: Sendable {
  /// One thing that the bytes meant.
  public enum Input: Equatable, Sendable { case key(Key), reply(TerminalReply) }

  private var buffer: ArraySlice<UInt8> = []
  private var paste: [UInt8]?
  /// Bytes of the paste that are not kept, since it is longer than any that is taken.
  private var overlong = 0
  /// What is dropped up to its end, since it is longer than anything that is understood.
  private var dropped: Dropped?

  private enum Dropped { case string, sequence }

  /// Nothing has come yet.
  public init() {}

  /// Whether bytes wait that may be the beginning of a longer sequence.
  public var isWaiting: Bool { !buffer.isEmpty }

  /// Whether the end of a pasted text is still to come.
  public var isInPaste: Bool { paste != nil }

  /// Adds bytes; what they complete. The beginning of a sequence is kept for the next call.
  public mutating func take(_ bytes: some Sequence<UInt8>) -> [Input] {
    // Whose end got lost, as with a connection that was cut: Ctrl-C, which comes alone, ends it.
    if paste != nil, bytes.elementsEqual([0x03]) {
      keep(buffer)
      buffer = []
      return [endOfPaste()]
    }
    buffer += bytes
    return parse(isFinal: false)
  }

  /// Nothing more came for a while: a lone ESC was the key.
  public mutating func flush() -> [Input] { parse(isFinal: true) }

  private mutating func parse(isFinal: Bool) -> [Input] {
    var found: [Input] = []
    // What is left does not keep what was before it.
    defer { buffer = Array(buffer)[...] }
    while !buffer.isEmpty {
      if paste != nil {
        guard takePaste(&found) else { break }
        continue
      }
      if let dropped {
        guard drop(dropped, isFinal) else { break }
        continue
      }
      guard let (input, length) = Self.next(buffer, isFinal: isFinal) else {
        guard beginsToDrop() else { break }
        continue
      }
      if case .some(.key(.paste)) = input { paste = [] }
      if let input, paste == nil { found.append(input) }
      buffer.removeFirst(length)
    }
    return found
  }

  private static let pasteEnd: [UInt8] = Array("\u{1B}[201~".utf8)

  /// Moves bytes into the paste; true when its end was found.
  private mutating func takePaste(_ found: inout [Input]) -> Bool {
    guard let end = Self.endOfPaste(in: buffer) else {
      // The end may be cut in two.
      let kept = min(buffer.count, Self.pasteEnd.count - 1), moved = buffer.count - kept
      keep(buffer.prefix(moved))
      buffer.removeFirst(moved)
      return false
    }
    keep(buffer[..<end])
    buffer = buffer[(end + Self.pasteEnd.count)...]
    found.append(endOfPaste())
    return true
  }

  /// Where the end of a paste begins. The C library looks for it: there may be many megabytes.
  private static func endOfPaste(in buffer: ArraySlice<UInt8>) -> Int? {
    let start = buffer.startIndex
    return buffer.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return nil }
      var at = 0
      while let escape = memchr(base + at, 0x1B, bytes.count - at) {
        at = UnsafeRawPointer(escape) - base
        if bytes[at...].starts(with: pasteEnd) { return start + at }
        at += 1
      }
      return nil
    }
  }

  /// More of the paste. What is too long is read to its end and not kept.
  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    guard overlong == 0, let begun = paste?.count, begun + bytes.count <= Key.longestPaste else {
      overlong += bytes.count + (overlong == 0 ? paste?.count ?? 0 : 0)
      paste = []
      return
    }
    paste?.append(contentsOf: bytes)
  }

  private mutating func endOfPaste() -> Input {
    defer { (paste, overlong) = (nil, 0) }
    return .key(overlong > 0 ? .overlongPaste(bytes: overlong) : .paste(Self.text(paste ?? [])))
  }

  /// A pasted text: it may be a file's name, which need not be UTF-8. Its other bytes are `\xE9` then, as names are
  /// shown everywhere; in a text that is longer than paths are they are lost.
  private static func text(_ bytes: [UInt8]) -> String {
    bytes.count <= longestPath ? FileName.shown(FileName.text(bytes)) : String(decoding: bytes, as: UTF8.self)
  }

  private static let longestPath = 1 << 16

  /// Whether what waits for its end is too long to wait for as a whole.
  private mutating func beginsToDrop() -> Bool {
    let second = buffer.dropFirst().first, isSequence = second == UInt8(ascii: "[")
    guard buffer.first == 0x1B, buffer.count > (isSequence ? 256 : 4096) else { return false }
    dropped = isSequence ? .sequence : .string
    buffer.removeFirst(2)
    return true
  }

  /// Drops bytes up to the end of a string or sequence, or to what breaks it off; true when that was found.
  private mutating func drop(_ kind: Dropped, _ isFinal: Bool) -> Bool {
    let end = buffer.firstIndex { byte in
      kind == .string
        ? byte == 0x07 || Self.breaksOff(byte) : byte < 0x20 || (0x40...0x7E).contains(byte)
    }
    guard let end else {
      buffer = []
      return false
    }
    buffer = buffer[end...]
    let byte = buffer[end]
    if kind == .string, byte == 0x1B {
      guard buffer.count > 1 || isFinal else { return false }
      if buffer.dropFirst().first == UInt8(ascii: "\\") { buffer.removeFirst(2) }
    } else if byte == 0x07 || byte >= 0x20 {
      buffer.removeFirst()
    }
    dropped = nil
    return true
  }

  /// What ends a string wherever it comes: ESC, by which everything else begins, and Ctrl-C, CAN and SUB.
  private static func breaksOff(_ byte: UInt8) -> Bool { [0x1B, 0x03, 0x18, 0x1A].contains(byte) }

  /// The first input and its bytes; nil where more are needed; no input for bytes that mean nothing.
  private static func next(_ b: ArraySlice<UInt8>, isFinal: Bool) -> (Input?, Int)? {
    guard let first = b.first else { return nil }
    if first == 0x1B { return escape(b, isFinal) }
    if let key = control(first) { return (.key(key), 1) }
    return character(b, isFinal)
  }

  private static func control(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x0D: .enter
    case 0x09: .tab
    case 0x0A: .lineBreak
    case 0x7F, 0x08: .backspace
    case 0x00: .control(" ")
    case 0x01...0x1A: .control(Character(Unicode.Scalar(byte + 96)))
    case 0x1C...0x1F: .control(Character(Unicode.Scalar(byte + 64)))
    default: nil
    }
  }

  private static func character(_ b: ArraySlice<UInt8>, _ isFinal: Bool) -> (Input?, Int)? {
    guard let first = b.first else { return nil }
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
    guard b.count >= length else { return isFinal ? (nil, b.count) : nil }
    let text = String(decoding: b.prefix(length), as: UTF8.self)
    guard let character = text.first, text != "\u{FFFD}" else { return (nil, 1) }
    return (.key(.character(character)), length)
  }

  private static func escape(_ b: ArraySlice<UInt8>, _ isFinal: Bool) -> (Input?, Int)? {
    guard b.count >= 2 else { return isFinal ? (.key(.escape), 1) : nil }
    let second = b[b.startIndex + 1]
    switch second {
    case UInt8(ascii: "["): return sequence(b, isFinal)
    case UInt8(ascii: "O"):
      guard b.count >= 3 else { return isFinal ? (.key(.alt("O")), 2) : nil }
      return (ss3(b[b.startIndex + 2]).map { .key($0) }, 3)
    case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"): return string(b, second, isFinal)
    case 0x0D, 0x0A: return (.key(.lineBreak), 2)
    case 0x7F, 0x08: return (.key(.alt("\u{7F}")), 2)
    // No such key is meant together with Alt: Esc was pressed, and then another.
    case 0..<0x20: return (.key(.escape), 1)
    default:
      guard let (input, length) = character(b.dropFirst(), isFinal) else { return nil }
      if case .some(.key(.character(let c))) = input { return (.key(.alt(c)), length + 1) }
      return (nil, length + 1)
    }
  }

  private static func ss3(_ byte: UInt8) -> Key? {
    switch byte {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "M"): .enter
    case UInt8(ascii: "P")...UInt8(ascii: "S"): .function(Int(byte) - 79)
    default: nil
    }
  }

  /// `ESC [ … final`.
  private static func sequence(_ b: ArraySlice<UInt8>, _ isFinal: Bool) -> (Input?, Int)? {
    let start = b.startIndex + 2
    guard let end = b[start...].firstIndex(where: { (0x40...0x7E).contains($0) }) else {
      if isFinal, b.count == 2 { return (.key(.alt("[")), 2) }
      return isFinal ? (nil, b.count) : nil
    }
    let body = String(decoding: b[start..<end], as: UTF8.self), length = end - b.startIndex + 1
    return (meaning(body, Character(Unicode.Scalar(b[end]))), length)
  }

  private static func meaning(_ body: String, _ final: Character) -> Input? {
    let marker = body.first.flatMap { "<?>=".contains($0) ? $0 : nil }
    let numbers = body.drop { "<?>=".contains($0) }.split(separator: ";", omittingEmptySubsequences: false)
      .map { Int($0.prefix(while: \.isNumber)) ?? 0 }
    func number(_ i: Int) -> Int { i < numbers.count ? numbers[i] : 0 }
    switch (marker, final) {
    case ("<", "M"), ("<", "m"):
      return mouse(number(0), number(1) - 1, number(2) - 1, isRelease: final == "m").map { .key(.mouse($0)) }
    case ("?", "c"): return .reply(.attributes(numbers))
    case ("?", "y"):
      return .reply(number(0) == 2026 && [1, 2].contains(number(1)) ? .synchronizedUpdates : .other)
    case (_, "t"):
      if number(0) == 6 { return .reply(.cell(width: number(2), height: number(1))) }
      if number(0) == 4 { return .reply(.area(width: number(2), height: number(1))) }
      return .reply(.other)
    case (.some, _): return .reply(.other)
    case (nil, "u"): return csiU(number(0), number(1))
    // xterm's other form, where a person asked it for that (modifyOtherKeys).
    case (nil, "~") where number(0) == 27: return csiU(number(2), number(1))
    case (nil, "~"): return tilde(number(0), number(1))
    // Reports, which share their letters with function keys.
    case (nil, "R") where numbers.count > 1 && number(0) > 1: return .reply(.other)
    case (nil, "n"): return .reply(number(0) == 0 ? .ready : .other)
    default: return letter(final, number(1)).map { .key($0) }
    }
  }

  private static func letter(_ final: Character, _ modifier: Int) -> Key? {
    let hasControl = modifier == 5 || modifier == 3
    switch final {
    case "A": return .up
    case "B": return .down
    case "C": return hasControl ? .wordRight : .right
    case "D": return hasControl ? .wordLeft : .left
    case "H": return .home
    case "F": return .end
    case "Z": return .backTab
    case "P", "Q", "R", "S": return .function(Int(final.asciiValue ?? 80) - 79)
    default: return nil
    }
  }

  private static func tilde(_ code: Int, _ modifier: Int) -> Input? {
    switch code {
    case 1, 7: .key(.home)
    case 3: .key(.delete)
    case 4, 8: .key(.end)
    case 5: .key(.pageUp)
    case 6: .key(.pageDown)
    case 11...15: .key(.function(code - 10))
    case 17...21: .key(.function(code - 11))
    case 23, 24: .key(.function(code - 12))
    // Only marks the beginning; the text follows.
    case 200: .key(.paste(""))
    default: nil
    }
  }

  /// Keys of the kitty protocol, where a terminal sends them unasked.
  private static func csiU(_ code: Int, _ modifier: Int) -> Input? {
    let flags = max(0, modifier - 1)
    if code == 13 { return .key(flags == 0 ? .enter : .lineBreak) }
    if code == 27 { return .key(.escape) }
    if code == 9 { return .key(flags & 1 != 0 ? .backTab : .tab) }
    if code == 127 { return .key(.backspace) }
    guard let scalar = Unicode.Scalar(UInt32(clamping: code)) else { return nil }
    let character = Character(scalar)
    return .key(
      flags & 4 != 0 ? .control(character) : flags & 2 != 0 ? .alt(character) : .character(character))
  }

  private static func mouse(_ code: Int, _ x: Int, _ y: Int, isRelease: Bool) -> Key.Mouse? {
    if code & 64 != 0 { return Key.Mouse(code & 1 == 0 ? .wheelUp : .wheelDown, x, y) }
    guard code & 3 == 0 else { return nil }
    return Key.Mouse(isRelease ? .release : code & 32 != 0 ? .drag : .press, x, y)
  }

  /// OSC, DCS and APC: up to BEL or ST.
  private static func string(_ b: ArraySlice<UInt8>, _ kind: UInt8, _ isFinal: Bool) -> (Input?, Int)? {
    var at = b.startIndex + 2
    while at < b.endIndex {
      let isBell = b[at] == 0x07, isEscape = b[at] == 0x1B
      if isEscape, at + 1 == b.endIndex { return isFinal ? (nil, at - b.startIndex) : nil }
      if isBell || (isEscape && b[at + 1] == UInt8(ascii: "\\")) {
        let body = String(decoding: b[(b.startIndex + 2)..<at], as: UTF8.self)
        return (.reply(reply(body, kind)), at - b.startIndex + (isBell ? 1 : 2))
      }
      // Any other escape sequence breaks a string off: whoever is stuck in half a reply is out of it by a key.
      if Self.breaksOff(b[at]) { return (nil, at - b.startIndex) }
      at += 1
    }
    if isFinal, b.count == 2, let scalar = Unicode.Scalar(UInt32(kind)) {
      return (.key(.alt(Character(scalar))), 2)
    }
    // What has no end yet is not typed.
    return nil
  }

  private static func reply(_ body: String, _ kind: UInt8) -> TerminalReply {
    if kind == UInt8(ascii: "_") {
      return body.hasPrefix("G") && body.contains(";OK") ? .kittyGraphics : .other
    }
    if kind == UInt8(ascii: "P") {
      return body.hasPrefix(">|") ? .version(String(body.dropFirst(2))) : .other
    }
    guard body.hasPrefix("11;rgb:") else { return .other }
    let parts = body.dropFirst(7).split(separator: "/").compactMap { part -> UInt8? in
      guard let value = UInt32(part, radix: 16), !part.isEmpty, part.count <= 4 else { return nil }
      return UInt8(value * 255 / ((1 << (4 * UInt32(part.count))) - 1))
    }
    return parts.count == 3 ? .background(Colour(parts[0], parts[1], parts[2])) : .other
  }
}
