import Glibc

/// A program that says nothing and is not waited for longer than a person waits for a terminal.
///
/// It has no terminal's input, a process group of its own, which goes with it, and no blocked signals.
enum QuietProgram {
  /// Runs a program that is found as the shell finds it.
  ///
  /// - Parameter seconds: after these it is killed.
  /// - Returns: the status as `wait` tells it; nil where it cannot be started or took too long.
  static func run(_ arguments: [String], seconds: Double) -> Int32? {
    guard let child = CleanSpawn.start(arguments, hasOwnGroup: true, isSilent: true) else { return nil }
    let clock = ContinuousClock(), end = clock.now + .seconds(seconds)
    var status: Int32 = 0, pause = Duration.milliseconds(1)
    while clock.now < end {
      switch waitpid(child, &status, WNOHANG) {
      case child: return status
      case -1 where errno != EINTR: return nil
      default: break
      }
      usleep(UInt32(pause / .microseconds(1)))
      pause = min(pause * 2, .milliseconds(16))
    }
    kill(-child, SIGKILL)
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return nil
  }
}
