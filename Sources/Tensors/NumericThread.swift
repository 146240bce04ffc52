import CKernels
import Foundation
import Synchronization

/// The one budget of threads that oneDNN, OpenBLAS and the kernels share.
public enum Threads {
  /// Threads that numeric work may use; the physical cores unless set. Set it once, at start.
  public static var count: Int32 {
    get { vugen_threads() }
    set { vugen_set_threads(newValue) }
  }

  /// Cores that this process may use.
  public static var physicalCores: Int32 { vugen_physical_cores() }
}

/// A thread of the core's own that runs numeric work, one job after the other.
///
/// OpenMP keeps a team of threads for each thread that enters it. Swift's cooperative pool would bring
/// several, each with a team and with primitives of its own, all spinning on the same cores. Actors that
/// compute therefore name this as their executor:
///
///     actor Model {
///       nonisolated var unownedExecutor: UnownedSerialExecutor { NumericThread.shared.asUnownedSerialExecutor() }
///     }
public final class NumericThread: SerialExecutor, TaskExecutor, @unchecked Sendable {
  /// The thread for everything that has no reason for another one.
  public static let shared = NumericThread(name: "vugen.numeric")

  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  /// Starts the thread. It lives as long as the process.
  public init(name: String) {
    let thread = Thread { [self] in
      vugen_name_thread(name)
      work()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  private func work() {
    while true {
      condition.lock()
      while jobs.isEmpty { condition.wait() }
      let job = jobs.removeFirst()
      condition.unlock()
      job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
  }
}

/// Isolates functions and types to the shared numeric thread.
@globalActor
public actor NumericActor {
  public static let shared = NumericActor()

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    NumericThread.shared.asUnownedSerialExecutor()
  }

  public static var sharedUnownedExecutor: UnownedSerialExecutor {
    NumericThread.shared.asUnownedSerialExecutor()
  }
}
