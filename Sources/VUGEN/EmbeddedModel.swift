import Files
import Foundation
import ModelFiles

/// The model that comes with the program.
public enum EmbeddedModel {
  /// What `--model` calls it.
  public static let name = "nano"

  /// Its folder.
  public static var folder: String { ProgramFiles.resource(name, of: "VUGEN") }

  /// The model folder that a person means: this model's where none is given, or its name and no such folder is there; of
  /// a hub's cache the snapshot in it; for `ORG/NAME[@REVISION]`, where no such folder is there, what was fetched of it.
  public static func folder(for given: String?) -> String {
    guard let given else { return folder }
    if FileManager.default.fileExists(atPath: given) { return ModelFolder.located(given) }
    return given == name ? folder : HubCache.located(given) ?? ModelFolder.located(given)
  }
}
