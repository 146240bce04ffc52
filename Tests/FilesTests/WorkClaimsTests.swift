import Files
import TestSupport
import Testing

@Suite struct WorkClaimsTests {
  /// What one has claimed no other one gets, until it is given back or the one is gone.
  @Test func claimsKeepOthersOut() throws {
    let path = temporaryPath(), one = try WorkClaims(path), most = UInt64(1) << 62 - 1
    do {
      let two = try WorkClaims(path)
      #expect(one.claim(3) && one.claim(most) && !two.claim(3) && two.claim(4) && !two.claim(most))
      #expect(one.claim(3) && !one.claim(4))
      one.releaseAll()
      #expect(two.claim(3) && !one.claim(3))
    }
    #expect(one.claim(3) && one.claim(4))
    #expect(throws: FileAccessError.self) { try WorkClaims("/nowhere/claims") }
  }
}
