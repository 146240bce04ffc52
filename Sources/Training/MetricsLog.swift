import Files
import Foundation
import ModelFiles

/// A run's figures, one JSON object a step, appended as they come: one key a number, the parts of the loss by their names.
public final class MetricsLog {
  /// One line of the file.
  public struct Line: Sendable, Equatable {
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
    /// Where it was measured behind this step: see `Validation`.
    public var validationLoss: Double?
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
  public func append(_ line: Line) throws { try handle.write(contentsOf: JSONText.line(line) + [10]) }
}

extension MetricsLog.Line {
  /// What one step did.
  ///
  /// - Parameter validationLoss: where it was measured behind this step.
  public init(
    _ report: Trainer.Report, picturesPerSecond: Double, seconds: Double, validationLoss: Double? = nil
  ) {
    self.init(
      step: report.step, loss: report.loss,
      terms: Dictionary(report.terms.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }),
      gradientNorm: report.gradientNorm, rate: report.rate, picturesPerSecond: picturesPerSecond,
      seconds: seconds, validationLoss: validationLoss)
  }
}

extension MetricsLog.Line: Codable {
  /// What every line has, or may have; other keys are parts of the loss.
  private enum Key: String, CaseIterable {
    case step, loss, gradientNorm, rate, picturesPerSecond, seconds, validationLoss
    /// Where older lines keep the parts of the loss.
    case terms
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(_ key: Key) { stringValue = key.rawValue }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  /// A line of a run of any age.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Name.self)
    func value<Value: Decodable>(_ key: Key) throws -> Value {
      try values.decode(Value.self, forKey: Name(key))
    }
    var terms = try values.decodeIfPresent([String: Float].self, forKey: Name(.terms)) ?? [:]
    for name in values.allKeys where Key(rawValue: name.stringValue) == nil {
      terms[name.stringValue] = try? values.decode(Float.self, forKey: name)
    }
    try self.init(
      step: value(.step), loss: value(.loss), terms: terms, gradientNorm: value(.gradientNorm),
      rate: value(.rate), picturesPerSecond: value(.picturesPerSecond), seconds: value(.seconds),
      validationLoss: values.decodeIfPresent(Double.self, forKey: Name(.validationLoss)))
  }

  /// One key a number.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Name.self)
    for (name, value) in terms where Key(rawValue: name) == nil {
      try values.encode(value, forKey: Name(name))
    }
    try values.encode(step, forKey: Name(.step))
    try values.encode(loss, forKey: Name(.loss))
    try values.encode(gradientNorm, forKey: Name(.gradientNorm))
    try values.encode(rate, forKey: Name(.rate))
    try values.encode(picturesPerSecond, forKey: Name(.picturesPerSecond))
    try values.encode(seconds, forKey: Name(.seconds))
    try values.encodeIfPresent(validationLoss, forKey: Name(.validationLoss))
  }
}
