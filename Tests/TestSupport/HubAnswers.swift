import Digests
import Foundation

/// What the hub and its store say when nothing is wrong.
extension HubServer {
  /// By SHA-256 for a large file, else as Git names it.
  public static func etag(_ bytes: [UInt8], isLarge: Bool) -> String {
    let digest = RunningDigest(isLarge ? .sha256 : .gitBlob(size: bytes.count))
    bytes.withUnsafeBytes { digest.add($0) }
    return (try? digest.finish()) ?? ""
  }

  public static func json(_ object: Any) -> Response {
    let body = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
    return Response(200, ["Content-Type": "application/json"], [UInt8](body))
  }

  public static func error(_ status: Int, _ code: String?, _ message: String) -> Response {
    var headers = ["X-Error-Message": message]
    headers["X-Error-Code"] = code
    return Response(status, headers, Array("{\"error\":\"\(message)\"}".utf8))
  }

  private struct Place {
    var name, revision, rest: String
  }

  /// `ORG/NAME`, a word, a revision, and what stands behind them.
  private func place(_ path: String, before word: String) -> Place? {
    let parts = path.split(separator: "/").map { $0.removingPercentEncoding ?? "" }
    guard parts.count >= 4, parts[2] == word else { return nil }
    return Place(
      name: "\(parts[0])/\(parts[1])", revision: parts[3], rest: parts.dropFirst(4).joined(separator: "/"))
  }

  func answered(_ request: Request) -> Response {
    if let path = request.path.wholeMatch(of: #/\/api\/models\/(.*)/#)?.1 {
      return api(String(path), request)
    }
    guard let place = place(request.path, before: "resolve") else {
      return Self.error(404, "RepoNotFound", "Repository not found")
    }
    let (repository, problem) = found(place)
    guard let repository else { return problem }
    guard let bytes = repository.files[place.rest] else {
      return Self.error(404, "EntryNotFound", "Entry not found")
    }
    let isLarge = repository.large.contains(place.rest), etag = Self.etag(bytes, isLarge: isLarge)
    let facts = [
      "X-Repo-Commit": repository.commit, "X-Linked-Etag": "\"\(etag)\"", "X-Linked-Size": "\(bytes.count)",
    ]
    guard isLarge else {
      var answer = part(bytes, request)
      answer.headers.merge(["X-Repo-Commit": repository.commit, "ETag": "\"\(etag)\""]) { $1 }
      return answer
    }
    return Response(
      302, facts.merging(["Location": "http://127.0.0.2:\(storePort)/\(etag)?signature=s3cret"]) { $1 },
      Array("Found".utf8))
  }

  private func found(_ place: Place) -> (Repository?, Response) {
    let missing = Self.error(404, "RepoNotFound", "Repository not found")
    guard let repository = repositories[place.name] else { return (nil, missing) }
    guard repository.revisions.union(["main", repository.commit]).contains(place.revision) else {
      return (nil, Self.error(404, "RevisionNotFound", "Invalid rev id: \(place.revision)"))
    }
    return (repository, missing)
  }

  private func api(_ path: String, _ request: Request) -> Response {
    let plain = path.split(separator: "/").count == 2 ? path + "/revision/main" : path
    if let place = place(plain, before: "revision") {
      let (repository, problem) = found(place)
      return repository.map { Self.json(listing(place.name, $0)) } ?? problem
    }
    guard let place = place(plain, before: "tree") else {
      return Self.error(404, "RepoNotFound", "Not found")
    }
    let (repository, problem) = found(place)
    return repository.map { repository in
      Self.json(repository.files.keys.sorted().map { entry($0, repository, name: "path") })
    } ?? problem
  }

  /// What the hub says of a repository and its files.
  public func listing(_ name: String, _ repository: Repository) -> [String: Any] {
    [
      "id": name, "modelId": name, "sha": repository.commit, "private": false, "gated": false,
      "disabled": false,
      "siblings": repository.files.keys.sorted().map { entry($0, repository, name: "rfilename") },
    ]
  }

  private func entry(_ path: String, _ repository: Repository, name: String) -> [String: Any] {
    let bytes = repository.files[path] ?? [], isLarge = repository.large.contains(path)
    let sha1 = Self.etag(bytes, isLarge: false)
    var entry: [String: Any] = [name: path, "size": bytes.count]
    entry[name == "path" ? "oid" : "blobId"] = sha1
    if name == "path" { entry["type"] = "file" }
    if isLarge {
      let sha256 = Self.etag(bytes, isLarge: true)
      entry["lfs"] =
        ["sha256": sha256, "oid": sha256, "size": bytes.count, "pointerSize": 134] as [String: Any]
    }
    return entry
  }

  func stored(_ request: Request) -> Response {
    let etag = request.path.dropFirst()
    for repository in repositories.values {
      for path in repository.large {
        if let bytes = repository.files[path], Self.etag(bytes, isLarge: true) == etag {
          return part(bytes, request)
        }
      }
    }
    return Response(404)
  }

  /// The whole, or from where it is asked for on.
  private func part(_ bytes: [UInt8], _ request: Request) -> Response {
    guard let range = request.headers["range"]?.wholeMatch(of: #/bytes=(\d+)-/#), let start = Int(range.1)
    else {
      return Response(200, [:], bytes)
    }
    guard start < bytes.count else { return Response(416, ["Content-Range": "bytes */\(bytes.count)"]) }
    return Response(
      206, ["Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"], Array(bytes[start...]))
  }
}
