import Tensors

/// Everything in which a file's tensors do not fit a module, in one error.
public struct ModuleLoadError: Error, CustomStringConvertible, Equatable {
  /// A tensor of another shape than the module's.
  public struct Misshapen: Sendable, Equatable {
    /// The path of names that leads to it.
    public let name: String
    /// Sizes of its axes in the module and in the file.
    public let expected, found: [Int]

    /// Each argument is the property of its name.
    public init(name: String, expected: [Int], found: [Int]) {
      (self.name, self.expected, self.found) = (name, expected, found)
    }
  }

  /// Where the tensors came from.
  public let source: String
  /// Paths that the file lacks, and those that the module does not know.
  public let missing, unexpected: [String]
  /// Tensors that are there in another shape.
  public let misshapen: [Misshapen]
  /// Weights that the file stores as whole numbers without saying what they stand for.
  public let integers: [String]
  /// Weights that are not numbers (NaN).
  public let notNumbers: [String]

  public var description: String {
    var parts: [String] = []
    if !missing.isEmpty { parts.append("missing \(Self.listed(missing))") }
    if !unexpected.isEmpty { parts.append("not part of this model \(Self.listed(unexpected))") }
    if !misshapen.isEmpty {
      parts.append(
        "of another shape " + Self.listed(misshapen.map { "\($0.name) (\($0.found), not \($0.expected))" }))
    }
    if !integers.isEmpty { parts.append("of whole numbers \(Self.listed(integers))") }
    if !notNumbers.isEmpty { parts.append("NaN, not numbers, \(Self.listed(notNumbers))") }
    return "\(source) does not fit this model: " + parts.joined(separator: "; ")
      + ". Check that config.json and the weights belong together."
  }

  fileprivate var isEmpty: Bool {
    [missing, unexpected, integers, notNumbers].allSatisfy(\.isEmpty) && misshapen.isEmpty
  }

  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return "\(names.count): \(shown)" + (names.count > 8 ? ", …" : "")
  }
}

/// What a file says of a tensor, for comparing it with a module.
public struct StoredShape: Sendable {
  /// Sizes of its axes.
  public var shape: [Int]
  /// Whole numbers, which are no weights.
  public var isWhole: Bool
  /// Whether it begins with NaN, as every tensor of a model does whose training went wrong.
  public var isNaN: Bool

  /// A tensor of real numbers unless told otherwise.
  public init(_ shape: [Int], isWhole: Bool = false, isNaN: Bool = false) {
    (self.shape, self.isWhole, self.isNaN) = (shape, isWhole, isNaN)
  }
}

extension Tensor {
  /// Whether its first numbers, which cost one page of a file, are all NaN: of a model whose training went wrong all are.
  fileprivate var beginsWithNaN: Bool {
    guard count > 0 else { return false }
    let some = reshaped([count]).sliced(0..<min(count, 16))
    return some.cast(to: .f32).toArray().allSatisfy(\.isNaN)
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
    let found = tensors.mapValues { tensor in
      StoredShape(
        tensor.shape, isWhole: tensor.type == .i32, isNaN: tensor.type != .i32 && tensor.beginsWithNaN)
    }
    if let error = misfit(of: found, from: source, ignoring: isIgnored) { throw error }
    for item in namedParameters {
      if let tensor = tensors[item.name] { item.parameter.assign(tensor) }
    }
  }

  /// In what a file's tensors do not fit this module; nil where they do.
  public func misfit(
    of found: [String: StoredShape], from source: String,
    ignoring isIgnored: (String) -> Bool = { _ in false }
  ) -> ModuleLoadError? {
    let wanted = namedParameters
    var missing: [String] = [], misshapen: [ModuleLoadError.Misshapen] = []
    for item in wanted {
      guard let stored = found[item.name] else {
        missing.append(item.name)
        continue
      }
      if stored.shape != item.parameter.shape {
        misshapen.append(.init(name: item.name, expected: item.parameter.shape, found: stored.shape))
      }
    }
    let names = Set(wanted.map(\.name))
    let error = ModuleLoadError(
      source: source, missing: missing,
      unexpected: found.keys.filter { !names.contains($0) && !isIgnored($0) }.sorted(), misshapen: misshapen,
      integers: wanted.map(\.name).filter { found[$0]?.isWhole == true },
      notNumbers: wanted.map(\.name).filter { found[$0]?.isNaN == true })
    return error.isEmpty ? nil : error
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

extension [String: Tensor] {
  /// The tensors of one part of a network, by their names in it: those that begin with `prefix`, without it.
  public func part(_ prefix: String) -> [String: Tensor] {
    var part: [String: Tensor] = [:]
    for (name, tensor) in self where name.hasPrefix(prefix) {
      part[String(name.dropFirst(prefix.count))] = tensor
    }
    return part
  }
}
