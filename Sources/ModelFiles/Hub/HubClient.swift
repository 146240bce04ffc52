import Foundation

/// Speaks with the hub: who asks, where redirects lead, what is tried again. One client a thread.
final class HubClient {
  let settings: HubSettings, name: HubName
  private let connection: HTTPConnection
  private let isStopped: () -> Bool

  /// As many tries as follow a failed one.
  static let mostTries = 5
  private static let mostRedirects = 8
  /// Of an answer that is read whole: thousands of files are listed in one of a megabyte.
  private static let mostAnswerBytes = 32 << 20
  /// A longer wait is left to the person.
  private static let longestPause = 120

  /// Throws `HubError` where libcurl is not installed.
  init(_ name: HubName, _ settings: HubSettings, isStopped: @escaping () -> Bool) throws {
    (self.name, self.settings, self.isStopped) = (name, settings, isStopped)
    do {
      connection = try HTTPConnection(
        agent: settings.agent, authorities: settings.authorities, isStopped: isStopped)
    } catch let failure as HTTPFailure {
      throw HubError(failure, host: settings.endpoint.host)
    }
  }

  // MARK: Questions

  /// What the repository holds at its revision. Throws `HubError`.
  func listing() throws -> HubListing {
    let path =
      "/api/models/\(name.repository)/revision/\(SafePath.quoted(name.branch, keepsSlashes: false))?blobs=true"
    let address = try settings.address(path)
    var body = Data()
    let head = try retrying(isPatient: false) {
      body = Data()
      return try exchange(HTTPRequest(address: address, seconds: settings.answerSeconds)) { head, part in
        guard body.count + part.count <= Self.mostAnswerBytes else {
          throw HubError(.strange, "the hub at \(settings.endpoint.host) lists more files than a model has")
        }
        body.append(contentsOf: part)
        return true
      }.head
    }
    guard head.status == 200 else { throw HubError(head, about: name, settings) }
    guard let listing = try? JSONDecoder().decode(HubListing.self, from: body), HubName.isCommit(listing.sha)
    else {
      throw HubError(
        .strange, "what \(settings.endpoint.host) says of \(name) is not understood; is HF_ENDPOINT a hub?")
    }
    return listing
  }

  /// Size and checksum of a file that the listing names without them, from the head of its address.
  func facts(of path: String, commit: String) throws -> (size: Int?, etag: String?) {
    let address = try fileAddress(path, commit: commit)
    let (head, left) = try retrying(isPatient: true) {
      let request = HTTPRequest(address: address, isHead: true, seconds: settings.answerSeconds)
      let answer = try exchange(request, endsElsewhere: true) { _, _ in true }
      return (answer.head, answer.isElsewhere)
    } status: {
      $0.0.status
    }
    guard left || head.status == 200 else { throw HubError(head, about: name, file: path, settings) }
    // The length of a redirect's own body is none of the file's.
    let length = head["x-linked-size"] ?? (left ? nil : head["content-length"])
    return (length.flatMap { Int($0) }, Self.etag(head["x-linked-etag"] ?? head["etag"]))
  }

  func fileAddress(_ path: String, commit: String) throws -> WebAddress {
    try settings.address("/\(name.repository)/resolve/\(commit)/\(SafePath.quoted(path))")
  }

  /// Without the mark of a weak tag and quotes.
  static func etag(_ text: String?) -> String? {
    guard var text = text?[...] else { return nil }
    if text.hasPrefix("W/") { text = text.dropFirst(2) }
    return String(text.filter { $0 != "\"" })
  }

  // MARK: Requests

  struct Answer {
    var head: HTTPHead
    /// Whether it came from another host, or names one.
    var isElsewhere: Bool
  }

