import Foundation
import ModelFiles
import TestSupport
import Testing

/// What lies in a hub's cache: found, listed and removed.
struct HubCacheTests {
  private static let other = String(repeating: "0123abcd", count: 5)

  /// A model in two states that share their weights.
  private func twoStates() throws -> HubBench {
    let bench = try HubBench()
    try bench.pull()
    bench.server.repositories[HubBench.name]?.commit = Self.other
    bench.server.repositories[HubBench.name]?.files["config.json"] = Array("{\"model_type\":\"y\"}".utf8)
    bench.server.repositories[HubBench.name]?.revisions = ["v2"]
    try bench.pull(HubBench.name + "@v2")
    return bench
  }

  @Test func statesAreListedAndRemovedAlone() throws {
    let bench = try twoStates(), cache = HubCache(bench.cache)
    let states = cache.models()
    #expect(states.map(\.commit) == [Self.other, HubServer.commit].sorted())
    #expect(states.map(\.revisions).sorted { $0[0] < $1[0] } == [["main"], ["v2"]])
    #expect(states.allSatisfy { $0.bytes > 3_000_000 && $0.name.repository == HubBench.name })
    #expect(cache.names() == [HubBench.name])
    let name = try #require(HubName(HubBench.name)), second = try #require(HubName(HubBench.name + "@v2"))
    #expect(cache.located(second) == "\(bench.root)/snapshots/\(Self.other)")
    // Only its configuration is its own.
    #expect(try cache.remove(second) == 18)
    #expect(cache.located(second) == nil && cache.located(name) == bench.snapshot)
    #expect(try bench.bytes(bench.snapshot + "/model.safetensors") == HubBench.weights())
    #expect(throws: HubError.self) { try cache.remove(second) }
    #expect(try cache.remove(name) > 3_000_000)
    #expect(cache.models().isEmpty && !FileManager.default.fileExists(atPath: bench.root))
    #expect(throws: HubError.self) { try cache.remove(name) }
  }

  @Test func whatIsBeingFetchedIsNotRemoved() throws {
    let bench = try HubBench(), cache = HubCache(bench.cache),
      name = try #require(HubName(HubBench.name))
    try bench.pull()
    let lock =
      "\(bench.cache)/.locks/models--org--Tiny-1.5_B/\((bench.blob as NSString).lastPathComponent).lock"
    let held = open(lock, O_RDWR)
    #expect(flock(held, LOCK_EX) == 0)
    #expect(throws: HubError.self) { try cache.remove(name) }
    close(held)
    #expect(try cache.remove(name) > 0)
  }

  /// A cache as other programs leave it is read, however odd.
  @Test func strangeCachesAreRead() throws {
    let folder = try temporaryFolder(), cache = HubCache(folder)
    let bench = try HubBench()
    for path in [
      "models--a--b/refs/main", "models--a--b/snapshots/nonsense/x", "models--gpt2/refs/main",
      "datasets--a--b/refs/main",
      "models--..--x/refs/main", "models--a--b--c/refs/main", "version.txt", "models--e--f",
    ] {
      try bench.write(Array("../../../../etc\n".utf8), to: "\(folder)/\(path)")
    }
    #expect(cache.models().isEmpty)
    #expect(cache.located(try #require(HubName("a/b"))) == nil)
    #expect(cache.located(try #require(HubName("e/f"))) == nil)
    // Fetched by somebody who noted no branch.
    try bench.write([1], to: "\(folder)/models--g--h/snapshots/\(Self.other)/config.json")
    #expect(cache.located(try #require(HubName("g/h"))) == "\(folder)/models--g--h/snapshots/\(Self.other)")
  }

  /// Folders whose download ended early say how to complete them.
  @Test func whatIsNotWholeSaysHowToCompleteIt() throws {
    let bench = try HubBench()
    try bench.pull()
    func reason(_ folder: String) -> String {
      do {
        _ = try ModelWeights(folder: folder)
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    unlink(bench.blob)
    #expect(reason(bench.snapshot).contains("complete it: vugen model pull \(HubBench.name)"))
    unlink(bench.snapshot + "/model.safetensors")
    #expect(reason(bench.snapshot).contains("complete it: vugen model pull \(HubBench.name)"))
    try bench.write(Array(Self.other.utf8), to: bench.root + "/refs/main")
    #expect(reason(bench.snapshot).hasSuffix("vugen model pull \(HubBench.name)@\(HubServer.commit)"))
    try bench.write([1], to: bench.folder + "/plain/model-00001-of-00003.safetensors")
    #expect(
      reason(bench.folder + "/plain").contains("vugen model pull ORG/NAME --local-dir \(bench.folder)/plain"))
    #expect(reason("org/Nowhere").contains("fetch it: vugen model pull org/Nowhere"))
    try bench.pull()
    #expect(try bench.bytes(bench.snapshot + "/model.safetensors") == HubBench.weights())
  }

  @Test func checksumsAreGitsAndSHA256() {
    // As `git hash-object` and `sha256sum` have them.
    #expect(
      HubServer.etag(Array("hello\n".utf8), isLarge: false) == "ce013625030ba8dba906f756967f9e9ca394464a")
    #expect(HubServer.etag([], isLarge: false) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    #expect(
      HubServer.etag(Array("abc".utf8), isLarge: true)
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
