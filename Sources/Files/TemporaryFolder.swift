import Foundation

/// A folder in the system's place for such, which is gone when this object is, and when a signal ends the program.
public final class TemporaryFolder {
  /// An empty folder's absolute path.
  public let path: String
  private let partial: PartialOutput

  /// - Parameter name: how its name begins.
  public init(_ name: String) throws {
    path = NSTemporaryDirectory() + "\(name)-\(UUID().uuidString)"
    partial = PartialOutput(path)
    try FileName.makeFolder(path)
  }

  deinit {
    FileName.remove(path)
    partial.forget()
  }
}
