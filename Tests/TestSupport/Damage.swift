import Foundation
import Tensors

/// A file with something wrong in it: bytes changed, cut, doubled, or put in.
public func damaged(_ bytes: [UInt8], _ random: inout Philox) -> [UInt8] {
  var copy = bytes
  func place(_ bound: Int) -> Int { Int(random.integers(below: UInt32(max(1, bound)), count: 1)[0]) }
  switch place(6) {
  case 0: copy.removeLast(min(copy.count, 1 + place(copy.count)))
  case 1:
    let at = place(copy.count)
    copy.removeSubrange(at..<min(copy.count, at + 1 + place(16)))
  case 2:
    let at = place(copy.count)
    copy.insert(contentsOf: copy[at..<min(copy.count, at + 1 + place(32))], at: at)
  case 3:
    let at = place(copy.count)
    for i in at..<min(copy.count, at + 1 + place(8)) { copy[i] = 0xFF }
  default:
    for _ in 0...place(8) {
      guard !copy.isEmpty else { break }
      copy[place(copy.count)] = UInt8(place(256))
    }
  }
  return copy
}

/// How many damaged files a test tries: so many, or in `make fuzz-files` a share of what VUGEN_FUZZ says.
public func damageRounds(_ usual: Int, share: Int = 1) -> Int {
  max(usual, (ProcessInfo.processInfo.environment["VUGEN_FUZZ"].flatMap(Int.init) ?? 0) / share)
}

/// A text file with something wrong in it: half of the time in its bytes, else in its words, so that what cuts it into
/// words has nothing to object to: another number, word or value, a line that is missing, doubled or moved.
public func damagedText(_ bytes: [UInt8], _ random: inout Philox) -> [UInt8] {
  func place(_ bound: Int) -> Int { Int(random.integers(below: UInt32(max(1, bound)), count: 1)[0]) }
  func one(of words: [String]) -> [UInt8] { Array(words[place(words.count)].utf8) }
  /// A run of the bytes that `belongs` knows, somewhere behind a random place.
  func run(_ belongs: (UInt8) -> Bool) -> Range<Int>? {
    let from = place(bytes.count)
    guard let first = bytes[from...].firstIndex(where: belongs) else { return nil }
    return first..<(bytes[first...].firstIndex { !belongs($0) } ?? bytes.count)
  }
  var copy = bytes
  switch place(8) {
  case 0:
    if let number = run({ (0x30...0x39).contains($0) }) {
      copy.replaceSubrange(number, with: one(of: OddInput.numbers))
    }
  case 1:
    if let word = run({ $0 > 0x20 && !Array("\"'{}[]:,=".utf8).contains($0) }) {
      copy.replaceSubrange(word, with: one(of: OddInput.values))
    }
  case 2, 3:
    var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
    let line = lines.remove(at: place(lines.count)), copies = place(3)
    for _ in 0..<copies { lines.insert(line, at: place(lines.count + 1)) }
    copy = Array(lines.joined(separator: [10]))
  default: copy = damaged(bytes, &random)
  }
  return copy
}
