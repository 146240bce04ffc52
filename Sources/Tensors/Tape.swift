/// One recorded value: its gradient while the tape runs back, and how to hand it on.
package final class Node {
  let tape: ObjectIdentifier
  let inputs: [Node?]
  var backward: ((Tensor) -> [Tensor?])?
  var gradient: Tensor?

  init(tape: Tape, inputs: [Node?] = [], backward: ((Tensor) -> [Tensor?])? = nil) {
    self.tape = ObjectIdentifier(tape)
    self.inputs = inputs
    self.backward = backward
  }

  func add(_ gradient: Tensor) {
    self.gradient = self.gradient.map { $0 + gradient } ?? gradient
  }
}

/// Records operations on watched parameters and tensors, and runs the chain rule back over them.
///
/// Recording happens only inside `grad`. What depends on nothing that is watched leaves no trace: a
/// frozen module costs no backward work and keeps no activations.
final class Tape: @unchecked Sendable {
  /// The tape that records on this task, if one does.
  @TaskLocal static var current: Tape?

  private var nodes: [Node] = []
  private var watched: [ObjectIdentifier: Node] = [:]
  private var parameters: [Parameter] = []

  /// Makes a parameter's gradient known to this tape.
  func watch(_ parameter: Parameter) {
    guard watched[ObjectIdentifier(parameter)] == nil else { return }
    watched[ObjectIdentifier(parameter)] = Node(tape: self)
    parameters.append(parameter)
  }

  func watch(_ tensor: Tensor) -> Tensor {
    var copy = tensor
    copy.node = Node(tape: self)
    return copy
  }

  func node(of parameter: Parameter) -> Node? { watched[ObjectIdentifier(parameter)] }
  var watchedParameters: [Parameter] { parameters }
  /// What follows the way back, while it runs.
  private(set) var onStep: (() -> Void)?
  /// Those of the watched parameters that what is recorded depends on.
  var usedParameters: [Parameter] {
    var used: Set<ObjectIdentifier> = []
    for node in nodes { for input in node.inputs { if let input { used.insert(ObjectIdentifier(input)) } } }
    return parameters.filter { node(of: $0).map { used.contains(ObjectIdentifier($0)) } ?? false }
  }

  func record(inputs: [Node?], _ backward: @escaping (Tensor) -> [Tensor?]) -> Node {
    let node = Node(tape: self, inputs: inputs, backward: backward)
    nodes.append(node)
    return node
  }

  /// Runs back from `result`. Activations are let go as soon as their gradient is done.
  ///
  /// - Parameter observer: is told of each parameter once its gradient is done.
  func backward(from result: Tensor, gradient: Tensor, _ observer: GradientObserver? = nil) {
    let finished = observer.map { _ in parametersByFirstUse() }
    onStep = observer?.step
    defer { onStep = nil }
    finished?[nodes.count]?.forEach { observer?.isDone($0, nil) }
    if let start = result.node, start.tape == ObjectIdentifier(self) { start.add(gradient) }
    while let node = nodes.popLast() {
      if let gradient = node.gradient, let backward = node.backward {
        node.gradient = nil
        node.backward = nil
        for (input, part) in zip(node.inputs, backward(gradient)) {
          if let input, let part { input.add(part) }
        }
        observer?.step()
      }
      finished?[nodes.count]?.forEach { observer?.isDone($0, self.gradient(of: $0)?.cast(to: .f32)) }
    }
  }

  /// Parameters by the number of the node behind which, on the way back, nothing more comes to their gradients: the first
  /// one that uses them. Those that none uses stand under the number of nodes.
  private func parametersByFirstUse() -> [Int: [Parameter]] {
    var first: [ObjectIdentifier: Int] = [:]
    for (i, node) in nodes.enumerated() {
      for input in node.inputs {
        if let input, input.backward == nil, first[ObjectIdentifier(input)] == nil {
          first[ObjectIdentifier(input)] = i
        }
      }
    }
    return Dictionary(grouping: parameters) { parameter in
      node(of: parameter).flatMap { first[ObjectIdentifier($0)] } ?? nodes.count
    }
  }

