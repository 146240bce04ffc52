import Synchronization

/// A block of memory that tensors share: from the pool, or borrowed from an owner such as a mapped file.
///
/// What changes about it is behind a lock, as weights of one model may be read by several threads. The memory itself is
/// written by operations before anybody else can know it, and by `Parameter.update`, which nothing may read beside.
final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  private let capacity: Int?
  private let owner: AnyObject?

  private struct State {
    var version = 0
    var isWeight = false
    var staysPlain = false
    var packs: [PackKey: Pack] = [:]
  }
  private let state = Mutex(State())

  struct PackKey: Hashable, Sendable {
    enum Kind: Hashable { case product(transposed: Bool), convolution(WeightForm), panels }
    let kind: Kind
    let offset: Int
    let layout: Int64
  }

  private struct Pack {
    let storage: Storage
    var version: Int
  }

  init(byteCount: Int) {
    let capacity = MemoryPool.capacity(for: byteCount)
    self.byteCount = byteCount
    self.capacity = capacity
    owner = nil
    pointer = MemoryPool.shared.allocate(capacity: capacity, byteCount: byteCount)
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

  /// Counts changes in place; what was derived from older contents is stale.
  var version: Int { state.withLock { $0.version } }

  func markChanged() { state.withLock { $0.version += 1 } }

  /// Whether this is a weight, read many times between changes: worth packing for the product kernels.
  var isWeight: Bool { state.withLock { $0.isWeight } }

  func markAsWeight() { state.withLock { $0.isWeight = true } }

  /// Whether a weight that could be packed for rows is read as it stands.
  var staysPlain: Bool { state.withLock { $0.staysPlain } }

  func keepPlain() { state.withLock { $0.staysPlain = true } }

  /// Lets go of pages that a mapped file has anyway; the contents stay.
  func discardPages() {
    (owner as? DiscardablePages)?.discardPages(UnsafeRawBufferPointer(start: pointer, count: byteCount))
  }

  func isPacked(_ key: PackKey) -> Bool { state.withLock { $0.packs[key] != nil } }

  /// The weight in another layout, made anew only after a change. Who asks for it meanwhile waits: `make` must not ask
  /// this storage for anything.
  func packed(_ key: PackKey, byteCount: Int, make: (UnsafeMutableRawPointer) -> Void) -> Storage {
    state.withLock { state in
      if let pack = state.packs[key], pack.version == state.version { return pack.storage }
      let storage = state.packs[key]?.storage ?? Storage(byteCount: byteCount)
      make(storage.pointer)
      state.packs[key] = Pack(storage: storage, version: state.version)
      return storage
    }
  }
}
