import ModelFiles

/// The gate for what a configuration says: each value is in range, or refused in a line that names it.
struct ConfigurationGate {
  private let path: String

  init(_ path: String) { self.path = path }

  func failure(_ reason: String) -> ModelFileError {
    ModelFileError(path, "\(reason); copy the file from the model's source again")
  }

  func whole(_ value: Int, _ name: String, _ range: ClosedRange<Int>) throws {
    guard !range.contains(value) else { return }
    throw failure(
      "\(Self.quoted(name)) is \(value), which cannot be: \(range.lowerBound) to \(range.upperBound) can")
  }

  func number(_ value: Double, _ name: String, from low: Double, below high: Double) throws -> Double {
    guard value.isFinite, value >= low, value < high else {
      throw failure("'\(name)' is \(value), which cannot be: from \(low) to less than \(high) can")
    }
    return value
  }

  func divides(_ divisor: Int, _ name: String, _ value: Int, _ valueName: String) throws {
    guard value % divisor != 0 else { return }
    throw failure("\(Self.quoted(name)) (\(divisor)) does not divide \(Self.quoted(valueName)) (\(value))")
  }

  func known(_ value: String?, _ name: String, _ known: [String]) throws {
    guard let value, !known.contains(value) else { return }
    let list = known.map { "'\($0)'" }.joined(separator: " and ")
    throw ModelFileError(
      path, "'\(name)' is '\(value)', which is not known here; \(list) \(known.count == 1 ? "is" : "are")")
  }

  /// Keys in quotes, words as they are.
  private static func quoted(_ name: String) -> String { name.contains(" ") ? name : "'\(name)'" }
}
