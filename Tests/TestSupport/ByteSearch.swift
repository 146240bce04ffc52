import Foundation

/// Where a sequence begins among bytes, one place behind another. Megabytes are searched in no time, which is not so of
/// strings and of code that is not optimised, as tests are.
public func places(of sequence: String, in bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
  let wanted = Array(sequence.utf8)
  guard let first = wanted.first, let base = bytes.baseAddress, bytes.count >= wanted.count else { return [] }
  var at = 0, found: [Int] = []
  let last = bytes.count - wanted.count
  while at <= last, let hit = memchr(base + at, Int32(first), last - at + 1) {
    at = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
    if memcmp(base + at, wanted, wanted.count) == 0 {
      found.append(at)
      at += wanted.count
    } else {
      at += 1
    }
  }
  return found
}
