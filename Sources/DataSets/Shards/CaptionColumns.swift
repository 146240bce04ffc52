import Files
import Foundation

/// How lists and records of other programs call a picture's file and its caption.
enum CaptionColumns {
  /// The first that is there is taken.
  static let files = [
    "file", "filename", "filepath", "path", "image", "imagepath", "imagefile", "imagename", "img", "imgpath",
    "picture", "photo",
  ]
  static let captions = [
    "caption", "captions", "text", "texts", "description", "prompt", "comment", "sentence", "sentences",
    "alttext", "alt",
    "title", "label", "labelname", "class", "classname",
  ]

  /// A name without its case and what joins its words: "File_Name" is "filename".
  static func plain(_ name: String) -> String {
    name.lowercased().filter { $0.isLetter || $0.isNumber }
  }

  /// The place of the first of `names` among a list's columns.
  static func place(of names: [String], in columns: [String]) -> Int? {
    let columns = columns.map(plain)
    return names.lazy.compactMap { columns.firstIndex(of: $0) }.first
  }

  /// The texts under the first of `names` that an object has: one, or a list of them. Numbers are texts, too.
  static func texts(_ names: [String], in object: [String: Any]) -> [String] {
    let known = Dictionary(object.map { (plain($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    func texts(_ value: Any) -> [String] {
      switch value {
      case let text as String: [text]
      case let list as [Any]: list.flatMap(texts)
      case let number as NSNumber: ["\(number)"]
      default: []
      }
    }
    for name in names {
      let found = known[name].map(texts)?.filter { !$0.allSatisfy(\.isWhitespace) } ?? []
      if !found.isEmpty { return found }
    }
    return []
  }

  /// The caption that a sample's JSON holds: under a key, or, where none is given, under a common one, or the whole of it.
  static func caption(inJSON text: String, under key: String = "") -> String? {
    let value = try? JSONSerialization.jsonObject(
      with: JSONText.strict(Array(text.utf8)), options: .fragmentsAllowed)
    guard key.isEmpty else { return (value as? [String: Any]).flatMap { texts([plain(key)], in: $0).first } }
    if let text = value as? String { return text }
    return (value as? [String: Any]).flatMap { texts(captions, in: $0).first }
  }
}
