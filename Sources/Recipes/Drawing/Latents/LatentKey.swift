import DataSets
import Digests
import Foundation

/// What the entry of a set of latents is found by: half of a SHA-256 of all that decides its numbers and captions, but for
/// the weights, which decide the set.
struct LatentKey: Hashable, Sendable {
  static let digits = 32

  private let high, low: UInt64

  /// Of 32 hexadecimal digits in lower case; nil for anything else.
  init?(_ text: some Collection<UInt8>) {
    guard text.count == Self.digits else { return nil }
    func number(_ part: some Sequence<UInt8>) -> UInt64? {
      var value: UInt64 = 0
      for digit in part {
        switch digit {
        case 48...57: value = value << 4 | UInt64(digit - 48)
        case 97...102: value = value << 4 | UInt64(digit - 87)
        default: return nil
        }
      }
      return value
    }
    guard let high = number(text.prefix(16)), let low = number(text.suffix(16)) else { return nil }
    (self.high, self.low) = (high, low)
  }

  /// Throws `DigestError`.
  init(of parts: [[UInt8]]) throws {
    let digest = RunningDigest(.sha256)
    for part in parts {
      // Where one part ends and the next begins counts.
      withUnsafeBytes(of: UInt64(part.count).littleEndian) { digest.add($0) }
      part.withUnsafeBytes { digest.add($0) }
    }
    guard let key = LatentKey(Array(try digest.finish().utf8.prefix(Self.digits))) else {
      throw DataSetError("latents", "their digest is none; this is a fault of the program")
    }
    self = key
  }

  /// 32 hexadecimal digits.
  var text: String {
    [high, low].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// The piece of work that making it is.
  var claim: UInt64 { low >> 2 }
}

/// An example of a run's data, and the key of its latents.
struct KeyedExample: Sendable {
  let number: Int
  let key: LatentKey
  /// Of a stored sample, in its set.
  let place: Int?
}

extension ExampleSource {
  /// The key of a scene, which need not be composed for it: seed, kind and number decide what is in it.
  static func key(ofScene number: Int, _ data: GeneratorRecipe.Data) throws -> LatentKey {
    let text =
      "scene 1|\(data.seed)|\(number)|\(data.style.rawValue)|\(data.wideShare)|\(data.pairShare)"
    return try LatentKey(of: [Array(text.utf8)])
  }

  /// The key of a stored example: of its sample's bytes, and of what becomes of its picture. nil for scenes. Throws
  /// `DataSetError` or `DigestError`.
  func stored(_ number: Int) throws -> KeyedExample? {
    guard case .stored(let index, let framing, let account) = self else { return nil }
    let first = Self.place(of: number, in: index, seed: framing.seed)
    return try Self.sound(index, from: first, account) { place in
      let sample = try index.sample(place)
      let view = sample.scene == nil ? framing.view(of: number, caption: sample.caption) : "whole"
      let key = try LatentKey(
        of: [Array("sample 1|\(view)".utf8), sample.picture, Array(sample.caption.utf8), sample.record])
      return KeyedExample(number: number, key: key, place: place)
    }
  }
}
