import Foundation

/// Why the hub gave nothing, in one line that says what to do.
public struct HubError: Error, CustomStringConvertible, Equatable {
  /// What kept it from being fetched, for whoever decides whether to try again.
  public enum Kind: Sendable, Equatable {
    case settings, name, gated, missing, revision, file, disabled, token, room, network, server, strange,
      damaged, offline, stopped
  }

  /// The same for programs.
  public let kind: Kind
  /// The same for people, in one line that ends with what to do.
  public let description: String

  init(_ kind: Kind, _ description: String) { (self.kind, self.description) = (kind, description) }
}

extension HubError {
  /// What the hub means by an answer that is no success.
  ///
  /// A repository that is private, gated or not there is one and the same to somebody without access; the hub's own words
  /// are passed on where it says more.
  init(_ head: HTTPHead, about name: HubName, file: String? = nil, _ settings: HubSettings) {
    let said = Self.words(head["x-error-message"], settings.token)
    let quote = said.map { " (the hub says: \($0))" } ?? ""
    let page = "\(settings.endpoint.origin)/\(name.repository)", what = name.repository
    switch (head.status, head["x-error-code"]) {
    case (_, "GatedRepo"): self = .gated(what, page, quote, settings)
    case _ where said?.hasPrefix("Access to this resource is disabled") == true:
      self.init(.disabled, "\(what) is disabled on the hub; choose another model\(quote)")
    case (401, _) where said?.contains("Invalid credentials") == true:
      self.init(
        .token,
        "the hub does not know the token in \(settings.tokenPlace); "
          + "make a new one at \(settings.endpoint.origin)/settings/tokens, or remove it\(quote)")
    case (_, "RevisionNotFound"):
      self.init(.revision, "\(what) has no revision '\(name.branch)'; look at \(page)/tree/main\(quote)")
    case (404, "EntryNotFound"),
      (404, nil) where file != nil:
      self.init(.file, "\(what) lists \(file ?? "a file") but does not hold it; try again later\(quote)")
    case (401, _), (404, _), (_, "RepoNotFound"):
      let next =
        settings.token == nil
        ? "if it is private or gated, give a token of yours in HF_TOKEN"
        : "or your token (\(settings.tokenPlace)) may not see it"
      self.init(.missing, "\(what) is not on the hub; compare its name with \(page); \(next)\(quote)")
    case (403, _):
      self.init(.token, "the hub refuses \(what) to you; look at \(page)\(quote)")
    case (429, _):
      self.init(.server, "the hub has had too many requests from here; try again in some minutes\(quote)")
    case (500..., _):
      self.init(
        .server,
        "the hub at \(settings.endpoint.host) is out of order (\(head.status)); try again later\(quote)")
    default:
      self.init(
        .strange, "the hub at \(settings.endpoint.host) answers \(head.status) about \(file ?? what)\(quote)")
    }
  }

  private static func gated(_ what: String, _ page: String, _ quote: String, _ settings: HubSettings)
    -> HubError
  {
    let next =
      settings.token == nil
      ? "accept its terms at \(page), then give a token of yours in HF_TOKEN or in \(settings.tokenPlace)"
      : "your token (\(settings.tokenPlace)) has no access yet; accept its terms at \(page)"
    return HubError(.gated, "\(what) is gated: \(next)\(quote)")
  }

  init(_ failure: HTTPFailure, host: String) {
    switch failure.kind {
    case .noLibrary:
      self.init(.network, "libcurl is not installed, which fetches files (Debian: libcurl4 or libcurl4t64)")
    case .noHost:
      self.init(.network, "\(host) cannot be found: there is no network here, or HF_ENDPOINT is wrong")
    case .noConnection:
      self.init(.network, "\(host) cannot be reached: there is no network here, or it is out of order")
    case .timedOut:
      self.init(.network, "\(host) does not answer in time; try again, or raise HF_HUB_DOWNLOAD_TIMEOUT")
    case .notTrusted: self.init(.network, "\(host) cannot be trusted: \(failure.reason)")
    case .cut: self.init(.network, "\(host) breaks off again and again; try again later")
    case .failed, .stopped: self.init(.network, "\(host): \(failure.reason)")
    }
  }

  /// What a server said, as it may be shown: one short line without the token, should the server repeat it.
  static func words(_ text: String?, _ token: String?) -> String? {
    guard var text else { return nil }
    if let token, !token.isEmpty { text = text.replacing(token, with: "…") }
    let plain = String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { $0.value >= 32 && !(127..<160).contains($0.value) }))
    let line = plain.trimmingCharacters(in: .whitespaces)
    return line.isEmpty ? nil : line.count > 300 ? line.prefix(299) + "…" : line
  }
}
