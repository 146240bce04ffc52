import Foundation

/// A model on the hub: `ORG/NAME`, or one state of it, `ORG/NAME@REVISION`.
public struct HubName: Sendable, Equatable, CustomStringConvertible {
  /// The two halves of `ORG/NAME`.
  public let organization, name: String
  /// A branch, a tag or a commit; nil for the main branch.
  public let revision: String?

  /// nil for what can be no such name: the hub's own rules, and nothing that could lead out of a folder.
  public init?(_ text: String) {
    let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, parts.allSatisfy(Self.isPart), !parts[1].hasSuffix(".git") else { return nil }
    guard halves.count == 1 || Self.isRevision(halves[1]) else { return nil }
    (organization, name, revision) = (parts[0], parts[1], halves.count == 2 ? halves[1] : nil)
  }

  /// `ORG/NAME`.
  public var repository: String { "\(organization)/\(name)" }
  /// As a person types it.
  public var description: String { repository + (revision.map { "@\($0)" } ?? "") }
  var branch: String { revision ?? "main" }

  /// The name of its folder in a hub's cache.
  var folderName: String { "models--\(organization)--\(name)" }

  /// Of a folder in a hub's cache; nil for another folder's name.
  init?(folderName: String) {
    let parts = folderName.components(separatedBy: "--")
    guard parts.count == 3, parts[0] == "models" else { return nil }
    self.init("\(parts[1])/\(parts[2])")
  }

  private static func isPart(_ text: String) -> Bool {
    guard text.wholeMatch(of: #/[A-Za-z0-9_.-]{1,96}/#) != nil else { return false }
    return !text.contains("--") && !text.contains("..")
      && ![".", "-"].contains { text.hasPrefix($0) || text.hasSuffix($0) }
  }

  private static func isRevision(_ text: String) -> Bool {
    text.utf8.count <= 200 && SafePath.isRelative(text)
      && text.utf8.allSatisfy { (33...126).contains($0) }
  }

  /// Whether a text is a commit's name.
  static func isCommit(_ text: String) -> Bool { text.wholeMatch(of: #/[0-9a-f]{40}/#) != nil }
}

/// Names that come from elsewhere and become names of files.
enum SafePath {
  /// Whether a path stays in the folder that it is put into, and can be shown.
  static func isRelative(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return path.utf8.count <= 1024
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 240 }
      && path.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0 != "\\" && $0 != ":" }
  }

  /// As a part of a web address; a slash stays where it parts names, and is quoted in a revision.
  static func quoted(_ text: String, keepsSlashes: Bool = true) -> String {
    var plain = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    if keepsSlashes { plain.insert("/") }
    return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
  }
}
