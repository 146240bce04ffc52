import Files
import Foundation

/// What was measured of a run on examples that it does not learn from.
public struct Validation: Codable, Sendable, Equatable {
  /// The step behind which it was measured.
  public let step: Int
  /// The mean loss, weighted as in training.
  public let loss: Double

  private enum CodingKeys: String, CodingKey { case step, loss = "validationLoss" }

  /// Each argument is the property of its name.
  public init(step: Int, loss: Double) { (self.step, self.loss) = (step, loss) }

  private static let file = "validation.json"

  /// Where a run keeps the model of its lowest validation loss.
  public static func bestFolder(of run: String) -> String { run + "/best" }

  /// The lowest loss of a run so far; nil where there is none yet.
  public static func best(of run: String) -> Validation? {
    let path = "\(bestFolder(of: run))/\(file)"
    guard FileName.exists(path), let data = try? MappedFile.contents(of: path) else { return nil }
    return try? JSONDecoder().decode(Validation.self, from: data)
  }

  /// Puts a model in the place of the best one so far, whole or not at all. Throws `FileAccessError`, or what `write` throws.
  func keep(in run: String, _ write: (_ folder: String) throws -> Void) throws {
    try OutputFolder.write(to: Self.bestFolder(of: run), replacing: true) { folder in
      try write(folder)
      try AtomicFile.write(try JSONText.line(self) + [10], to: "\(folder)/\(Self.file)")
    }
  }
}
