import ModelFiles

/// The model that comes with the program.
public enum EmbeddedModel {
  public static let name = "nano"

  /// Its folder.
  public static var folder: String { ProgramFiles.resource(name, of: "VUGEN") }
}
