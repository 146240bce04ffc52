import Foundation
import Pictures
import TestSupport

/// Lines of bash in a folder of their own, in which `V` is the program and `P` its path.
public struct Shell {
  /// Where the lines run.
  public let folder: String

  /// In a new folder.
  public init() throws { folder = try temporaryFolder() }

  /// What the lines print, and the last one's status.
  public func run(_ lines: String) throws -> (out: String, error: String, status: Int32) {
    let program = try Session.program()
    let ended = try ChildProgram.run(
      ["/bin/bash", "-c", "P='\(program)'; V() { \"$P\" \"$@\"; }; \(lines)"], in: folder,
      environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder + "/.home", "TERM": "dumb"])
    return (ended.output, ended.errors, ended.status)
  }

  /// Writes a file below the folder, and the folders to it.
  public func write(_ text: String, _ name: String) throws { try write(Data(text.utf8), name) }

  /// Writes a file below the folder, and the folders to it.
  public func write(_ data: Data, _ name: String) throws {
    let path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  /// Gray pictures by these names.
  public func writePictures(_ names: String...) throws { try writePictures(names) }

  /// Gray pictures by these names.
  public func writePictures(_ names: [String]) throws {
    let gray = try Picture(width: 16, height: 16, rgb: [UInt8](repeating: 90, count: 768)).pngData()
    for name in names { try write(Data(gray), name) }
  }

  /// Bash that waits for `condition`, a minute at most.
  public static func until(_ condition: String) -> String {
    "n=0; until \(condition) || [ $((n++)) -gt 1200 ]; do sleep 0.05; done"
  }
}
