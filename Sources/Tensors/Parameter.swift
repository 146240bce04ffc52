/// A weight of a network: the one kind of tensor that changes in place.
///
/// The master value is f32 while training; a frozen model may hold the bf16 of its file. Copies in other
/// types and packed layouts for the product kernels are kept until the value changes.
public final class Parameter {
  /// The master value.
  public private(set) var value: Tensor
  private var copy: Tensor?
  private var copyVersion = -1
  /// Whether nobody else can hold this memory: true from the first change on.
  private var isPrivate = false
  /// How a value that is stored in bf16 meets f32 activations, many rows at once: see `Precision.multipliesBF16`.
  public var precision = Precision.f32

  /// Takes a value that is not copied: it shares the tensor's memory until it first changes.
  public init(_ value: Tensor) {
    self.value = value.detached()
    self.value.storage.markAsWeight()
  }

  /// Whether new parameters have only a shape, until a file's values are assigned: see `deferringValues`.
  @TaskLocal private static var isDeferred = false

  /// Builds modules without working out random weights that a file will replace. Their parameters must be
  /// assigned before they are read.
  public static func deferringValues<R>(_ build: () throws -> R) rethrows -> R {
    try $isDeferred.withValue(true, operation: build)
  }

  private static func made(_ shape: [Int], _ value: () -> Tensor) -> Parameter {
    isDeferred
      ? Parameter(Tensor(storage: Storage(byteCount: 0), shape: shape, type: .f32)) : Parameter(value())
  }

  /// Uniform in ±bound.
  public static func uniform(_ shape: [Int], bound: Float, using random: inout Philox) -> Parameter {
    made(shape) { .uniform(shape, low: -bound, high: bound, using: &random) }
  }

  /// Normal numbers of mean 0.
  public static func normal(_ shape: [Int], deviation: Float = 1, using random: inout Philox) -> Parameter {
    made(shape) { .normal(shape, deviation: deviation, using: &random) }
  }

  /// Sizes of the value's axes.
  public var shape: [Int] { value.shape }
  /// Numbers in the value.
  public var count: Int { value.count }

  /// Replaces the value; the shape stays.
  public func assign(_ tensor: Tensor) {
    precondition(tensor.shape == shape, "a value of shape \(tensor.shape) for a parameter of shape \(shape)")
    value = tensor.detached()
    value.storage.markAsWeight()
    copy = nil
    isPrivate = false
  }

  /// Zero everywhere; does nothing to a value that is still to come.
  public func setToZero() {
    if value.storage.byteCount > 0 { assign(.zeros(shape, value.type)) }
  }

  /// Takes the value of another in place of its first one; does nothing where values are still to come.
  public func start(with other: Parameter) {
    if other.value.storage.byteCount > 0 { assign(other.value) }
  }

  /// The weight for a product with activations of `type`, known to the tape if it is watched.
  public func tensor(as type: ElementType) -> Tensor {
    var tensor = plain(as: type)
    tensor.node = Tape.current?.node(of: self)
    return tensor
  }

  /// The weight as it is stored.
  public var tensor: Tensor { tensor(as: value.type) }

  private func plain(as type: ElementType) -> Tensor {
    if value.type == type { return value }
    if let copy, copy.type == type {
      if copyVersion != value.storage.version { refresh(copy) }
      return copy
    }
    let fresh = Tensor.empty(shape, type)
    fresh.storage.markAsWeight()
    copy = fresh
    refresh(fresh)
    return fresh
  }

  private func refresh(_ copy: Tensor) {
    value.writeCast(to: copy)
    copy.storage.markChanged()
    copyVersion = value.storage.version
  }

  /// Changes the f32 value in place. `body` receives it and the bf16 copy, if one is in use, and must
  /// keep that copy equal to the rounded value.
  ///
  /// A value that other tensors or a mapped file share is copied first.
  public func update(_ body: (_ value: Tensor, _ copy: Tensor?) -> Void) {
    precondition(value.type == .f32, "only f32 parameters are trained; this one is \(value.type)")
    if !isPrivate {
      assign(value.copied())
      isPrivate = true
    }
    body(value, copy)
    value.storage.markChanged()
    copy?.storage.markChanged()
    copyVersion = value.storage.version
  }
}
