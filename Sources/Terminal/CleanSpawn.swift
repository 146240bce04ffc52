import Glibc

/// How other programs are started: whatever this one ignores, catches or blocks is theirs to choose.
public enum CleanSpawn {
  /// Starts a program with default handlers of all signals and none of them blocked.
  ///
  /// - Parameters:
  ///   - arguments: its name, which is found as the shell finds it, and what follows it.
  ///   - hasOwnGroup: whether it gets a process group of its own, in which it is killed with all that it starts; in this
  ///     program's group it may read from the terminal.
  ///   - isSilent: whether its input and output lead nowhere.
  /// - Returns: the process; nil where it cannot be started.
  public static func start(_ arguments: [String], hasOwnGroup: Bool, isSilent: Bool) -> pid_t? {
    var attributes = posix_spawnattr_t(), actions = posix_spawn_file_actions_t()
    var all = sigset_t(), none = sigset_t(), child: pid_t = 0
    guard let name = arguments.first, posix_spawnattr_init(&attributes) == 0 else { return nil }
    defer { posix_spawnattr_destroy(&attributes) }
    guard posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { posix_spawn_file_actions_destroy(&actions) }
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    // POSIX_SPAWN_SETPGROUP, POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK.
    posix_spawnattr_setflags(&attributes, (hasOwnGroup ? 0x02 : 0) | 0x04 | 0x08)
    for descriptor in Int32(0)...2 where isSilent {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    var list = arguments.map { strdup($0) } + [nil]
    defer { list.forEach { free($0) } }
    return posix_spawnp(&child, name, &actions, &attributes, &list, environ) == 0 ? child : nil
  }
}
