import Digests
import Testing

@Suite struct DigestTests {
  /// FIPS 180-2's answers.
  @Test func digestsAreThePublishedOnes() throws {
    #expect(
      try Digest.sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let parts = RunningDigest(.sha256)
    for byte in "abc".utf8 { withUnsafeBytes(of: byte) { parts.add($0) } }
    #expect(try parts.finish() == Digest.sha256(Array("abc".utf8)))
    let blob = RunningDigest(.gitBlob(size: 0))
    #expect(try blob.finish() == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
  }

  /// A library that computes nothing leaves an empty name, or another's: that is an error.
  @Test func aDigestThatIsNotComputedIsAnError() throws {
    let digest = RunningDigest(.sha256)
    _ = try digest.finish()
    #expect(throws: DigestError.self) { try digest.finish() }
  }
}