  /// One request with its redirects. The token goes to the hub's own address alone: not to another host, port or scheme,
  /// and not back to the hub by way of one. `body` is given the parts of the last answer, if it is a success.
  ///
  /// - Parameter endsElsewhere: a redirect to another host is the answer.
  func exchange(
    _ first: HTTPRequest, endsElsewhere: Bool = false, body: (HTTPHead, UnsafeRawBufferPointer) throws -> Bool
  ) throws -> Answer {
    var request = first, isElsewhere = false
    for _ in 0...Self.mostRedirects {
      isElsewhere = isElsewhere || request.address.origin != settings.endpoint.origin
      request.headers = first.headers + ["Accept-Encoding: identity"]
      if let token = settings.token, !isElsewhere { request.headers.append("Authorization: Bearer \(token)") }
      var ignored = 0
      let head = try connection.send(request) { head, part in
        if (200..<300).contains(head.status) { return try body(head, part) }
        // What is said about an error is short; the connection is not worth more.
        ignored += part.count
        return ignored < 1 << 16
      }
      guard (300..<400).contains(head.status), let location = head["location"] else {
        return Answer(head: head, isElsewhere: isElsewhere)
      }
      guard let next = request.address.redirected(to: location) else {
        throw HubError(
          .strange, "\(request.address.host) leads to an address that is not followed; nothing is fetched")
      }
      if endsElsewhere, next.origin != settings.endpoint.origin {
        return Answer(head: head, isElsewhere: true)
      }
      request.address = next
    }
    throw HubError(.strange, "\(first.address.host) leads in a circle; nothing is fetched")
  }

  // MARK: Trying again

  private func retrying(isPatient: Bool, _ body: () throws -> HTTPHead) throws -> HTTPHead {
    try retrying(isPatient: isPatient, body, status: \.status)
  }

  /// - Parameter isPatient: whether a host that cannot be reached is tried again.
  private func retrying<T>(isPatient: Bool, _ body: () throws -> T, status: (T) -> Int) throws -> T {
    var tries = 0
    while true {
      do {
        let answer = try body()
        guard Self.isPassing(status(answer)), tries < Self.mostTries else { return answer }
        tries += 1
        try pause(before: tries, (answer as? HTTPHead))
      } catch let failure as HTTPFailure {
        try check()
        let isWorthIt =
          Self.isPassing(failure) && (isPatient || ![.noHost, .noConnection].contains(failure.kind))
        guard isWorthIt, tries < Self.mostTries else { throw HubError(failure, host: settings.endpoint.host) }
        tries += 1
        try pause(before: tries, nil)
      }
    }
  }

  /// Whether what went wrong may pass.
  static func isPassing(_ status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }

  static func isPassing(_ failure: HTTPFailure) -> Bool {
    [.noHost, .noConnection, .timedOut, .cut].contains(failure.kind)
  }

  /// Throws where the person wants to stop.
  func check() throws {
    if isStopped() { throw HubError(.stopped, "stopped") }
  }

  /// Waits before the try of that number, as long as the answer asks for, or twice as long as before.
  func pause(before number: Int, _ head: HTTPHead?) throws {
    let doubled = settings.retryPause * (1 << min(number - 1, 3))
    var wait = doubled
    if let asked = head.flatMap(Self.secondsToWait) {
      guard asked <= Self.longestPause else {
        throw HubError(.server, "the hub asks to wait for \((asked + 59) / 60) minutes; try again then")
      }
      wait = max(doubled, .seconds(asked))
    }
    let clock = ContinuousClock(), end = clock.now + wait
    while clock.now < end {
      try check()
      usleep(UInt32(min(0.1, max(0, (end - clock.now) / .seconds(1)) + 0.001) * 1e6))
    }
  }

  /// `Retry-After: 3`, or the end of `ratelimit: "api";r=0;t=3`.
  static func secondsToWait(_ head: HTTPHead) -> Int? {
    if let text = head["retry-after"], let seconds = Int(text), seconds >= 0 { return seconds }
    guard head.status == 429, let match = head["ratelimit"]?.firstMatch(of: #/;\s*t=(\d{1,9})/#) else {
      return nil
    }
    return Int(match.1)
  }
}
