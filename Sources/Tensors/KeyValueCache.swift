/// Keys and values of the tokens that one attention layer has seen, for one sequence.
///
/// Memory is taken in steps, and written in place: a token costs its own keys and values, not a copy of all.
public final class KeyValueCache {
  /// Tokens that it holds.
  public private(set) var count = 0
  private var keyStore, valueStore: Tensor?
  private let reserved: Int

  /// A cache that takes room for `reserved` tokens at its first one, and more only past them.
  public init(reserving reserved: Int = 0) { self.reserved = reserved }

  /// A cache of its own that begins with the same tokens: for several sequences with one beginning.
  public func copied(reserving reserved: Int = 0) -> KeyValueCache {
    let copy = KeyValueCache(reserving: max(reserved, count))
    guard let keyStore, let valueStore, count > 0 else { return copy }
    _ = copy.append(keyStore.sliced(0..<count, axis: 1), valueStore.sliced(0..<count, axis: 1))
    return copy
  }

  /// Adds `keys` and `values` `[1, time, kv heads, channels]` and returns all of them, in memory that the
  /// next call may write behind, never into.
  public func append(_ keys: Tensor, _ values: Tensor) -> (keys: Tensor, values: Tensor) {
    precondition(
      keys.shape == values.shape && keys.rank == 4 && keys.size(0) == 1, "keys \(keys), values \(values)")
    let needed = count + keys.size(1)
    let (k, v) = (room(keyStore, like: keys, needed), room(valueStore, like: values, needed))
    write(keys, into: k)
    write(values, into: v)
    (keyStore, valueStore, count) = (k, v, needed)
    return (k.sliced(0..<needed, axis: 1), v.sliced(0..<needed, axis: 1))
  }

  /// Forgets everything from token `count` on.
  public func truncate(to count: Int) { self.count = min(self.count, max(0, count)) }

  /// Memory that it has taken, for tokens to come as well.
  public var byteCount: Int { (keyStore?.byteCount ?? 0) + (valueStore?.byteCount ?? 0) }

  private func room(_ store: Tensor?, like tensor: Tensor, _ needed: Int) -> Tensor {
    if let store, store.size(1) >= needed { return store }
    let capacity = max((max(needed, reserved) + 255) / 256 * 256, (store?.size(1) ?? 0) * 2)
    let larger = Tensor.empty([1, capacity, tensor.size(2), tensor.size(3)], tensor.type)
    if let store { larger.pointer.copyMemory(from: store.pointer, byteCount: count * rowBytes(tensor)) }
    return larger
  }

  private func rowBytes(_ tensor: Tensor) -> Int { tensor.size(2) * tensor.size(3) * tensor.type.byteCount }

  private func write(_ tensor: Tensor, into store: Tensor) {
    (store.pointer + count * rowBytes(tensor)).copyMemory(from: tensor.pointer, byteCount: tensor.byteCount)
  }
}
