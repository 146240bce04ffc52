import Foundation

/// The model that comes with the program.
public enum EmbeddedModel {
  public static let name = "nano"

  /// Its folder.
  public static var folder: String { Bundle.module.bundlePath + "/nano" }
}
