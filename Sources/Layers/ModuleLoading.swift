import Tensors

/// Everything in which a file's tensors do not fit a module, in one error.
public struct ModuleLoadError: Error, CustomStringConvertible, Equatable {
  public struct Misshapen: Sendable, Equatable {
    public let name: String
    public let expected, found: [Int]

    public init(name: String, expected: [Int], found: [Int]) {
      (self.name, self.expected, self.found) = (name, expected, found)
    }
  }

  /// Where the tensors came from.
  public let source: String
  public let missing, unexpected: [String]
  public let misshapen: [Misshapen]
  /// Weights that the file stores as whole numbers without saying what they stand for.
  public let integers: [String]

  public var description: String {
    var parts: [String] = []
    if !missing.isEmpty { parts.append("missing \(Self.listed(missing))") }
    if !unexpected.isEmpty { parts.append("not part of this model \(Self.listed(unexpected))") }
    if !misshapen.isEmpty {
      parts.append(
        "of another shape " + Self.listed(misshapen.map { "\($0.name) (\($0.found), not \($0.expected))" }))
    }
    if !integers.isEmpty { parts.append("of whole numbers \(Self.listed(integers))") }
    return "\(source) does not fit this model: " + parts.joined(separator: "; ")
      + ". Check that config.json and the weights belong together."
  }

  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return "\(names.count): \(shown)" + (names.count > 8 ? ", …" : "")
  }
}

extension Module {
  /// Takes the values of all parameters from `tensors`, or changes nothing and throws `ModuleLoadError`.
  ///
  /// - Parameters:
  ///   - source: names the file or folder in the error.
  ///   - ignoring: tells which tensors of the file may be left over, such as tables that are not weights.
  public func load(
    _ tensors: [String: Tensor], from source: String, ignoring isIgnored: (String) -> Bool = { _ in false }
  ) throws {
    let wanted = namedParameters
    var missing: [String] = [], misshapen: [ModuleLoadError.Misshapen] = [], integers: [String] = []
    for item in wanted {
      guard let tensor = tensors[item.name] else {
        missing.append(item.name)
        continue
      }
      if tensor.type == .i32 { integers.append(item.name) }
      if tensor.shape != item.parameter.shape {
        misshapen.append(.init(name: item.name, expected: item.parameter.shape, found: tensor.shape))
      }
    }
    let names = Set(wanted.map(\.name))
    let unexpected = tensors.keys.filter { !names.contains($0) && !isIgnored($0) }.sorted()
    guard missing.isEmpty, unexpected.isEmpty, misshapen.isEmpty, integers.isEmpty else {
      throw ModuleLoadError(
        source: source, missing: missing, unexpected: unexpected, misshapen: misshapen, integers: integers)
    }
    for item in wanted {
      if let tensor = tensors[item.name] { item.parameter.assign(tensor) }
    }
  }

  /// Takes every tensor that has the name and shape of one of its parameters: what a model of other sizes can pass on.
  /// Returns the names of the parameters that keep their values, in order.
  public func loadFitting(_ tensors: [String: Tensor]) -> [String] {
    namedParameters.compactMap { item in
      guard let tensor = tensors[item.name], tensor.shape == item.parameter.shape, tensor.type != .i32 else {
        return item.name
      }
      item.parameter.assign(tensor)
      return nil
    }
  }

  /// All values by name, for a model file.
  public var tensorsByName: [String: Tensor] {
    Dictionary(namedParameters.map { ($0.name, $0.parameter.value) }, uniquingKeysWith: { first, _ in first })
  }
}
