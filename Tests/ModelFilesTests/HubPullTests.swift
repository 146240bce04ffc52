import Foundation
import ModelFiles
import TestSupport
import Testing

/// Models fetched from a hub that does what it should.
struct HubPullTests {
  static let wanted = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]

  @Test func whatIsReadIsFetchedIntoTheCacheOnce() throws {
    let bench = try HubBench(), pulled = try bench.pull()
    #expect(pulled.folder == bench.snapshot && pulled.commit == HubServer.commit && pulled.files == 4)
    #expect(
      pulled.fetched == pulled.bytes
        && pulled.bytes == Self.wanted.reduce(0) { $0 + (HubBench.files[$1]?.count ?? 0) })
    #expect(bench.paths(bench.snapshot) == Self.wanted)
    for name in Self.wanted {
      let bytes = try #require(HubBench.files[name]), path = "\(bench.snapshot)/\(name)"
      let etag = HubServer.etag(bytes, isLarge: name.hasSuffix(".safetensors"))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "../../blobs/\(etag)")
      #expect(try bench.bytes(path) == bytes)
    }
    #expect(try String(contentsOfFile: bench.root + "/refs/main", encoding: .utf8) == HubServer.commit)
    #expect(bench.paths(bench.root + "/blobs").count == 4)
    // The hub is told who asks; the store, which is another host, is not.
    for request in bench.server.requests {
      #expect(request.headers["authorization"] == (request.isToStore ? nil : "Bearer \(HubBench.token)"))
    }
    #expect(bench.server.requests.filter(\.isToStore).count == 1)
    // Again: what is there is asked for once, and a commit not at all.
    bench.server.forget()
    #expect(try bench.pull().fetched == 0)
    #expect(bench.asked == ["GET main"])
    bench.server.forget()
    #expect(try bench.pull("\(HubBench.name)@\(HubServer.commit)").folder == bench.snapshot)
    #expect(try bench.pull(HubBench.name, ["HF_HUB_OFFLINE": "1"]).folder == bench.snapshot)
    #expect(bench.server.requests.isEmpty)
    let cache = HubCache(bench.cache)
    #expect(cache.located(try #require(HubName(HubBench.name))) == bench.snapshot)
    #expect(cache.located(try #require(HubName(HubBench.name + "@v2"))) == nil)
  }

  @Test func revisionsAreQuotedAndShardsComeFromTheIndex() throws {
    let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    var files: [String: [UInt8]] = [
      "config.json": Array("{}".utf8), "tokenizer.model": [7], shards[0]: HubBench.weights(9000),
      shards[1]: HubBench.weights(0), "model-00001-of-00009.safetensors": [1],
      "consolidated.safetensors": [2],
    ]
    files["model.safetensors.index.json"] = Array(
      "{\"weight_map\":{\"a\":\"\(shards[0])\",\"b\":\"\(shards[1])\",\"c\":\"\(shards[0])\"}}".utf8)
    let bench = try HubBench(files)
    bench.server.repositories[HubBench.name]?.revisions = ["refs/pr/1"]
    let folder = try bench.pull(HubBench.name + "@refs/pr/1").folder
    #expect(
      bench.paths(folder) == ["config.json"] + shards + ["model.safetensors.index.json", "tokenizer.model"])
    #expect(bench.server.requests.first?.path == "/api/models/org/Tiny-1.5_B/revision/refs%2Fpr%2F1")
    #expect(try String(contentsOfFile: bench.root + "/refs/refs/pr/1", encoding: .utf8) == HubServer.commit)
    #expect(bench.failure(HubBench.name + "@v9").kind == .revision)
  }

  @Test func aCutConnectionGoesOnWhereItWas() throws {
    let bench = try HubBench(), count = Count()
    bench.server.answer { request, response in
      var response = response
      if request.isToStore, count.next() < 3 { response.cut = 300_000 }
      return response
    }
    try bench.pull()
    #expect(try bench.bytes(bench.blob) == HubBench.weights())
    #expect(
      bench.asked.filter { $0.contains("store") } == ["GET store"]
        + [300_000, 600_000, 900_000].map { "GET store bytes=\($0)-" })
  }

  @Test func aStoppedRunIsGoneOnWith() throws {
    let bench = try HubBench(), count = Count()
    bench.server.answer { request, response in
      var response = response
      if request.isToStore { response.stall = 1_000_000 }
      return response
    }
    #expect(throws: HubError.self) {
      // Once the first part is on the disk.
      try bench.pull(isStopped: { [blob = bench.blob] in
        let size = try? FileManager.default.attributesOfItem(atPath: blob + ".incomplete")[.size] as? Int
        return size == 1_000_000 && count.next() >= 0
      })
    }
    #expect(!FileManager.default.fileExists(atPath: bench.blob))
    // What is there is whole; nothing promises that the model is.
    #expect(!bench.paths(bench.snapshot).contains("model.safetensors"))
    #expect(!FileManager.default.fileExists(atPath: bench.root + "/refs/main"))
    bench.server.answer { $1 }
    bench.server.forget()
    try bench.pull()
    #expect(try bench.bytes(bench.blob) == HubBench.weights())
    #expect(bench.asked.filter { $0.contains("store") } == ["GET store bytes=1000000-"])
    #expect(!bench.paths(bench.root).contains { $0.hasSuffix(".incomplete") })
  }

  /// Parts that are wrong, whole or too long; servers that know no ranges.
  @Test func whatAnEarlierRunLeftIsChecked() throws {
    let whole = HubBench.weights()
    for (left, knowsRanges) in [
      ([UInt8](repeating: 9, count: 1000), true), (whole + [1], true), (whole, true),
      (Array(whole[..<5000]), false),
      ([UInt8](repeating: 9, count: whole.count), true),
    ] {
      let bench = try HubBench()
      try bench.write(left, to: bench.blob + ".incomplete")
      if !knowsRanges {
        bench.server.answer { $0.isToStore ? .init(200, [:], whole) : $1 }
      }
      try bench.pull()
      #expect(try bench.bytes(bench.blob) == whole)
    }
    // 416 for what is there: the hub has another file now, as it seems.
    let bench = try HubBench(), count = Count()
    try bench.write(Array(whole[..<5000]), to: bench.blob + ".incomplete")
    bench.server.answer { $0.isToStore && count.next() == 0 ? .init(416) : $1 }
    try bench.pull()
    #expect(try bench.bytes(bench.blob) == whole)
  }

  @Test func whatMayPassIsTriedAgain() throws {
    for (status, headers) in [
      (503, [:]), (500, [:]), (408, [:]), (429, ["Retry-After": "0"]),
      (429, ["RateLimit": "\"api\";r=0;t=0"]),
    ] {
      let bench = try HubBench(), known = Names()
      bench.server.answer { request, response in
        // Each question is refused once.
        known.isNew(request.path) ? .init(status, headers, Array("busy".utf8)) : response
      }
      try bench.pull()
      #expect(try bench.bytes(bench.blob) == HubBench.weights())
    }
    // A signed address runs out: the hub is asked for another, and the bytes that came are kept.
    let bench = try HubBench(), count = Count()
    bench.server.answer { request, response in
      guard request.isToStore else { return response }
      var response = response
      switch count.next() {
      case 0: response.cut = 200_000
      case 1: return .init(403, [:], Array("Request has expired".utf8))
      default: break
      }
      return response
    }
    try bench.pull()
    #expect(bench.asked.filter { $0.hasSuffix("200000-") }.count == 4)
  }

  /// Locks are those of the hub's own client: flock on a file of the checksum's name.
  @Test func twoPullsOfOneModelFetchItOnce() throws {
    let bench = try HubBench()
    bench.server.answer { request, response in
      var response = response
      if request.isToStore { response.delay = 0.3 }
      return response
    }
    let lock =
      "\(bench.cache)/.locks/models--org--Tiny-1.5_B/\((bench.blob as NSString).lastPathComponent).lock"
    try bench.write([], to: lock)
    let held = open(lock, O_RDWR)
    #expect(flock(held, LOCK_EX) == 0)
    // Threads of their own: those that tests run on are few.
    let waits = Count(), ends = Count()
    for _ in 0..<2 {
      Thread {
        _ = try? bench.pull(onEvent: {
          if case .note(let text) = $0, text.contains("waiting for another") { waits.next() }
        })
        ends.next()
      }.start()
    }
    // Both stand before the file that somebody else is at.
    for _ in 0..<10_000 where waits.now < 2 { usleep(5000) }
    #expect(waits.now >= 2 && !bench.asked.contains("GET store"))
    close(held)
    for _ in 0..<10_000 where ends.now < 2 { usleep(5000) }
    #expect(ends.now == 2 && FileManager.default.fileExists(atPath: bench.root + "/refs/main"))
    #expect(bench.asked.filter { $0.contains("store") }.count == 1)
    #expect(try bench.bytes(bench.blob) == HubBench.weights())
  }

  @Test func withoutLinksThereAreFiles() throws {
    let bench = try HubBench(), plain = ["HF_HUB_DISABLE_SYMLINKS": "yes"]
    try bench.pull(HubBench.name, plain)
    for name in Self.wanted {
      let path = "\(bench.snapshot)/\(name)"
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil)
      #expect(try bench.bytes(path) == HubBench.files[name])
    }
    #expect(bench.paths(bench.root + "/blobs").isEmpty)
    bench.server.forget()
    #expect(try bench.pull(HubBench.name, plain).fetched == 0)
    #expect(bench.asked == ["GET main"])
  }

  @Test func aListingWithoutChecksumsIsCompletedByHeads() throws {
    let bench = try HubBench()
    bench.server.answer { request, response in
      guard request.path.hasPrefix("/api") else { return response }
      return HubServer.json([
        "sha": HubServer.commit, "siblings": HubBench.files.keys.map { ["rfilename": $0] },
      ])
    }
    try bench.pull()
    #expect(try bench.bytes(bench.blob) == HubBench.weights())
    #expect(bench.asked.filter { $0.hasPrefix("HEAD") }.count == 4)
    #expect(!bench.asked.contains("HEAD store"))
  }

  @Test func aFolderOfOnesOwn() throws {
    let bench = try HubBench(), folder = bench.folder + "/mine",
      notes = "\(folder)/.cache/huggingface/download"
    #expect(try bench.pull(to: folder).folder == folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [".cache"] + Self.wanted)
    let lines = try String(contentsOfFile: "\(notes)/model.safetensors.metadata", encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 3 && lines[0] == HubServer.commit && bench.blob.hasSuffix(lines[1]))
    #expect(!FileManager.default.fileExists(atPath: bench.cache))
    bench.server.forget()
    #expect(try bench.pull(to: folder).fetched == 0)
    // Another state of the model takes the place of what was fetched, and only of that.
    bench.server.repositories[HubBench.name]?.files["config.json"] = Array("{\"new\":1}".utf8)
    #expect(try bench.pull(to: folder).fetched == 9)
    #expect(!bench.asked.contains("GET store"))
    let own = bench.folder + "/own", mine = Array("{\"mine\":1}".utf8)
    try bench.write(mine, to: own + "/config.json")
    let refused = bench.failure(to: own).text
    #expect(refused.hasPrefix("\(own)/config.json: already exists") && bench.paths(own) == ["config.json"])
    #expect(try bench.bytes(own + "/config.json") == mine)
    // What the cache has need not come again.
    try bench.pull()
    bench.server.forget()
    try bench.pull(to: bench.folder + "/copy")
    #expect(bench.asked == ["GET main"])
    #expect(try bench.bytes(bench.folder + "/copy/model.safetensors") == HubBench.weights())
  }
}
