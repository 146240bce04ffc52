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
    guard let name = arguments.first, let child = start(name, arguments) else { return nil }
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

  private static func start(_ name: String, _ arguments: [String]) -> pid_t? {
    var attributes = posix_spawnattr_t(), actions = posix_spawn_file_actions_t()
    var all = sigset_t(), none = sigset_t()
    guard posix_spawnattr_init(&attributes) == 0 else { return nil }
    defer { posix_spawnattr_destroy(&attributes) }
    guard posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { posix_spawn_file_actions_destroy(&actions) }
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    // POSIX_SPAWN_SETPGROUP, POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK.
    posix_spawnattr_setflags(&attributes, 0x02 | 0x04 | 0x08)
    for descriptor in Int32(0)...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    var list = arguments.map { strdup($0) } + [nil]
    defer { list.forEach { free($0) } }
    var child: pid_t = 0
    return posix_spawnp(&child, name, &actions, &attributes, &list, environ) == 0 ? child : nil
  }
}
