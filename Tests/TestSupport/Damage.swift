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
