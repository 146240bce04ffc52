import Files
import Foundation
import Pictures

/// Ctrl-C, and where it is asked for another signal, asks running work to end at its next step.
enum Interruption {
  private nonisolated(unsafe) static var received: sig_atomic_t = 0
  /// Wakes whoever waits for a signal; a handler may ring it.
  private nonisolated(unsafe) static var bell: UnsafeMutablePointer<sem_t>?

  /// When it came, in seconds of a clock that only runs.
  private nonisolated(unsafe) static var time = 0.0

  private static func take(_ number: Int32) {
    if received == 0 { time = now() }
    received = number
    if let bell { sem_post(bell) }
  }

  /// Waits for a signal that is watched, or for `seconds`.
  static func wait(seconds: Int) {
    guard let bell else { return }
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    end.tv_sec += seconds
    sem_timedwait(bell, &end)
  }

  /// - Parameters:
  ///   - endings: whether SIGTERM and SIGHUP ask for the same; else they end the program at once.
  ///   - cutsSteps: whether pictures that are decoded, and whoever is waited for, are left in the midst of a step.
  static func watch(endings: Bool = false, cutsSteps: Bool = true) {
    Patience.watch(isEnded: { cutsSteps && Interruption.isRequested }, tell: Interruption.tell)
    if cutsSteps { Picture.stopDecoding { Interruption.isRequested ? 1 : 0 } }
    if bell == nil {
      let new = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
      sem_init(new, 0, 0)
      bell = new
    }
    for number in endings ? [SIGINT, SIGTERM, SIGHUP] : [SIGINT] {
      Signals.take(number) { Interruption.take($0) }
    }
  }

  /// For work that a signal ends at once, as nothing else asks it: what is waited for is told all the same.
  static func leave() { Patience.watch(isEnded: { false }, tell: Interruption.tell) }

  private static func tell(_ line: String) {
    if isatty(STDERR_FILENO) == 1 { note(line) }
  }

  /// Lets the signals in that end the program: a parent that starts it from a thread which blocks them, as those of
  /// dispatch queues do, has handed that on.
  static func unblock() {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  static var isRequested: Bool { received != 0 }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  /// Seconds until a launcher that asks for the end kills: what was set for mpirun of Open MPI 4, or its default; that of 5
  /// gives a quarter of a second, whatever is set; Slurm gives half a minute.
  private static let grace: Double = {
    let environment = ProcessInfo.processInfo.environment
    if environment["PRTE_LAUNCHED"] != nil { return 0.25 }
    let given = environment["OMPI_MCA_odls_base_sigkill_timeout"].flatMap(Double.init)
    return given ?? (environment["OMPI_COMM_WORLD_SIZE"] == nil ? 30 : 1)
  }()

  /// Whether the end was asked for so long ago that whoever asked will soon not wait any more.
  static var isOverdue: Bool { isRequested && now() - time > 0.5 * grace }

  /// Throws `CancellationError` where a signal has asked for the end: what long work calls between two steps.
  static func check() throws { if isRequested { throw CancellationError() } }

  /// With what the program ends then: 128 and the signal's number.
  static var status: Int32 { 128 + (received == 0 ? SIGINT : received) }
}
