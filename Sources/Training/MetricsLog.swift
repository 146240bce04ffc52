import Files
import Foundation
import ModelFiles

/// A run's figures, one JSON object a step, appended as they come.
public final class MetricsLog {
  /// One line of the file.
  public struct Line: Codable, Sendable {
    /// The first one is 1.
    public var step: Int
    /// The weighted sum.
    public var loss: Float
    /// Each part by its name, not weighted.
    public var terms: [String: Float]
    /// Before clipping.
    public var gradientNorm: Float
    /// The learning rate of this step.
    public var rate: Float
    /// The mean since the program began, this time.
    public var picturesPerSecond: Double
    /// Since the program began, this time.
    public var seconds: Double
  }

  private let handle: FileHandle

  /// Opens the file and drops what comes after `step`: steps that a resumed run will take again.
  public init(path: String, keepingThrough step: Int) throws {
    let kept = try Self.read(path).filter { $0.step <= step }
    var text = Data()
    for line in kept { text += try JSONText.line(line) + [10] }
    try AtomicFile.write(text, to: path)
    let descriptor = FileName.open(path, O_WRONLY | O_APPEND)
    guard descriptor >= 0 else { throw ModelFileError(path, "cannot be written: " + FileName.systemReason) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Lines of a file; a half-written last one is left out. None where there is no file.
  public static func read(_ path: String) throws -> [Line] {
    guard FileName.exists(path) else { return [] }
    let decoder = JSONDecoder()
    return try MappedFile.contents(of: path).split(separator: 10).compactMap {
      try? decoder.decode(Line.self, from: $0)
    }
  }

  /// Adds a line. Throws where the disk does not take it.
  public func append(_ report: Trainer.Report, picturesPerSecond: Double, seconds: Double) throws {
    let line = Line(
      step: report.step, loss: report.loss,
      terms: Dictionary(report.terms.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }),
      gradientNorm: report.gradientNorm, rate: report.rate, picturesPerSecond: picturesPerSecond,
      seconds: seconds)
    try handle.write(contentsOf: JSONText.line(line) + [10])
  }
}
