import Files
import Foundation

/// Where the hub is, where its files are kept and who asks: from the variables that the hub's own client reads.
public struct HubSettings: Sendable {
  var endpoint: WebAddress
  /// The folder of `models--ORG--NAME`.
  public var cache: String
  var token: String?
  /// Where the token came from, or could come from.
  var tokenPlace: String
  /// Whether only what is in the cache may be used (`HF_HUB_OFFLINE`).
  public var isOffline: Bool
  /// The variable that says so.
  var offlineVariable = "HF_HUB_OFFLINE"
  var usesLinks: Bool
  /// Whether progress is told on the way.
  public var showsProgress: Bool
  /// Seconds that an answer about a file may take, and that a file's bytes may stand still.
  var answerSeconds, stallSeconds: Int
  /// A file of certificates.
  var authorities: String?
  /// Who asks, as the hub is told.
  public var agent = "vugen"
  /// The pause before a second try; it doubles with each.
  public var retryPause = Duration.seconds(1)

  /// Throws `HubError` where a variable says something that cannot be.
  public init(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    func value(_ names: String...) -> String? {
      names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }
    func isTrue(_ name: String) -> Bool {
      ["1", "ON", "YES", "TRUE"].contains((environment[name] ?? "").uppercased())
    }
    func seconds(_ name: String) -> Int {
      min(
        max(value(name).flatMap { Double($0) }.map { $0.isFinite ? Int(min($0, 3600)) : 10 } ?? 10, 1), 3600)
    }
    let place = value("HF_ENDPOINT") ?? "https://huggingface.co"
    guard let address = WebAddress(place), !address.path.contains("?") else {
      throw HubError(.settings, "HF_ENDPOINT is no address of a hub; write it as https://HOST")
    }
    endpoint = address
    let home = Self.home(environment)
    cache = Self.cacheFolder(environment)
    tokenPlace = value("HF_TOKEN_PATH").map { Self.expanded($0, environment) } ?? home + "/token"
    (usesLinks, showsProgress) = (!isTrue("HF_HUB_DISABLE_SYMLINKS"), !isTrue("HF_HUB_DISABLE_PROGRESS_BARS"))
    isOffline = isTrue("HF_HUB_OFFLINE")
    if !isOffline, isTrue("TRANSFORMERS_OFFLINE") {
      (isOffline, offlineVariable) = (true, "TRANSFORMERS_OFFLINE")
    }
    (answerSeconds, stallSeconds) = (seconds("HF_HUB_ETAG_TIMEOUT"), seconds("HF_HUB_DOWNLOAD_TIMEOUT"))
    authorities = value("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    guard !isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") else { return }
    try readToken(value("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))
  }

  /// Where the hub's own client keeps what it fetched.
  public static func cacheFolder(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    let named = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"].lazy.compactMap { environment[$0] }
    return named.first { !$0.isEmpty }.map { expanded($0, environment) } ?? home(environment) + "/hub"
  }

  private mutating func readToken(_ given: String?) throws {
    let kept = given == nil ? try? String(contentsOfFile: tokenPlace, encoding: .utf8) : nil
    let text = (given ?? kept ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else { return }
    if given != nil { tokenPlace = "HF_TOKEN" }
    // It becomes a line of a request's head.
    guard text.utf8.count <= 1024, text.utf8.allSatisfy({ (33...126).contains($0) }) else {
      throw HubError(
        .settings, "the token in \(tokenPlace) is no token; it has spaces or other strange characters")
    }
    token = text
  }

  private static func home(_ environment: [String: String]) -> String {
    if let given = environment["HF_HOME"], !given.isEmpty { return expanded(given, environment) }
    // As everywhere: a relative one is ignored.
    if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
      return expanded(caches, environment) + "/huggingface"
    }
    return expanded("~/.cache/huggingface", environment)
  }

  /// An absolute path, `~` being the home.
  private static func expanded(_ path: String, _ environment: [String: String]) -> String {
    var path = path
    if path == "~" || path.hasPrefix("~/") {
      path = Paths.home(environment) + path.dropFirst()
    }
    if !path.hasPrefix("/") { path = "\(FileManager.default.currentDirectoryPath)/\(path)" }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// The address of something on the hub.
  func address(_ path: String) throws -> WebAddress {
    var base = endpoint.text
    while base.hasSuffix("/") { base.removeLast() }
    guard let address = WebAddress(base + path) else {
      throw HubError(.settings, "\(path) makes no address of the hub")
    }
    return address
  }
}
