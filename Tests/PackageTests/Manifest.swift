import Foundation

/// What `Package.swift` says of its targets, read as text: the package manager would take seconds to say the same.
struct Manifest {
  struct Target {
    var kind, name, path: String
    var dependencies: Set<String>
    /// Modules that its files import, without the system's own.
    var imports: Set<String> = []
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  private static let system: Set = [
    "Dispatch", "Foundation", "FoundationNetworking", "FoundationXML", "Glibc", "Swift", "Synchronization",
    "Testing",
  ]

  /// As it is while these tests run.
  static let current = Result { try Manifest() }

  let targets: [String: Target]

  private init() throws {
    let text = try String(contentsOfFile: Self.root + "/Package.swift", encoding: .utf8)
    let list = try Self.bracketed(text, from: try Self.place(after: "\n  targets: ", in: text))
    var targets: [String: Target] = [:]
    for match in list.matches(of: #/\.(target|executableTarget|testTarget|systemLibrary)\(/#) {
      let call = try Self.bracketed(list, from: list.index(before: match.range.upperBound))
      guard var target = try Self.target(String(match.1), call) else { throw Unreadable(call) }
      target.imports = try Self.imports(below: Self.root + "/" + target.path).subtracting(Self.system)
      targets[target.name] = target
    }
    self.targets = targets
  }

  struct Unreadable: Error, CustomStringConvertible {
    let description: String

    init(_ text: some StringProtocol) { description = "Package.swift: cannot read '\(text.prefix(80))'" }
  }

  private static func place(after mark: String, in text: String) throws -> String.Index {
    guard let range = text.range(of: mark) else { throw Unreadable(mark) }
    return range.upperBound
  }

  /// From an opening bracket to the one that closes it.
  private static func bracketed(_ text: String, from start: String.Index) throws -> String {
    var depth = 0
    for i in text[start...].indices {
      if "([".contains(text[i]) { depth += 1 }
      guard ")]".contains(text[i]) else { continue }
      depth -= 1
      if depth == 0 { return String(text[start...i]) }
    }
    throw Unreadable(text[start...])
  }

  private static func target(_ kind: String, _ call: String) throws -> Target? {
    guard let name = call.firstMatch(of: #/name: "([^"]+)"/#)?.1 else { return nil }
    var dependencies: Set<String> = []
    if let range = call.range(of: "dependencies: ") {
      let list = try bracketed(call, from: range.upperBound)
      for product in list.matches(of: #/\.product\(name: "(\w+)", package: "[^"]+"\)/#) {
        dependencies.insert(String(product.1))
      }
      let names = list.replacing(#/\.product\([^)]*\)/#, with: "").matches(of: #/"([\w-]+)"/#)
      dependencies.formUnion(names.map { String($0.1) })
    }
    let path = call.firstMatch(of: #/path: "([^"]+)"/#).map { String($0.1) }
    return Target(
      kind: kind, name: String(name), path: path ?? (kind == "testTarget" ? "Tests/" : "Sources/") + name,
      dependencies: dependencies)
  }

  private static func imports(below folder: String) throws -> Set<String> {
    var found: Set<String> = []
    for name in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? []
    where name.hasSuffix(".swift") || name.hasSuffix(".c") {
      let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      if name.hasSuffix(".c") {
        // Other modules' headers; this one's own stands in quotation marks.
        found.formUnion(text.matches(of: #/#include <([A-Z]\w+)\.h>/#).map { String($0.1) })
        continue
      }
      // Imports stand at the top: the rest of a file need not be looked through.
      for line in text.split(separator: "\n", maxSplits: 40) {
        guard !line.hasPrefix("//") else { continue }
        let words = line.split(separator: " ", maxSplits: 4).filter { !$0.hasPrefix("@") }
        guard words.first == "import" else { break }
        if let module = words.last?.split(separator: ".").first { found.insert(String(module)) }
      }
    }
    return found
  }

  /// Everything that a target stands on, itself left out.
  func closure(of name: String) -> Set<String> {
    var found: Set<String> = [], waiting = targets[name]?.dependencies ?? []
    while let next = waiting.popFirst() {
      found.insert(next)
      waiting.formUnion((targets[next]?.dependencies ?? []).subtracting(found))
    }
    return found
  }
}
