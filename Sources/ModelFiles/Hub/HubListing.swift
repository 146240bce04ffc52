import Digests
import Foundation

/// What the hub says of a repository at one commit.
struct HubListing: Decodable {
  struct Item: Decodable {
    struct LargeFile: Decodable {
      let sha256: String?
      let size: Int?
    }

    let rfilename: String
    let size: Int?
    let blobId: String?
    let lfs: LargeFile?
  }

  let sha: String
  let siblings: [Item]
  let disabled: Bool?
}

/// A file of a repository, named by its content: the SHA-256 of a large one, else what Git calls it.
struct HubFile: Equatable, Sendable {
  let path: String
  let size: Int
  let etag: String

  /// Throws `HubError` for a name, length or checksum that can be none.
  init(path: String, size: Int?, etag: String?, of name: HubName) throws {
    guard SafePath.isRelative(path) else {
      throw HubError(
        .strange, "\(name) lists a file by a name that would lead out of its folder; nothing is fetched")
    }
    guard let size, (0...1 << 50).contains(size) else {
      throw HubError(.strange, "the hub does not say how long \(path) is; nothing is fetched")
    }
    guard let etag, etag.wholeMatch(of: #/[0-9a-f]{40}|[0-9a-f]{64}/#) != nil else {
      throw HubError(.strange, "the hub names no checksum of \(path) that is known; nothing is fetched")
    }
    (self.path, self.size, self.etag) = (path, size, etag)
  }

  var digest: RunningDigest.Kind { etag.count == 64 ? .sha256 : .gitBlob(size: size) }
}

/// The files of a repository at one commit, by name.
struct HubContents {
  private let items: [String: HubListing.Item], commit: String, client: HubClient

  /// Names that lead out of a folder are never asked for.
  init(_ listing: HubListing, _ client: HubClient) {
    var items: [String: HubListing.Item] = [:]
    for item in listing.siblings where SafePath.isRelative(item.rfilename) { items[item.rfilename] = item }
    (self.items, commit, self.client) = (items, listing.sha, client)
  }

  var names: Set<String> { Set(items.keys) }

  /// A file with its length and checksum, for which the hub is asked where the listing lacks them. Throws `HubError`.
  func file(_ path: String) throws -> HubFile {
    let item = items[path]
    var size = item?.lfs?.size ?? item?.size, etag = item?.lfs?.sha256 ?? item?.blobId
    if size == nil || etag == nil {
      let facts = try client.facts(of: path, commit: commit)
      (size, etag) = (size ?? facts.size, etag ?? facts.etag)
    }
    return try HubFile(path: path, size: size, etag: etag, of: client.name)
  }
}

/// Which files of a repository the program reads.
enum HubSelection {
  private static let small = [
    "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.json",
    "chat_template.jinja",
  ]
  /// Of a model that this program trained: the half that draws.
  private static let own = [
    "generation.json", "reducer.safetensors", "decoder.safetensors", "decoder_one_step.safetensors",
    "generator.safetensors", "alignment.safetensors", "things.txt",
  ]
  static let mostShards = 2000

  /// Everything but shards, which the index names. Throws `HubError` where the repository holds no model that is read.
  static func files(_ names: Set<String>, of name: HubName) throws -> [String] {
    guard names.contains("config.json") else {
      let reason =
        names.contains("model_index.json")
        ? "is a diffusers pipeline"
        : names.contains("adapter_config.json") ? "is an adapter (LoRA)" : "has no config.json"
      throw HubError(
        .name,
        "\(name) \(ModelFolder.foreignWeights(names.sorted()) ?? "\(reason), and no model that is read here; choose another")"
      )
    }
    let weights = [ModelFolder.whole, ModelFolder.index].first(where: names.contains)
    guard let weights else {
      let reason =
        ModelFolder.foreignWeights(names.sorted()) ?? "there are no weights in safetensors; choose another"
      throw HubError(.name, "\(name): \(reason)")
    }
    let tokenizer = ["tokenizer.json", "tokenizer.model"].first(where: names.contains)
    return (small + own).filter(names.contains) + [tokenizer].compactMap { $0 } + [weights]
  }

  private struct Index: Decodable {
    let weightMap: [String: String]

    enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
  }

  /// The files that an index names. Throws `ModelFileError` for one that cannot be read, `HubError` for names that lead
  /// elsewhere or that the repository does not hold.
  static func shards(index: String, names: Set<String>, of name: HubName) throws -> [String] {
    let found = Set(try ModelJSON.read(Index.self, at: index, kind: "index of shards").weightMap.values)
    for shard in found
    where !SafePath.isRelative(shard) || shard.contains("/") || !shard.hasSuffix(".safetensors") {
      throw HubError(
        .strange, "\(name): its index names a shard that is no file of its folder; nothing more is fetched")
    }
    guard found.count <= mostShards else {
      throw HubError(.strange, "\(name): its index names \(found.count) shards; nothing more is fetched")
    }
    if let lost = found.subtracting(names).min() {
      throw HubError(.file, "\(name) is not whole on the hub: its index names \(lost), which is not there")
    }
    return found.sorted()
  }
}
