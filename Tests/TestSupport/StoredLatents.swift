import Foundation

/// A folder of latents, read as its format is described and by nothing of the program.
public struct StoredLatents {
  /// One picture's latents.
  public struct Entry: Equatable {
    /// bf16.
    public let numbers: Data
    public let captions: [String]
  }

  /// By key. Of those that stand there twice, the last.
  public private(set) var entries: [String: Entry] = [:]
  /// Lines that stand for an entry.
  public private(set) var lines = 0
  /// Index files.
  public private(set) var chunks: [String] = []

  private struct Head: Decodable { let latents, patches, channels: Int }

  /// Throws where something is not as it should be.
  public init(_ folder: String) throws {
    chunks = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
      $0.hasSuffix(".index")
    }.sorted()
    for name in chunks {
      let text = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
      let numbers = try Data(
        contentsOf: URL(fileURLWithPath: "\(folder)/\(name.dropLast(6)).latents"))
      guard let last = text.lastIndex(of: 10) else { continue }
      let lines = text[..<last].split(separator: 10)
      let head = try JSONDecoder().decode(Head.self, from: lines[0]), size = 2 * head.patches * head.channels
      for (row, line) in lines.dropFirst().enumerated() {
        let key = String(decoding: line.prefix(32), as: UTF8.self)
        guard key.contains(where: { $0 != "-" }) else { continue }
        self.lines += 1
        entries[key] = Entry(
          numbers: numbers.subdata(in: row * size..<(row + 1) * size),
          captions: try JSONDecoder().decode([String].self, from: line.dropFirst(50)))
      }
    }
  }
}
