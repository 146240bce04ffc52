import Foundation

/// A hub of models on the loopback, which speaks as much of its protocol as tests want, and whose answers they can spoil.
///
/// Large files are kept elsewhere, as the real one does: the hub redirects to a store at another address and port.
public final class HubServer: @unchecked Sendable {
  public struct Repository: Sendable {
    public var files: [String: [UInt8]]
    /// Files named by SHA-256 that come from the store.
    public var large: Set<String>
    public var commit: String
    /// Names of the commit beside itself and `main`.
    public var revisions: Set<String> = []

    public init(_ files: [String: [UInt8]], large: Set<String> = [], commit: String = HubServer.commit) {
      (self.files, self.large, self.commit) = (files, large, commit)
    }
  }

  public struct Request: Sendable {
    public var method, path: String
    public var query: String
    /// By names in lower case.
    public var headers: [String: String]
    public var isToStore: Bool
  }

  public struct Response: Sendable {
    public var status: Int
    public var headers: [String: String]
    public var body: [UInt8]
    /// What Content-Length says; nil leaves it out.
    public var length: Int?
    /// The connection is cut behind so many bytes of the body.
    public var cut: Int?
    /// Nothing more comes behind so many bytes, and the connection stays.
    public var stall: Int?
    /// The body again and again, until nobody takes it or that many bytes were sent.
    public var endless = 0
    /// Seconds before anything is sent.
    public var delay = 0.0

    public init(_ status: Int, _ headers: [String: String] = [:], _ body: [UInt8] = []) {
      (self.status, self.headers, self.body, length) = (status, headers, body, body.count)
    }
  }

  public static let commit = String(repeating: "c0ffee12", count: 5)

  private let lock = NSLock()
  private var held: [String: Repository] = [:]
  private var seen: [Request] = []
  private var change: @Sendable (Request, Response) -> Response = { $1 }
  private var sockets: [Int32] = []
  private var isStopped = false
  public private(set) var port = 0, storePort = 0

  public init(port: Int = 0) throws {
    // A hub and a store are two hosts.
    self.port = try listen(on: "127.0.0.1", port, isStore: false)
    storePort = try listen(on: "127.0.0.2", 0, isStore: true)
  }

  deinit { stop() }

  public var address: String { "http://127.0.0.1:\(port)" }

  public var repositories: [String: Repository] {
    get { lock.withLock { held } }
    set { lock.withLock { held = newValue } }
  }
  /// What came so far.
  public var requests: [Request] { lock.withLock { seen } }
  public func forget() { lock.withLock { seen = [] } }

  /// Changes answers on their way.
  public func answer(_ change: @escaping @Sendable (Request, Response) -> Response) {
    lock.withLock { self.change = change }
  }

  public func stop() {
    let open = lock.withLock {
      isStopped = true
      defer { sockets = [] }
      return sockets
    }
    for socket in open { shutdown(socket, Int32(SHUT_RDWR)) }
  }

  // MARK: Sockets

  private func listen(on host: String, _ port: Int, isStore: Bool) throws -> Int {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1, address = sockaddr_in(), size = socklen_t(MemoryLayout<sockaddr_in>.size)
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && Foundation.listen(listener, 64) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRINUSE) }
    lock.withLock { sockets.append(listener) }
    Thread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { break }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        guard let self else {
          close(connection)
          break
        }
        Thread { self.serve(connection, isStore: isStore) }.start()
      }
      close(listener)
    }.start()
    return Int(in_port_t(bigEndian: address.sin_port))
  }

  private func serve(_ connection: Int32, isStore: Bool) {
    defer { close(connection) }
    guard let request = read(connection, isStore) else { return }
    let change = lock.withLock {
      seen.append(request)
      return self.change
    }
    let response = change(request, isStore ? stored(request) : answered(request))
    if response.delay > 0 { usleep(UInt32(response.delay * 1e6)) }
    send(response, isHead: request.method == "HEAD", to: connection)
  }

  private func read(_ connection: Int32, _ isStore: Bool) -> Request? {
    var text: [UInt8] = [], part = [UInt8](repeating: 0, count: 4096)
    while !text.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
      let count = recv(connection, &part, part.count, 0)
      guard count > 0, text.count < 1 << 20 else { return nil }
      text += part[..<count]
    }
    let lines = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ").map(String.init)
    guard words.count == 3 else { return nil }
    let target = words[1].split(separator: "?", maxSplits: 1).map(String.init)
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
        in: .whitespaces)
    }
    return Request(
      method: words[0], path: target.first ?? "", query: target.count > 1 ? target[1] : "", headers: headers,
      isToStore: isStore)
  }

  private func send(_ response: Response, isHead: Bool, to connection: Int32) {
    func write(_ bytes: some Collection<UInt8>) -> Bool {
      var rest = Array(bytes)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes {
          Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
    var head = "HTTP/1.1 \(response.status) Word\r\nConnection: close\r\n"
    if let length = response.length { head += "Content-Length: \(length)\r\n" }
    for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
    guard write((head + "\r\n").utf8), !isHead else { return }
    let end = response.cut ?? response.stall ?? response.body.count
    guard write(response.body.prefix(end)) else { return }
    var sent = response.body.count
    while sent < response.endless, write(response.body) { sent += response.body.count }
    if response.stall != nil {
      // Until the other side goes.
      var byte: UInt8 = 0
      _ = recv(connection, &byte, 1, 0)
    }
    shutdown(connection, Int32(SHUT_WR))
  }
}
