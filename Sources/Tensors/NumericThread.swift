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

  /// What `OMP_NUM_THREADS` said where that is no number of threads; nil where it is, or said nothing. Set once, at start.
  public nonisolated(unsafe) static var refusedWish: String?

  /// How `OMP_NUM_THREADS` is not obeyed, in one line with what is used instead; nil where it is, or says nothing.
  public static var complaint: String? {
    let used = count, threads = "\(used) \(used == 1 ? "thread" : "threads")"
    if let refusedWish {
      return "OMP_NUM_THREADS='\(refusedWish)' is no number of threads, 1 or more; using \(threads)"
    }
    let wish = vugen_wished_threads()
    guard wish > used, used == 4 * physicalCores else { return nil }
    return "OMP_NUM_THREADS=\(wish) is more than four threads for each core; using \(threads)"
  }

  /// How threads wait for each other.
  public enum Waiting: Equatable, Sendable, CustomStringConvertible {
    /// Spinning for as long as nobody else wants the processor, then asleep.
    case adaptive
    /// Spinning, as OMP_WAIT_POLICY=active asks for.
    case active
    /// Asleep at once, as OMP_WAIT_POLICY=passive asks for.
    case passive
    /// So many turns of spinning, then asleep: GOMP_SPINCOUNT.
    case counted(Int64)

    public var description: String {
      switch self {
      case .adaptive: "waiting threads spin briefly, then sleep"
      case .active: "waiting threads spin (OMP_WAIT_POLICY or GOMP_SPINCOUNT)"
      case .passive: "waiting threads sleep (OMP_WAIT_POLICY)"
      case .counted(let spins): "waiting threads spin \(spins) turns, then sleep (GOMP_SPINCOUNT)"
      }
    }
  }

  /// Adaptive, unless the environment asked for something else when the program started.
  public static var waiting: Waiting {
    get {
      let policy = vugen_wait_policy()
      return switch policy.kind {
      case VG_WAIT_ACTIVE: .active
      case VG_WAIT_PASSIVE: .passive
      case VG_WAIT_COUNTED: .counted(policy.spins)
      default: .adaptive
      }
    }
    set {
      switch newValue {
      case .adaptive: vugen_set_wait_policy(vg_wait_policy(kind: VG_WAIT_ADAPTIVE, spins: 0))
      case .active: vugen_set_wait_policy(vg_wait_policy(kind: VG_WAIT_ACTIVE, spins: 0))
      case .passive: vugen_set_wait_policy(vg_wait_policy(kind: VG_WAIT_PASSIVE, spins: 0))
      case .counted(let spins): vugen_set_wait_policy(vg_wait_policy(kind: VG_WAIT_COUNTED, spins: spins))
      }
    }
  }

  /// Whether oneDNN runs on the same team as the kernels and waits as it does; false in a program that does not export
  /// the team (`Package.swift`): both then run on OpenMP's.
  public static var isOneTeam: Bool { vugen_team_serves_openmp() }
}

/// A thread of the core's own that runs numeric work, one job after the other.
///
/// Each thread that computes has a team of threads. Swift's cooperative pool would bring several, each with a team and
/// with primitives of its own, all on the same cores. Actors that
/// compute therefore name this as their executor:
///
///     actor Model {
///       nonisolated var unownedExecutor: UnownedSerialExecutor { NumericThread.shared.asUnownedSerialExecutor() }
///     }
public final class NumericThread: SerialExecutor, TaskExecutor, @unchecked Sendable {
  /// The thread for everything that has no reason for another one.
  public static let shared = NumericThread(name: "vugen.numeric")

  private let name: String
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  /// Starts the thread. It lives as long as the process, which ends with a line where the system gives none: everything
  /// would wait for it.
  public init(name: String) {
    self.name = name
    var thread = pthread_t(), attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 8 << 20)
    let own = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, &attributes,
      { own in
        if let own { Unmanaged<NumericThread>.fromOpaque(own).takeUnretainedValue().work() }
        return nil
      }, own.toOpaque())
    pthread_attr_destroy(&attributes)
    guard status != 0 else { return }
    let reason = String(cString: strerror(status))
    FileHandle.standardError.write(Data("vugen: no thread can be started: \(reason)\n".utf8))
    _exit(1)
  }

  /// Runs a job on this thread, after those that came before.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }

  /// This thread as an actor's executor.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  private func work() {
    vugen_name_thread(name)
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
  /// The actor of `@NumericActor`.
  public static let shared = NumericActor()

  /// The shared numeric thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    NumericThread.shared.asUnownedSerialExecutor()
  }

  /// The same, as the compiler asks for it.
  public static var sharedUnownedExecutor: UnownedSerialExecutor {
    NumericThread.shared.asUnownedSerialExecutor()
  }
}
