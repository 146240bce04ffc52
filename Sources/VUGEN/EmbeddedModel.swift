import Foundation
import ModelFiles

/// The model that comes with the program.
public enum EmbeddedModel {
  public static let name = "nano"

  /// Its folder.
  public static var folder: String { ProgramFiles.resource(name, of: "VUGEN") }

  /// The model folder that a person means: this model's where none is given, or its name and no such folder is there; of
  /// a hub's cache the snapshot in it.
  public static func folder(for given: String?) -> String {
    guard let given, given != name || FileManager.default.fileExists(atPath: given) else { return folder }
    return ModelFolder.located(given)
  }
}
