import Foundation
import Testing

/// The laws of the house: who may import whom.
struct RoomTests {
  private let manifest: Manifest

  init() throws { manifest = try Manifest.current.get() }

  /// From the bottom up: an arrow leads to a room that stands before.
  private static let rooms = [
    "CKernels", "CImageCodecs", "CNCurses", "CCrypto", "CCurl", "CFreeType", "CMPI", "COneDNN", "COpenBLAS",
    "CSixel", "CSQLite", "CStart", "CWidth",
    "Files", "Digests", "Requests", "Pictures", "Tensors", "Layers", "Flow", "ModelFiles", "VUGEN",
    "DataSets",
    "Training", "SessionLog", "SessionSearch", "Frames",
    "Evaluation", "Recipes", "Engine", "StudioUI", "Terminal", "Studio", "Benchmarks", "CommandLine",
  ]

  @Test func importsAreDeclaredAndDependenciesUsed() {
    let programs = Set(manifest.targets.values.filter { $0.kind == "executableTarget" }.map(\.name))
    for target in manifest.targets.values.sorted(by: { $0.name < $1.name })
    where !target.path.contains("Native") {
      let undeclared = target.imports.subtracting(target.dependencies)
      #expect(undeclared.isEmpty, "\(target.name) imports what it does not declare: \(undeclared.sorted())")
      var unused = target.dependencies.subtracting(target.imports)
      // Tests start programs. What CStart does it does before `main`.
      if target.kind == "testTarget" { unused.subtract(programs) }
      if target.name == "CommandLine" { unused.remove("CStart") }
      #expect(unused.isEmpty, "\(target.name) declares what it does not import: \(unused.sorted())")
    }
  }

  @Test func arrowsGoDown() throws {
    let place = Dictionary(uniqueKeysWithValues: zip(Self.rooms, 0...))
    let sources = manifest.targets.values.filter { $0.path.hasPrefix("Sources") }
    #expect(Set(sources.map(\.name)) == Set(Self.rooms), "a room is not in the list, or the list is old")
    for target in sources {
      let own = try #require(place[target.name])
      let wrong = target.dependencies.filter { (place[$0] ?? -1) >= own }
      #expect(wrong.isEmpty, "\(target.name) imports upwards: \(wrong.sorted())")
    }
  }

  @Test func everyLawHolds() throws {
    func closure(_ name: String) throws -> Set<String> {
      #expect(manifest.targets[name] != nil, "\(name) is gone; mend its law")
      return manifest.closure(of: name)
    }
    #expect(manifest.targets["StudioUI"]?.dependencies == ["Frames", "Requests", "SessionLog"])
    // What the studio's state and its log stand on computes nothing, and opens no library but the system's.
    for name in ["Frames", "Requests", "SessionLog", "StudioUI"] {
      let heavy = try closure(name).intersection(
        [
          "COneDNN", "COpenBLAS", "CKernels", "CCrypto", "CSQLite", "CCurl", "CImageCodecs", "CMPI",
          "Tensors",
        ])
      #expect(heavy.isEmpty, "\(name) links \(heavy.sorted())")
    }
    #expect(try !closure("Training").contains("VUGEN") && !closure("VUGEN").contains("Training"))
    #expect(try closure("Terminal").isDisjoint(with: ["Engine", "StudioUI", "Tensors"]))
    #expect(try closure("Files").isEmpty && closure("Requests").isEmpty)
    let only: [String: Set<String>] = [
      "CNCurses": ["Terminal"], "CSixel": ["Terminal"], "COneDNN": ["Tensors"], "COpenBLAS": ["Tensors"],
      "CKernels": ["Tensors"], "CCrypto": ["Digests"], "CCurl": ["ModelFiles"], "CFreeType": ["Pictures"],
      "CImageCodecs": ["Pictures"], "CMPI": ["Training"], "CWidth": ["Frames"], "CSQLite": ["SessionSearch"],
      "ArgumentParser": ["CommandLine"],
    ]
    for (module, rooms) in only {
      let importers = manifest.targets.values.filter { $0.imports.contains(module) }.map(\.name)
      #expect(Set(importers) == rooms, "\(module) is imported by \(importers.sorted())")
    }
  }

  /// On a Mac's or Windows' disk they would be one folder.
  @Test func noTwoFoldersDifferInCaseAlone() throws {
    for folder in ["", "/Sources", "/Tests", "/Sources/Native"] {
      let names = try FileManager.default.contentsOfDirectory(atPath: Manifest.root + folder)
      #expect(Set(names.map { $0.lowercased() }).count == names.count, "\(folder): \(names.sorted())")
    }
  }

  /// Files under 400 lines, functions under 40 between their braces: each is to be read at once.
  @Test func filesAndFunctionsAreShort() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    var files = 0, functions = 0
    for room in ["Sources", "Tests"] {
      let walk = try #require(FileManager.default.enumerator(atPath: root.path + "/" + room))
      for case let name as String in walk where name.hasSuffix(".swift") {
        let lines = try String(contentsOfFile: "\(root.path)/\(room)/\(name)", encoding: .utf8)
          .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 400, "\(room)/\(name) has \(lines.count) lines")
        files += 1
        for (start, end) in Self.functions(lines) {
          functions += 1
          #expect(
            end - start - 1 < 40, "\(room)/\(name):\(start + 1): a function of \(end - start - 1) lines")
        }
      }
    }
    #expect(files > 400 && functions > 2000)
  }

  /// Lines at which functions begin and end: the formatter gives the closing brace the first line's indentation.
  private static func functions(_ lines: [Substring]) -> [(Int, Int)] {
    lines.indices.compactMap { start in
      let line = lines[start], indent = line.prefix { $0 == " " }
      let words = line.dropFirst(indent.count).prefix { $0 != "(" && $0 != "{" && $0 != "\"" }.split(
        separator: " ")
      let isFunction =
        words.contains("func") || words.last.map { ["init", "init?", "deinit"].contains($0) } ?? false
      guard isFunction else { return nil }
      for end in start + 1..<max(start + 1, lines.count) {
        let own = lines[end].prefix { $0 == " " }
        if lines[end].isEmpty || own.count > indent.count || lines[end].hasPrefix(indent + ")") { continue }
        let closes = lines[end] == indent + "}" || lines[end].hasPrefix(indent + "} ")
        if closes { return (start, end) }
        // Where the head goes on in this column.
        if ["->", "throws", "where", "{"].contains(where: { lines[end].hasPrefix(indent + $0) }) { continue }
        return nil
      }
      return nil
    }
  }
}
