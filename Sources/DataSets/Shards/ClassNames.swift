import Files
import Foundation

/// What classes are called, and how a caption is made of a name.
///
/// A file of names has a line a class, in the order of their numbers: the name alone, or a folder's name, a blank or tab, and
/// the class's name ("n01440764 tench, Tinca tinca"). Or it is JSON: a list of names, or an object of numbers or folders'
/// names, each with a name or a list that ends in one. Of several names between commas the first is taken.
public struct ClassNames: Sendable {
  /// The file that they come from; empty for none.
  public let file: String
  /// In which `[CLS]` stands for the name.
  public let template: String
  private var byNumber: [Int: String] = [:]
  private var byKey: [String: String] = [:]

  /// What stands for the name in a template.
  public static let mark = "[CLS]"

  /// - Parameter file: of names; empty for none, where numbers and folders' names are names themselves.
  ///
  /// Throws `DataSetError` where the file cannot be read, or names nothing.
  public init(file: String, template: String) throws {
    (self.file, self.template) = (file, template)
    guard !file.isEmpty else { return }
    let text: String
    do { text = try PlainText.decode([UInt8](MappedFile.contents(of: file))) } catch let refusal
      as PlainText.Refusal
    {
      throw DataSetError(file, refusal.reason)
    } catch {
      throw DataSetError(file, (error as? FileAccessError)?.reason ?? "\(error)")
    }
    let object = try? JSONSerialization.jsonObject(with: JSONText.strict(Array(text.utf8)))
    switch object {
    case let list as [Any]: for (i, value) in list.enumerated() { add(value, number: i, key: nil) }
    case let names as [String: Any]:
      for (key, value) in names { add(value, number: Int(key), key: key) }
    default: read(lines: text)
    }
    guard !byNumber.isEmpty || !byKey.isEmpty else {
      throw DataSetError(file, "names no class; give a line a class, or a JSON list of names")
    }
  }

  /// How many classes have a number.
  public var count: Int { byNumber.count }

  private mutating func add(_ value: Any, number: Int?, key: String?) {
    let words = (value as? [Any])?.compactMap { $0 as? String } ?? (value as? String).map { [$0] } ?? []
    guard let last = words.last, let name = Self.plain(last) else { return }
    if let number { byNumber[number] = name }
    // ["n01440764", "tench"]
    for key in words.dropLast() + [key].compactMap({ $0 }) { byKey[key] = name }
  }

  private mutating func read(lines text: String) {
    let lines = text.split(whereSeparator: \.isNewline).map(String.init).filter {
      !$0.allSatisfy(\.isWhitespace)
    }
    for (i, line) in lines.enumerated() {
      let parts = line.split(maxSplits: 1) { $0 == "\t" || $0 == " " }.map(String.init)
      let isKeyed =
        parts.count == 2 && (line.contains("\t") || parts[0].wholeMatch(of: /n\d{8}/) != nil)
      guard let name = Self.plain(isKeyed ? parts[1] : line) else { continue }
      byNumber[i] = name
      if isKeyed { byKey[parts[0]] = name }
    }
  }

  /// The first of several names, without what joins its words.
  private static func plain(_ text: String) -> String? {
    let first = text.split(separator: ",").first ?? ""
    let name = first.replacing("_", with: " ").trimmingCharacters(in: .whitespacesAndNewlines)
    return name.isEmpty ? nil : name
  }

  private func caption(_ name: String) -> String { template.replacing(Self.mark, with: name) }

  /// The caption of what a `.cls` says: a class's number or key. Without a file, what it says; nil where it names none.
  func caption(ofLabel text: String) -> String? {
    guard !file.isEmpty else { return text }
    let label = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return (Int(label).flatMap { byNumber[$0] } ?? byKey[label]).map(caption)
  }

  /// The caption of a folder of pictures of one class. Throws `DataSetError` where the file has no name for it.
  ///
  /// - Parameters:
  ///   - place: of the folder among all of them, in the order of their names.
  ///   - count: of all of them; where there are as many names without keys, they have that order.
  func caption(ofFolder folder: String, place: Int, of count: Int) throws -> String {
    guard !file.isEmpty else { return caption(Self.plain(folder) ?? folder) }
    if let name = byKey[folder] { return caption(name) }
    guard byKey.isEmpty, byNumber.count == count, let name = byNumber[place] else {
      throw DataSetError(
        file,
        "has no name for the folder \(folder); add a line \"\(folder) NAME\", or one line a folder in their order"
      )
    }
    return caption(name)
  }
}
