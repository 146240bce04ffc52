import Files
import Testing

@Suite struct MappedFileTests {
  /// A copy that there is no memory for is one line; a small one is made without asking.
  @Test func aCopyWithoutMemoryIsRefused() throws {
    let error = #expect(throws: FileAccessError.self) {
      try MappedFile.checkRoom(1 << 62, for: 363_000_000, "large.csv")
    }
    #expect(error?.description == "large.csv: there is no memory for its 363 MB; close other programs")
    try MappedFile.checkRoom(8 << 20, for: 4 << 20, "small.csv")
  }
}
