/// A row-major array of any rank.
///
/// A tensor is a value: operations make new ones and never change their operands. Reshaping and slicing
/// along the first axis share memory. Only parameters change in place, through `Parameter`.
/// Pictures and feature maps are NHWC: `[batch, height, width, channels]`.
public struct Tensor: @unchecked Sendable {
  let storage: Storage
  /// Elements before the first one.
  let offset: Int
  /// Sizes of the axes, outermost first; `[]` is a scalar.
  public let shape: [Int]
  /// Of the elements.
  public let type: ElementType
  /// Where the running tape knows this tensor, if it does.
  package var node: Node?

  init(storage: Storage, offset: Int = 0, shape: [Int], type: ElementType, node: Node? = nil) {
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.type = type
    self.node = node
  }

  /// Memory with undefined contents.
  static func empty(_ shape: [Int], _ type: ElementType = .f32) -> Tensor {
    precondition(shape.allSatisfy { $0 >= 0 }, "a shape has no negative sizes: \(shape)")
    return Tensor(
      storage: Storage(byteCount: shape.product * type.byteCount), shape: shape, type: type)
  }

  /// Number of elements.
  public var count: Int { shape.product }
  /// How many axes there are.
  public var rank: Int { shape.count }
  /// Bytes of all elements.
  public var byteCount: Int { count * type.byteCount }

  /// The size of an axis; negative numbers count from the last one.
  public func size(_ axis: Int) -> Int { shape[axis < 0 ? axis + rank : axis] }

  /// Whether both are the same numbers in the same memory, and not only equal.
  package func isSame(as other: Tensor) -> Bool {
    storage === other.storage && offset == other.offset && shape == other.shape && type == other.type
  }

  /// The first element. Valid while the tensor is.
  package var pointer: UnsafeMutableRawPointer { storage.pointer + offset * type.byteCount }

  var floats: UnsafeMutablePointer<Float> {
    precondition(type == .f32, "f32 expected, \(type) found")
    return pointer.assumingMemoryBound(to: Float.self)
  }

  var indices: UnsafeMutablePointer<Int32> {
    precondition(type == .i32, "i32 expected, \(type) found")
    return pointer.assumingMemoryBound(to: Int32.self)
  }

  /// The same numbers, unknown to any tape: a constant in every gradient (stop-gradient).
  public func detached() -> Tensor {
    var copy = self
    copy.node = nil
    return copy
  }
}

// MARK: - Making tensors

extension Tensor {
  /// Copies `values`, given in row-major order.
  public init(_ values: [Float], shape: [Int]? = nil) {
    let shape = shape ?? [values.count]
    precondition(shape.product == values.count, "\(values.count) values do not fill the shape \(shape)")
    self = Tensor.empty(shape)
    values.withUnsafeBytes {
      if let base = $0.baseAddress { pointer.copyMemory(from: base, byteCount: $0.count) }
    }
  }

  /// Indices: tokens, classes, rows.
  public init(indices values: [Int32], shape: [Int]? = nil) {
    let shape = shape ?? [values.count]
    precondition(shape.product == values.count, "\(values.count) values do not fill the shape \(shape)")
    self = Tensor.empty(shape, .i32)
    values.withUnsafeBytes {
      if let base = $0.baseAddress { pointer.copyMemory(from: base, byteCount: $0.count) }
    }
  }

  /// A tensor of shape `[]`.
  public init(scalar: Float) { self = Tensor([scalar], shape: []) }

  /// All elements 0.
  public static func zeros(_ shape: [Int], _ type: ElementType = .f32) -> Tensor {
    let result = Tensor.empty(shape, type)
    result.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: result.byteCount)
    return result
  }

  /// All elements `value`, rounded to `type`.
  public static func full(_ shape: [Int], _ value: Float, _ type: ElementType = .f32) -> Tensor {
    let result = Tensor.empty(shape)
    result.floats.initialize(repeating: value, count: result.count)
    return result.cast(to: type)
  }

  /// Zeros of the other's shape and type.
  public static func zeros(like other: Tensor) -> Tensor { zeros(other.shape, other.type) }

  /// Wraps memory that `owner` keeps alive, such as a mapped model file; nobody may write to it.
  ///
  /// `bytes` must be aligned to the element's size and hold at least the shape's elements.
  public init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject, shape: [Int], type: ElementType) {
    precondition(
      bytes.count >= shape.product * type.byteCount, "\(bytes.count) bytes are too few for \(shape)")
    guard let base = bytes.baseAddress, shape.product > 0 else {
      self = .zeros(shape, type)
      return
    }
    precondition(Int(bitPattern: base) % type.byteCount == 0, "the memory is not aligned for \(type)")
    self.init(
      storage: Storage(
        borrowing: UnsafeMutableRawPointer(mutating: base), byteCount: bytes.count, owner: owner),
      shape: shape, type: type)
  }

  /// Copies bytes in this machine's order.
  public init(copying bytes: UnsafeRawBufferPointer, shape: [Int], type: ElementType) {
    self = Tensor.empty(shape, type)
    precondition(bytes.count == byteCount, "\(bytes.count) bytes do not fill the shape \(shape) of \(type)")
    if let base = bytes.baseAddress { pointer.copyMemory(from: base, byteCount: bytes.count) }
  }
}

// MARK: - Reading tensors

extension Tensor {
  /// All elements in row-major order, as f32.
  public func toArray() -> [Float] {
    let source = cast(to: .f32)
    return withExtendedLifetime(source) {
      Array(UnsafeBufferPointer(start: source.floats, count: count))
    }
  }

  /// All elements of an index tensor.
  public func toIndices() -> [Int32] { Array(UnsafeBufferPointer(start: indices, count: count)) }

  /// The only element.
  public func item() -> Float {
    precondition(count == 1, "one element expected, the shape is \(shape)")
    return toArray()[0]
  }

  /// The elements' bytes as they lie in memory.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeRawBufferPointer(start: pointer, count: byteCount))
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String { "Tensor(\(type), \(shape))" }
}

extension [Int] {
  /// The product of all sizes; 1 for a scalar's empty shape.
  var product: Int { reduce(1, *) }

  /// Row-major strides in elements.
  var strides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
    return strides
  }
}
