import Files
import Foundation
import ModelFiles
import TestSupport
import Testing

/// Hubs that refuse, are not there, or mean harm. Every failure is one line that says what to do.
struct HubFailureTests {
  private struct Refusal {
    var response: HubServer.Response
    var kind: HubError.Kind
    var words: [String]
    var hasToken = true
  }

  /// The server repeats the token in what it says, as some proxies do.
  private static var refusals: [Refusal] {
    let token = HubBench.token, error = HubServer.error
    let gated =
      "Access to model org/Tiny is restricted. Visit http://hub/org/Tiny to ask for access."
    return [
      .init(
        response: error(401, "GatedRepo", gated), kind: .gated,
        words: ["is gated", "accept its terms at http://127.0.0.1", "HF_TOKEN", "Visit http://hub/org/Tiny"],
        hasToken: false),
      .init(
        response: error(403, "GatedRepo", "\(gated) (\(token))"), kind: .gated,
        words: ["your token (HF_TOKEN) has no access"]
      ),
      .init(
        response: error(404, "RepoNotFound", "Repository not found"), kind: .missing,
        words: ["compare its name"]),
      .init(
        response: error(401, nil, "Invalid username or password."), kind: .missing,
        words: ["private or gated"],
        hasToken: false),
      .init(
        response: error(401, nil, "Invalid credentials in Authorization header \(token)\u{1B}[2J"),
        kind: .token,
        words: ["does not know the token in HF_TOKEN", "/settings/tokens"]),
      .init(
        response: error(403, nil, "Access to this resource is disabled."), kind: .disabled,
        words: ["is disabled"]),
      .init(
        response: error(404, "RevisionNotFound", "Invalid rev id"), kind: .revision,
        words: ["no revision 'main'"]),
      .init(response: .init(500), kind: .server, words: ["out of order (500)"]),
      .init(response: .init(429, ["Retry-After": "100000"]), kind: .server, words: ["wait for 1667 minutes"]),
      .init(response: .init(418), kind: .strange, words: ["answers 418"]),
      .init(
        response: .init(200, [:], Array("<html>".utf8)), kind: .strange, words: ["is HF_ENDPOINT a hub?"]),
      .init(
        response: HubServer.json(["sha": "../..", "siblings": []]), kind: .strange, words: ["not understood"]),
    ]
  }

