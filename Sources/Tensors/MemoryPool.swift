import CKernels
import Foundation
import Synchronization

/// Recycles the memory of tensors: 64-byte aligned blocks, kept in free lists by size.
///
/// A training step asks for the same blocks in the same order each time, so after the second step, when the optimizer
/// has its moments, nothing comes from the system any more; `counters` shows it.
public final class MemoryPool: Sendable {
  /// What the pool has done so far. Bytes are those of whole blocks.
  public struct Counters: Sendable, Equatable {
    /// Blocks that the system was asked for.
    public var systemAllocations = 0
    /// Blocks that came from a free list.
    public var reuses = 0
    /// Of blocks that tensors have.
    public var bytesInUse = 0
    /// Of blocks in the free lists.
    public var bytesFree = 0
    /// The most that `bytesInUse` ever was.
    public var peakBytesInUse = 0
  }

  private struct State {
    var free: [Int: [UInt]] = [:]
    var counters = Counters()
  }

  /// The system had no memory for a tensor.
  public struct Exhausted: Error, CustomStringConvertible {
    /// Bytes that were asked for, and those that tensors have.
    public let byteCount, bytesInUse: Int

    public var description: String {
      "out of memory: \(byteCount) bytes were asked for, \(bytesInUse) are in use"
    }
  }

  /// The pool that every tensor uses.
  public static let shared = MemoryPool()

  private static let largePage = 2 << 20
  private let state = Mutex(State())
  private let handler = Mutex<(@Sendable (Exhausted) -> Never)?>(nil)

  /// Sets what ends the program where the system has no memory: nothing could be computed any more, and whoever has
  /// the terminal must give it back first. It is called on the thread that wanted the memory. Without it the program
  /// says so and aborts.
  public func whenExhausted(_ end: @escaping @Sendable (Exhausted) -> Never) {
    handler.withLock { $0 = end }
  }

  private func end(_ what: Exhausted) -> Never {
    if let end = handler.withLock({ $0 }) { end(what) }
    FileHandle.standardError.write(Data("\(what)\n".utf8))
    abort()
  }

  /// What was done so far, all of one moment.
  public var counters: Counters { state.withLock { $0.counters } }

  /// Steps of an eighth of a power of two: at most 12.5 % is wasted.
  package static func capacity(for byteCount: Int) -> Int {
    let atLeast = max(byteCount, 64)
    if atLeast <= 4096 { return (atLeast + 63) & ~63 }
    let step = 1 << (Int.bitWidth - 1 - (atLeast - 1).leadingZeroBitCount - 3)
    return (atLeast + step - 1) & ~(step - 1)
  }

  /// A block of `capacity` bytes, of which the caller touches the first `byteCount`.
  func allocate(capacity: Int, byteCount: Int) -> UnsafeMutableRawPointer {
    let block = block(of: capacity)
    vugen_mark_block(block, byteCount, capacity)
    return block
  }

  private func block(of capacity: Int) -> UnsafeMutableRawPointer {
    let recycled = state.withLock { state -> UInt? in
      state.counters.bytesInUse += capacity
      state.counters.peakBytesInUse = max(state.counters.peakBytesInUse, state.counters.bytesInUse)
      guard let block = state.free[capacity]?.popLast() else {
        state.counters.systemAllocations += 1
        return nil
      }
      state.counters.reuses += 1
      state.counters.bytesFree -= capacity
      return block
    }
    if let recycled, let pointer = UnsafeMutableRawPointer(bitPattern: recycled) { return pointer }
    // Large pages: a stream of memory then waits for fewer translations of addresses.
    let isLarge = capacity >= 2 * Self.largePage, alignment = isLarge ? Self.largePage : 64
    var pointer: UnsafeMutableRawPointer?
    var status = posix_memalign(&pointer, alignment, capacity)
    if status != 0 {
      trim()  // the free lists may hold what is missing
      status = posix_memalign(&pointer, alignment, capacity)
    }
    if isLarge, status == 0 { vugen_use_large_pages(pointer, capacity) }
    guard status == 0, let pointer else {
      end(Exhausted(byteCount: capacity, bytesInUse: counters.bytesInUse - capacity))
    }
    return pointer
  }

  func release(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
    vugen_mark_block(pointer, 0, capacity)
    state.withLock { state in
      state.free[capacity, default: []].append(UInt(bitPattern: pointer))
      state.counters.bytesInUse -= capacity
      state.counters.bytesFree += capacity
    }
  }

  /// Gives every free block back to the system.
  public func trim() {
    let blocks = state.withLock { state -> [UInt] in
      let blocks = state.free.values.flatMap { $0 }
      state.free.removeAll()
      state.counters.bytesFree = 0
      return blocks
    }
    for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) }
  }
}
