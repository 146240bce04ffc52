import Foundation

/// An address of the web, taken apart strictly: what looks like one host to us and another to a library is refused, and so
/// is everything but http and https.
struct WebAddress: Equatable, Sendable {
  let scheme, host: String
  let port: Int
  /// Path and query, from the first slash on.
  let path: String

  init?(_ text: String) {
    let parts = #/(?i)(https?):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?([\/?][!-~]*)?/#
    guard text.utf8.count <= 8192, let match = text.wholeMatch(of: parts) else { return nil }
    scheme = match.1.lowercased()
    host = match.2.lowercased()
    guard let port = match.3.map({ Int($0) }) ?? (scheme == "https" ? 443 : 80), (1...65535).contains(port)
    else { return nil }
    self.port = port
    let rest = String((match.4 ?? "").prefix { $0 != "#" })
    guard !rest.contains("\\") else { return nil }
    path = rest.hasPrefix("/") ? rest : "/" + rest
  }

  var text: String { "\(origin)\(path)" }
  var origin: String { "\(scheme)://\(host)" + (port == (scheme == "https" ? 443 : 80) ? "" : ":\(port)") }

  /// Of this machine, to which no proxy leads.
  var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "[::1]" }

  /// Where a redirect leads; nil where nobody should go: to a file, or from an encrypted address to a plain one.
  func redirected(to location: String) -> WebAddress? {
    let target: WebAddress?
    if location.hasPrefix("//") {
      target = WebAddress("\(scheme):\(location)")
    } else if location.hasPrefix("/") {
      target = WebAddress(origin + location)
    } else if location.wholeMatch(of: #/[A-Za-z][A-Za-z0-9+.-]*:.*/#) != nil {
      target = WebAddress(location)
    } else {
      let folder = path.prefix { $0 != "?" }
      target = WebAddress(origin + folder[...(folder.lastIndex(of: "/") ?? folder.startIndex)] + location)
    }
    guard let target, scheme == "http" || target.scheme == "https" else { return nil }
    return target
  }
}