  @Test func whatTheHubMeansIsSaidInOneLine() throws {
    let bench = try HubBench()
    for refusal in Self.refusals {
      bench.server.answer { _, _ in refusal.response }
      bench.server.forget()
      let found = bench.failure(HubBench.name, refusal.hasToken ? [:] : ["HF_TOKEN": ""])
      #expect(found.kind == refusal.kind, "\(found)")
      for words in refusal.words { #expect(found.text.contains(words), "\(found)") }
      let tries = [500].contains(refusal.response.status) ? 6 : 1
      #expect(bench.server.requests.count == tries)
    }
    // A gated model's listing is there for all, its files are not.
    bench.server.answer { request, response in
      request.path.hasPrefix("/api") ? response : HubServer.error(403, "GatedRepo", "Ask for access.")
    }
    #expect(bench.failure().kind == .gated)
    bench.server.answer { request, response in
      request.path.hasSuffix("tokenizer.json") ? HubServer.error(404, "EntryNotFound", "Not there") : response
    }
    #expect(bench.failure().text.contains("lists tokenizer.json but does not hold it"))
    var listing = bench.server.listing(HubBench.name, try #require(bench.server.repositories[HubBench.name]))
    listing["disabled"] = true
    let disabled = HubServer.json(listing)
    bench.server.answer { _, _ in disabled }
    #expect(bench.failure().kind == .disabled)
  }

  @Test func withoutNetworkWhatIsInTheCacheIsUsed() throws {
    let bench = try HubBench()
    let offline = bench.failure(HubBench.name, ["TRANSFORMERS_OFFLINE": "ON"])
    #expect(offline.kind == .offline && offline.text.contains("TRANSFORMERS_OFFLINE"), "\(offline)")
    #expect(bench.server.requests.isEmpty)
    // A port that nobody listens on.
    let nowhere = ["HF_ENDPOINT": "http://127.0.0.1:9"], found = bench.failure(HubBench.name, nowhere)
    #expect(found.kind == .network && found.text.contains("cannot be reached"), "\(found)")
    try bench.pull()
    var notes: [String] = []
    let pulled = try bench.pull(
      HubBench.name, nowhere, onEvent: { if case .note(let text) = $0 { notes.append(text) } })
    #expect(
      pulled.folder == bench.snapshot && notes.count == 1 && notes[0].contains("what is in the cache is used")
    )
  }

  @Test func repositoriesWithoutAModelAreToldAtOnce() throws {
    for (files, words) in [
      (["config.json": [UInt8](), "model.gguf": [1]], "the weights are GGUF's (model.gguf)"),
      (["config.json": [], "pytorch_model.bin": [1]], "PyTorch's"), (["model_index.json": []], "diffusers"),
      (["adapter_config.json": [], "adapter_model.safetensors": [1]], "adapter"),
      (["README.md": []], "no config.json"),
      (["config.json": []], "no weights in safetensors"),
    ] {
      let bench = try HubBench(files), found = bench.failure()
      #expect(found.kind == .name && found.text.contains(words), "\(found)")
      #expect(bench.server.requests.count == 1 && bench.paths(bench.folder).isEmpty)
    }
  }

  // MARK: Harm

  /// What a spoilt listing or index asks for is not done, and nothing lies outside of the cache.
  @Test func namesThatLeadElsewhereAreNotFollowed() throws {
    let bench = try HubBench()
    var items =
      bench.server.repositories[HubBench.name].map { bench.server.listing(HubBench.name, $0) } ?? [:]
    var siblings = items["siblings"] as? [[String: Any]] ?? []
    for name in [
      "../../../evil.json", "/tmp/evil.json", "a/../../b", "\u{1B}[31mred.json", "", "..", "x\0y", "c:\\d",
    ] {
      siblings.append(["rfilename": name, "size": 3, "blobId": String(repeating: "a", count: 40)])
    }
    items["siblings"] = siblings
    let listing = HubServer.json(items)
    bench.server.answer { request, response in request.path.hasPrefix("/api") ? listing : response }
    try bench.pull()
    #expect(bench.paths(bench.snapshot) == HubPullTests.wanted)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder) == ["hub"])
    for shard in [
      "../../../evil.safetensors", "/tmp/evil.safetensors", "..", "a\\u001bb.safetensors", "gone.safetensors",
    ] {
      let bench = try HubBench([
        "config.json": Array("{}".utf8), "tokenizer.json": [1],
        "model.safetensors.index.json": Array("{\"weight_map\":{\"a\":\"\(shard)\"}}".utf8),
      ])
      #expect([.strange, .file].contains(bench.failure().kind), "\(shard)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder) == ["hub"])
      #expect(!bench.paths(bench.cache).contains { $0.contains("evil") })
    }
  }

  @Test func sizesAndChecksumsThatCannotBeAreRefused() throws {
    let etag = String(repeating: "a", count: 64)
    for (size, name, kind) in [
      (1 << 49, etag, HubError.Kind.room), (1 << 50, etag, .room), (Int.max, etag, .strange),
      (-1, etag, .strange),
      (5, "../../../evil", .strange), (5, "W/abc", .strange), (5, "", .strange),
    ] {
      let bench = try HubBench(["config.json": Array("{}".utf8), "model.safetensors": [1, 2, 3, 4, 5]])
      bench.server.answer { request, response in
        guard request.path.hasPrefix("/api") else { return response }
        return HubServer.json([
          "sha": HubServer.commit,
          "siblings": [
            [
              "rfilename": "config.json", "size": 2,
              "blobId": HubServer.etag(Array("{}".utf8), isLarge: false),
            ],
            ["rfilename": "model.safetensors", "lfs": ["sha256": name, "size": size]],
          ],
        ])
      }
      let found = bench.failure()
      #expect(found.kind == kind, "\(size) \(name): \(found)")
      #expect(!bench.asked.contains("GET store"))
      if kind == .room { #expect(found.text.contains("MB are free for") && found.text.contains("make room")) }
    }
  }

  @Test func bodiesThatAreNotWhatWasPromisedAreRefused() throws {
    let whole = HubBench.weights()
    var wrong = whole
    wrong[77] ^= 1
    var endless = HubServer.Response(200, [:], [UInt8](repeating: 1, count: 1 << 16))
    (endless.length, endless.endless) = (nil, 1 << 28)
    var longer = HubServer.Response(200, [:], whole + [1])
    longer.length = nil
    let cases: [(HubServer.Response, HubError.Kind, String)] = [
      (.init(200, [:], wrong), .damaged, "came damaged"),
      (endless, .strange, "more of model.safetensors comes"),
      (longer, .strange, "more of"), (.init(200, [:], Array(whole[1...])), .strange, "and 2999999 are sent"),
      (.init(206, ["Content-Range": "bytes 5-2999999/3000000"], whole), .strange, "another part"),
      (.init(206, [:], whole), .strange, "another part"),
    ]
    for (response, kind, words) in cases {
      let bench = try HubBench()
      bench.server.answer { request, usual in request.isToStore ? response : usual }
      let found = bench.failure()
      #expect(found.kind == kind && found.text.contains(words), "\(found)")
      #expect(!FileManager.default.fileExists(atPath: bench.blob))
      let left = try? FileManager.default.attributesOfItem(atPath: bench.blob + ".incomplete")[.size] as? Int
      #expect((left ?? 0) == 0)
    }
    // One that is cut short for ever ends after so many tries.
    let bench = try HubBench()
    bench.server.answer { request, usual in
      var response = usual
      if request.isToStore { response.cut = 100 }
      return response
    }
    #expect(bench.failure().kind == .network && bench.asked.filter { $0.contains("store") }.count == 6)
  }

  @Test func redirectsThatShouldNotBeFollowedAreNot() throws {
    for location in [
      "file:///etc/passwd", "ftp://127.0.0.1/x", "http://a@127.0.0.1/", "http://x y/", "gopher:x", "//",
    ] {
      let bench = try HubBench()
      bench.server.answer { request, response in
        request.path.contains("resolve") ? .init(302, ["Location": location]) : response
      }
      let found = bench.failure()
      #expect(found.kind == .strange && found.text.contains("not followed"), "\(location): \(found)")
    }
    let bench = try HubBench()
    bench.server.answer { request, response in
      request.path.contains("resolve") ? .init(302, ["Location": request.path]) : response
    }
    #expect(bench.failure().text.contains("leads in a circle"))
    // By way of another host the token does not come back to the hub either.
    bench.server.forget()
    let back = bench.server.address, store = bench.server.storePort
    bench.server.answer { request, response in
      if request.isToStore { return .init(302, ["Location": "\(back)/again"]) }
      if request.path == "/again" { return .init(404) }
      return request.path.contains("resolve")
        ? .init(302, ["Location": "http://127.0.0.2:\(store)/x"]) : response
    }
    _ = bench.failure()
    let again = bench.server.requests.filter { $0.path == "/again" }
    #expect(!again.isEmpty && again.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test func anEndlessListingAndEndlessHeadersEnd() throws {
    let bench = try HubBench()
    bench.server.answer { _, _ in
      var response = HubServer.Response(200, [:], [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20))
      (response.length, response.endless) = (nil, 1 << 28)
      return response
    }
    #expect(bench.failure().text.contains("more files than a model has"))
    bench.server.answer { _, _ in
      .init(
        200,
        [
          "X-Long": String(repeating: "x", count: 90_000) + "\r\nX-More: "
            + String(repeating: "y", count: 400_000)
        ])
    }
    #expect(bench.failure().kind == .network)
    // Deep, and long without end of a kind: no answer of a hub, and no trap.
    bench.server.answer { _, _ in .init(200, [:], [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)) }
    #expect(bench.failure().kind == .strange)
  }

  @Test func settingsThatCannotBeAreNamed() throws {
    func reason(_ variables: [String: String]) -> String {
      do {
        _ = try HubSettings(variables)
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    for place in ["file:///x", "hub", "https://", "http://a b", "http://x:99999", "https://u:p@h"] {
      #expect(reason(["HF_ENDPOINT": place]).contains("HF_ENDPOINT"), "\(place)")
    }
    let told = reason(["HF_TOKEN": "hf_a\r\nX-Evil: 1"])
    #expect(told.contains("HF_TOKEN is no token") && !told.contains("hf_a"))
    for (variables, cache) in [
      (["HF_HUB_CACHE": "/c/", "HF_HOME": "/h"], "/c"), (["HF_HOME": "~/h", "HOME": "/u"], "/u/h/hub"),
      (["XDG_CACHE_HOME": "/x", "HOME": "/u"], "/x/huggingface/hub"),
      (["HOME": "/u"], "/u/.cache/huggingface/hub"),
      (["XDG_CACHE_HOME": "rel", "HOME": "/u"], "/u/.cache/huggingface/hub"),
      (["HOME": "rel"], Paths.home([:]) + "/.cache/huggingface/hub"),
    ] {
      #expect(try HubSettings(variables).cache == cache)
    }
    // The token of the file, and none where that is not wanted.
    let bench = try HubBench()
    try bench.write(Array("hf_file\n".utf8), to: bench.folder + "/home/token")
    for (variables, token) in [
      (["HF_HOME": bench.folder + "/home"], "Bearer hf_file"),
      (["HF_TOKEN_PATH": bench.folder + "/home/token"], "Bearer hf_file"),
      (["HF_HOME": bench.folder + "/home", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"], nil),
    ] {
      bench.server.forget()
      _ = bench.failure("org/none", variables.merging(["HF_TOKEN": ""]) { $1 })
      #expect(bench.server.requests.map { $0.headers["authorization"] } == [token])
    }
  }

  @Test(arguments: [
    "name", "/name", "org/", "a/b/c", "../x", "org/..", "org/a--b", "org/.x", "org/x.git", "o rg/x", "org/x@",
    "org/x@../y",
    "org/x@/y", "org/x@a b", "org/x@a\\b", "org/\u{E9}",
  ])
  func whatIsNoNameIsNone(_ text: String) { #expect(HubName(text) == nil) }
}
