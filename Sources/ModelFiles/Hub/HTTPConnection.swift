import CCurl
import Foundation

/// The head of an answer: its status, and the headers that anybody here asks for.
struct HTTPHead: Sendable, Equatable {
  var status = 0
  private var headers: [String: String] = [:]

  private static let known: Set<String> = [
    "content-length", "content-range", "etag", "location", "ratelimit", "retry-after", "x-error-code",
    "x-error-message", "x-linked-etag", "x-linked-size", "x-repo-commit",
  ]

  subscript(_ name: String) -> String? { headers[name] }

  /// Takes one line as it comes. A status line begins anew: before the answer there may be a preliminary one.
  fileprivate mutating func take(_ line: String) {
    if line.hasPrefix("HTTP/") {
      let words = line.split(separator: " ")
      self = HTTPHead()
      status = words.count > 1 ? Int(words[1].prefix(3)) ?? 0 : 0
    } else if let colon = line.firstIndex(of: ":") {
      let name = line[..<colon].lowercased()
      guard Self.known.contains(name) else { return }
      headers[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }
}

/// A request that came to no answer.
struct HTTPFailure: Error {
  enum Kind { case stopped, noLibrary, noHost, noConnection, timedOut, notTrusted, cut, failed }

  let kind: Kind
  let reason: String
}

struct HTTPRequest {
  var address: WebAddress
  var isHead = false
  var headers: [String] = []
  var seconds = 10
}

/// One connection, used by one thread.
final class HTTPConnection {
  private let http: OpaquePointer
  private let agent: String, authorities: String?
  private let isStopped: () -> Bool

  /// - Parameter isStopped: asked about once a second; true ends a request that is under way.
  ///
  /// Throws `HTTPFailure` where libcurl is not installed.
  init(agent: String, authorities: String?, isStopped: @escaping () -> Bool) throws {
    guard let http = vugen_http_new() else { throw HTTPFailure(kind: .noLibrary, reason: "") }
    (self.http, self.agent, self.authorities, self.isStopped) = (http, agent, authorities, isStopped)
  }

  deinit { vugen_http_free(http) }

  /// What the functions that libcurl calls find.
  private final class Exchange {
    // What heads are known to be is a few thousand bytes.
    static let mostHeadBytes = 1 << 18

    var head = HTTPHead(), headBytes = 0
    var error: (any Error)?
    let body: (HTTPHead, UnsafeRawBufferPointer) throws -> Bool, isStopped: () -> Bool

    init(
      _ body: @escaping (HTTPHead, UnsafeRawBufferPointer) throws -> Bool, _ isStopped: @escaping () -> Bool
    ) {
      (self.body, self.isStopped) = (body, isStopped)
    }
  }

  /// Sends a request. `body` takes the parts of the answer's body, and returns whether more is wanted.
  ///
  /// Throws `HTTPFailure`, or what `body` throws.
  func send(_ request: HTTPRequest, body: (HTTPHead, UnsafeRawBufferPointer) throws -> Bool) throws
    -> HTTPHead
  {
    try withoutActuallyEscaping(body) { body in
      let exchange = Exchange(body, isStopped)
      var reason = [CChar](repeating: 0, count: 256)
      let end = withExtendedLifetime(exchange) { perform(request, exchange, &reason) }
      if let error = exchange.error { throw error }
      let word = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      switch end {
      case VUGEN_HTTP_DONE: return exchange.head
      case VUGEN_HTTP_STOPPED where exchange.headBytes > Exchange.mostHeadBytes:
        throw HTTPFailure(kind: .failed, reason: "its answer has no end of headers")
      case VUGEN_HTTP_STOPPED where !isStopped(): return exchange.head
      case VUGEN_HTTP_STOPPED: throw HTTPFailure(kind: .stopped, reason: word)
      case VUGEN_HTTP_NO_HOST: throw HTTPFailure(kind: .noHost, reason: word)
      case VUGEN_HTTP_NO_CONNECTION: throw HTTPFailure(kind: .noConnection, reason: word)
      case VUGEN_HTTP_TIMED_OUT: throw HTTPFailure(kind: .timedOut, reason: word)
      case VUGEN_HTTP_NOT_TRUSTED: throw HTTPFailure(kind: .notTrusted, reason: word)
      case VUGEN_HTTP_CUT: throw HTTPFailure(kind: .cut, reason: word)
      default: throw HTTPFailure(kind: .failed, reason: word)
      }
    }
  }

  private func perform(_ request: HTTPRequest, _ exchange: Exchange, _ reason: inout [CChar])
    -> vugen_http_end
  {
    func pointer(_ text: String) -> UnsafeMutablePointer<CChar>? { strdup(text) }
    let url = pointer(request.address.text), agent = pointer(agent),
      authorities = authorities.flatMap(pointer)
    let lines: [UnsafePointer<CChar>?] = request.headers.map { UnsafePointer(pointer($0)) } + [nil]
    defer {
      for text in [url, agent, authorities] { free(text) }
      for line in lines { free(UnsafeMutablePointer(mutating: line)) }
    }
    return lines.withUnsafeBufferPointer { lines in
      var plain = vugen_request()
      (plain.url, plain.is_head, plain.headers) = (
        UnsafePointer(url), request.isHead ? 1 : 0, lines.baseAddress
      )
      plain.is_direct = request.address.isLoopback ? 1 : 0
      (plain.agent, plain.authorities) = (UnsafePointer(agent), UnsafePointer(authorities))
      (plain.connect_seconds, plain.stall_seconds) = (request.seconds, request.seconds)
      plain.context = Unmanaged.passUnretained(exchange).toOpaque()
      Self.listen(&plain)
      return vugen_http_send(http, &plain, &reason, reason.count)
    }
  }

  /// What libcurl calls while an answer comes.
  private static func listen(_ plain: inout vugen_request) {
    plain.header = { context, bytes, count in
      guard let context, let bytes else { return 1 }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      exchange.headBytes += count
      guard exchange.headBytes <= Exchange.mostHeadBytes else { return 1 }
      exchange.head.take(
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self))
      return 0
    }
    plain.body = { context, bytes, count in
      guard let context else { return 1 }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      do {
        let part = UnsafeRawBufferPointer(start: bytes, count: count)
        return try exchange.body(exchange.head, part) ? 0 : 1
      } catch {
        exchange.error = error
        return 1
      }
    }
    plain.tick = { context in
      guard let context else { return 1 }
      return Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().isStopped() ? 1 : 0
    }
  }
}
