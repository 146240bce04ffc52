/// A block of memory that tensors share: from the pool, or borrowed from an owner such as a mapped file.
final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  private let capacity: Int?
  private let owner: AnyObject?

  /// Counts changes in place; what was derived from older contents is stale.
  private(set) var version = 0
  /// Whether this is a weight, read many times between changes: worth packing for the product kernels.
  var isWeight = false
  /// Whether a weight that could be packed for rows is read as it stands.
  var staysPlain = false
  /// Weights in the layouts that products asked for.
  var packs: [PackKey: Pack] = [:]

  struct PackKey: Hashable {
    enum Kind: Hashable { case product(transposed: Bool), convolution(WeightForm), panels }
    let kind: Kind
    let offset: Int
    let layout: Int64
  }

  final class Pack {
    let storage: Storage
    var version: Int
    init(storage: Storage, version: Int) {
      self.storage = storage
      self.version = version
    }
  }

  init(byteCount: Int) {
    let capacity = MemoryPool.capacity(for: byteCount)
    self.byteCount = byteCount
    self.capacity = capacity
    owner = nil
    pointer = MemoryPool.shared.allocate(capacity: capacity)
  }

  /// Memory that `owner` keeps alive; read only.
  init(borrowing pointer: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject) {
    self.pointer = pointer
    self.byteCount = byteCount
    capacity = nil
    self.owner = owner
  }

  deinit {
    if let capacity { MemoryPool.shared.release(pointer, capacity: capacity) }
  }

  func markChanged() { version += 1 }

  /// Lets go of pages that a mapped file has anyway; the contents stay.
  func discardPages() {
    (owner as? DiscardablePages)?.discardPages(UnsafeRawBufferPointer(start: pointer, count: byteCount))
  }

  /// The weight in another layout, made anew only after a change.
  func packed(_ key: PackKey, byteCount: Int, make: (UnsafeMutableRawPointer) -> Void) -> Storage {
    if let pack = packs[key] {
      if pack.version != version {
        make(pack.storage.pointer)
        pack.version = version
      }
      return pack.storage
    }
    let pack = Pack(storage: Storage(byteCount: byteCount), version: version)
    make(pack.storage.pointer)
    packs[key] = pack
    return pack.storage
  }
}
