import Foundation

/// The folder of this run, which goes when the run ends.
private let folderOfRun: String = {
  let path = NSTemporaryDirectory() + "vugen-tests-\(getpid())"
  try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  atexit { try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "vugen-tests-\(getpid())") }
  return path
}()

/// A path that nothing lies at yet. Whatever a test puts there is removed when the tests end, passed or failed.
public func temporaryPath(_ ending: String = "") -> String { "\(folderOfRun)/\(UUID().uuidString)\(ending)" }

/// A new, empty folder of that kind.
public func temporaryFolder() throws -> String {
  let path = temporaryPath()
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  return path
}