  func gradient(of parameter: Parameter) -> Tensor? { watched[ObjectIdentifier(parameter)]?.gradient }
}

extension Tensor {
  /// Whether the running tape needs a gradient of this tensor.
  var isTracked: Bool { Tape.current.map(isTracked) ?? false }

  /// The same of a tape.
  func isTracked(by tape: Tape) -> Bool { node?.tape == ObjectIdentifier(tape) }

  /// This result, with the way back to its inputs if the running tape wants one.
  ///
  /// `backward` turns the result's gradient into one gradient an input, `nil` where none is needed.
  package func recorded(from inputs: [Tensor], _ backward: @escaping (Tensor) -> [Tensor?]) -> Tensor {
    guard let tape = Tape.current, inputs.contains(where: \.isTracked) else { return self }
    var copy = self
    copy.node = tape.record(inputs: inputs.map { $0.isTracked ? $0.node : nil }, backward)
    return copy
  }
}

/// Gradients by parameter, f32. Several passes can be added up before one step (gradient accumulation).
public struct Gradients {
  private var tensors: [ObjectIdentifier: Tensor] = [:]

  /// Of no parameter.
  public init() {}

  /// f32, of the parameter's shape; `nil` where nothing depends on it.
  public subscript(parameter: Parameter) -> Tensor? {
    get { tensors[ObjectIdentifier(parameter)] }
    set { tensors[ObjectIdentifier(parameter)] = newValue }
  }

  /// Parameters that have a gradient.
  public var count: Int { tensors.count }

  /// Adds the gradients of another pass.
  public mutating func add(_ other: Gradients) {
    for (key, tensor) in other.tensors { tensors[key] = tensors[key].map { $0 + tensor } ?? tensor }
  }

  /// Multiplies every gradient, as 1/n after n accumulated passes.
  public mutating func scale(by factor: Float) {
    for (key, tensor) in tensors { tensors[key] = tensor * factor }
  }
}

/// Follows a backward pass.
public struct GradientObserver {
  /// Called once for each parameter when its gradient, f32, is done; nil where nothing depends on it.
  public var isDone: (Parameter, Tensor?) -> Void
  /// Called again and again.
  public var step: () -> Void

  /// Each argument is the property of its name.
  public init(isDone: @escaping (Parameter, Tensor?) -> Void, step: @escaping () -> Void) {
    (self.isDone, self.step) = (isDone, step)
  }
}

/// The value of `loss` and its gradients with respect to `parameters`; everything else is constant.
///
/// `loss` must return one number. Parameters that it does not depend on have no entry.
///
/// - Parameter observer: follows the way back; it may be told of gradients in any order.
public func grad(
  of parameters: [Parameter], observer: GradientObserver? = nil, _ loss: () throws -> Tensor
) rethrows -> (loss: Tensor, gradients: Gradients) {
  let tape = Tape()
  parameters.forEach(tape.watch)
  let value = try Tape.$current.withValue(tape, operation: loss)
  precondition(value.count == 1, "a loss is one number, the shape is \(value.shape)")
  tape.backward(from: value, gradient: .full(value.shape, 1, value.type), observer)
  var gradients = Gradients()
  for parameter in parameters { gradients[parameter] = tape.gradient(of: parameter)?.cast(to: .f32) }
  return (value.detached(), gradients)
}

/// The value of `function` at `inputs` and the products of `seed` with its Jacobians, one an input.
///
/// Without a seed the result must be one number, and these are its gradients.
public func grad(
  at inputs: [Tensor], seed: Tensor? = nil, _ function: ([Tensor]) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor?]) {
  let tape = Tape()
  let leaves = inputs.map(tape.watch)
  let value = try Tape.$current.withValue(tape) { try function(leaves) }
  tape.backward(from: value, gradient: seed ?? .full(value.shape, 1, value.type))
  return (value.detached(), leaves.map { $0.node?.gradient })
}

