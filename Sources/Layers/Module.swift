import Tensors

/// Something that holds parameters by name: a module, or an array or optional of such.
public protocol ParameterTree {
  /// Appends every parameter at and below this one, with `prefix` (a path that ends in a dot, or nothing) before its
  /// name.
  func collect(_ prefix: String, into list: inout [NamedParameter])
  /// Calls `visit` for every module at and below this one, with its path (no dot at the end).
  func visitModules(_ path: String, _ visit: (String, any Module) -> Void)
}

/// A parameter and its path, such as `layers.3.self_attn.q_proj.weight`.
public struct NamedParameter {
  /// The path of names, separated by dots.
  public let name: String
  /// The parameter itself, not a copy.
  public let parameter: Parameter

  /// Each argument is the property of its name.
  public init(name: String, parameter: Parameter) { (self.name, self.parameter) = (name, parameter) }
}

/// A layer, or a network of layers.
///
/// A module is a final class whose weights and parts carry the names of the model file:
///
///     final class SwiGLU: Module {
///       @Child("gate_proj") var gate: Linear
///       @Child("up_proj") var up: Linear
///       @Child("down_proj") var down: Linear
///     }
///
/// The path of names leads to each tensor of a model folder. Modules belong to one numeric thread.
public protocol Module: AnyObject, ParameterTree {}

extension Module {
  /// Every parameter below this module, in the order of declaration.
  public var namedParameters: [NamedParameter] {
    var list: [NamedParameter] = []
    collect("", into: &list)
    return list
  }

  /// The parameters alone, in the order of `namedParameters`.
  public var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// Sets how stored weights, plain and quantised, meet many rows of activations: see `Precision.multipliesBF16`.
  public func setPrecision(_ precision: Precision) {
    for item in namedParameters { item.parameter.precision = precision }
    visitModules("") { _, module in (module as? Linear)?.precision = precision }
  }

  /// Numbers in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Appends the parameters of every weight and part, found by reflection, with `prefix` before their names.
  public func collect(_ prefix: String, into list: inout [NamedParameter]) {
    for child in Mirror(reflecting: self).children {
      (child.value as? any ModuleMember)?.collectMember(prefix, into: &list)
    }
  }

  /// Visits this module, and then its parts in the order of declaration.
  public func visitModules(_ path: String = "", _ visit: (String, any Module) -> Void) {
    visit(path, self)
    for child in Mirror(reflecting: self).children {
      (child.value as? any ModuleMember)?.visitMember(path, visit)
    }
  }
}

/// `path.name`, or one of them where the other is empty.
private func modulePath(_ path: String, _ name: String) -> String {
  path.isEmpty ? name : name.isEmpty ? path : "\(path).\(name)"
}

extension Array: ParameterTree where Element: ParameterTree {
  /// Appends the elements' parameters; an element's name is its number.
  public func collect(_ prefix: String, into list: inout [NamedParameter]) {
    for (i, element) in enumerated() { element.collect("\(prefix)\(i).", into: &list) }
  }

  /// Visits every element under its number.
  public func visitModules(_ path: String, _ visit: (String, any Module) -> Void) {
    for (i, element) in enumerated() { element.visitModules(modulePath(path, "\(i)"), visit) }
  }
}

extension Optional: ParameterTree where Wrapped: ParameterTree {
  /// Appends the parameters of what is there.
  public func collect(_ prefix: String, into list: inout [NamedParameter]) {
    self?.collect(prefix, into: &list)
  }

  /// Visits what is there.
  public func visitModules(_ path: String, _ visit: (String, any Module) -> Void) {
    self?.visitModules(path, visit)
  }
}

/// What `Mirror` finds behind a wrapped property.
private protocol ModuleMember {
  func collectMember(_ prefix: String, into list: inout [NamedParameter])
  func visitMember(_ path: String, _ visit: (String, any Module) -> Void)
}

/// A weight of a module, under its name in model files. `Parameter?` for one that may be absent.
@propertyWrapper
public struct Weight<Value>: ModuleMember {
  let key: String
  private var value: Value?

  /// The name in model files, without a dot.
  public init(_ key: String) { self.key = key }

  /// The parameter. Reading it before the module's `init` has set it is a caller's bug.
  public var wrappedValue: Value {
    get {
      guard let value else {
        preconditionFailure("the weight '\(key)' is read before the module's init has set it")
      }
      return value
    }
    set { value = newValue }
  }

  fileprivate func collectMember(_ prefix: String, into list: inout [NamedParameter]) {
    guard let parameter = value as? Parameter else { return }
    list.append(NamedParameter(name: prefix + key, parameter: parameter))
  }

  fileprivate func visitMember(_ path: String, _ visit: (String, any Module) -> Void) {}
}

/// A part of a module: another module, or an array or optional of modules. An empty name adds no step
/// to the path.
@propertyWrapper
public struct Child<Value: ParameterTree>: ModuleMember {
  let key: String
  private var value: Value?

  /// The name in model files, without a dot; empty for no step of its own.
  public init(_ key: String) { self.key = key }

  /// The part. Reading it before the module's `init` has set it is a caller's bug.
  public var wrappedValue: Value {
    get {
      guard let value else {
        preconditionFailure("the part '\(key)' is read before the module's init has set it")
      }
      return value
    }
    set { value = newValue }
  }

  fileprivate func collectMember(_ prefix: String, into list: inout [NamedParameter]) {
    value?.collect(key.isEmpty ? prefix : "\(prefix)\(key).", into: &list)
  }

  fileprivate func visitMember(_ path: String, _ visit: (String, any Module) -> Void) {
    value?.visitModules(modulePath(path, key), visit)
  }
}