/// Runs `function` and keeps only its inputs: its activations are made again on the way back.
///
/// Costs a second forward pass and saves the memory of everything inside (arXiv 1604.06174). The gradients have the same
/// bits as without it: both passes take the same ways, and what comes to a gradient comes in the same order. Whatever a
/// gradient shall go to is a parameter or one of `inputs`: other tensors are constants in here. Random numbers inside must
/// come from a generator that `function` captures by value.
public func checkpoint(_ inputs: [Tensor], _ function: @escaping ([Tensor]) -> Tensor) -> Tensor {
  guard let outer = Tape.current else { return function(inputs) }
  let constants = inputs.map { $0.detached() }, nodes = inputs.map { $0.isTracked ? $0.node : nil }
  // Recorded for the ways that operations take then, and forgotten.
  let first = Replay(constants, nodes, outer, function)
  guard first.output.isTracked(by: first.tape) else { return first.output.detached() }
  let used = first.usedParameters
  var output = first.output.detached()
  output.node = outer.record(inputs: nodes + used.map { outer.node(of: $0) }) { [weak outer] gradient in
    guard let outer else { return [] }
    let again = Replay(constants, nodes, outer, function)
    again.runBack(gradient, into: outer, used)
    // All is where it belongs.
    return []
  }
  return output
}

/// A function's pass on a tape of its own.
private struct Replay {
  let tape = Tape()
  let output: Tensor
  /// The nodes of the tape around it, each once, and those that stand for them here.
  private let leaves: [(outer: Node, inner: Node)]

  init(_ constants: [Tensor], _ nodes: [Node?], _ outer: Tape, _ function: ([Tensor]) -> Tensor) {
    outer.watchedParameters.forEach(tape.watch)
    var leaves: [(outer: Node, inner: Node)] = []
    let inputs = zip(constants, nodes).map { [tape] constant, node -> Tensor in
      guard let node else { return constant }
      if let known = leaves.first(where: { $0.outer === node }) {
        var copy = constant
        copy.node = known.inner
        return copy
      }
      let watched = tape.watch(constant)
      if let inner = watched.node { leaves.append((node, inner)) }
      return watched
    }
    self.leaves = leaves
    output = Tape.$current.withValue(tape) { function(inputs) }
  }

  var usedParameters: [Parameter] { tape.usedParameters }

  /// Gradients go on from what has come to each of them so far.
  func runBack(_ gradient: Tensor, into outer: Tape, _ used: [Parameter]) {
    let weights = used.compactMap { parameter in
      outer.node(of: parameter).flatMap { node in tape.node(of: parameter).map { (outer: node, inner: $0) } }
    }
    for pair in leaves + weights { pair.inner.gradient = pair.outer.gradient }
    let observer = outer.onStep.map { GradientObserver(isDone: { _, _ in }, step: $0) }
    tape.backward(from: output, gradient: gradient, observer)
    for pair in leaves + weights { pair.outer.gradient = pair.inner.gradient }
  }
}

/// What a training step keeps for its way back.
public enum Activations {
  @TaskLocal fileprivate static var areMadeAgain = false

  /// Runs `body`, whose blocks (`checkpointed`) keep only their inputs where `isWanted`.
  public static func madeAgain<R>(_ isWanted: Bool, _ body: () throws -> R) rethrows -> R {
    try $areMadeAgain.withValue(isWanted, operation: body)
  }
}

/// A block of a network: `function` of its inputs, as a `checkpoint` where the step wants that (`Activations`).
public func checkpointed(_ inputs: [Tensor], _ function: @escaping ([Tensor]) -> Tensor) -> Tensor {
  Activations.areMadeAgain ? checkpoint(inputs, function) : function(inputs)
}

/// Runs `body` with no tape: nothing inside is part of a gradient.
public func withoutGradients<R>(_ body: () throws -> R) rethrows -> R {
  try Tape.$current.withValue(nil, operation: body)
}

/// Whether a tape is running: inside `grad`, and not inside `withoutGradients`.
public var isRecording: Bool { Tape.current != nil }
