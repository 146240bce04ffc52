import Foundation
import Synchronization

/// A file or folder that is being written under a temporary name, or a folder that was put aside for another. Where a
/// signal ends the program, the one is removed and the other comes back.
public final class PartialOutput: Sendable {
  /// What a signal leaves to be done.
  private enum Care {
    case removal(String)
    /// A folder that was made for something to come.
    case removalIfEmpty(String)
    /// A file that keeps a name for one to come.
    case removalIfNothingInIt(String)
    case comeback(Comeback)
  }

  /// A folder that was put aside.
  private struct Comeback {
    let place, old: String
    /// What was begun in its place gets this name.
    let begun: String
    /// What this process has begun there.
    var own: FolderClaim.Identity?

    /// A folder in its place which this process has not begun, and which is not empty, stays.
    func run() {
      guard FileName.exists(old) else { return }
      if own != nil, own == FolderClaim.Identity(place) {
        _ = FileName.rename(place, begun)
      } else {
        FileName.withPath(place) { _ = rmdir($0) }
      }
      if FileName.rename(old, place) { FileName.remove(begun) }
    }
  }

  private struct State {
    var cares: [Int: Care] = [:]
    var last = 0
    var watchesSignals = false
    /// What is said in the end, of a signal that is no crash.
    var lastWords: (@Sendable (_ number: Int32) -> Void)?

    mutating func watch() {
      guard !watchesSignals else { return }
      watchesSignals = true
      PartialOutput.watchSignals()
    }

    mutating func begin(_ care: Care) -> Int {
      watch()
      last += 1
      cares[last] = care
      return last
    }

    /// The last first: what is being made goes before the place for it.
    func run() {
      for (_, care) in cares.sorted(by: { $0.key > $1.key }) { Self.run(care) }
    }

    static func run(_ care: Care) {
      switch care {
      case .removal(let path): FileName.remove(path)
      case .removalIfEmpty(let path): FileName.withPath(path) { _ = rmdir($0) }
      case .removalIfNothingInIt(let path):
        if FileName.status(path)?.st_size == 0 { FileName.withPath(path) { _ = unlink($0) } }
      case .comeback(let comeback): comeback.run()
      }
    }
  }

  private static let state = Mutex(State())
  private let id: Int

  /// A file or folder that is being written.
  public convenience init(_ path: String) { self.init(.removal(Self.absolute(path))) }

  /// A folder that was put aside as `old`; what is begun in its place gets the name `begun`.
  convenience init(comebackOf place: String, from old: String, begun: String) {
    self.init(.comeback(Comeback(place: place, old: old, begun: begun)))
  }

  private init(_ care: Care) { id = Self.state.withLock { $0.begin(care) } }

  /// Makes what the care is for, where `making` can: no signal ends the program between the one and the other.
  private init?(_ care: Care, making: () throws -> Bool) rethrows {
    let id = try Self.state.withLock { state in
      state.watch()
      return try making() ? state.begin(care) : nil
    }
    guard let id else { return nil }
    self.id = id
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
  }

  /// Makes a folder for files, and those above it; those of them that are empty when the program ends, whatever ends it,
  /// are gone again. Throws `FileAccessError`.
  ///
  /// - Returns: the care for the folder itself; nil where it was there.
  @discardableResult
  public static func makeFolder(_ path: String) throws -> PartialOutput? {
    if FileName.isFolder(path) { return nil }
    let upper = FileName.parent(of: path)
    if !upper.isEmpty, upper != path { try makeFolder(upper) }
    return try PartialOutput(.removalIfEmpty(absolute(path))) { try FileName.makeOneFolder(path) }
  }

  /// Makes an empty file to keep a name for one to come; it goes if it is still empty.
  ///
  /// - Returns: its descriptor, for reading and writing; nil where something has this name, or it cannot be made.
  static func makeFile(_ path: String) -> (descriptor: Int32, care: PartialOutput)? {
    makeFile(path, .removalIfNothingInIt(absolute(path)))
  }

  private static func makeFile(_ path: String, _ care: Care) -> (descriptor: Int32, care: PartialOutput)? {
    var descriptor: Int32 = -1
    let care = PartialOutput(care) {
      descriptor = FileName.open(path, O_RDWR | O_CREAT | O_EXCL, 0o644)
      return descriptor >= 0
    }
    return care.map { (descriptor, $0) }
  }

  /// Makes an empty file that belongs to another output, and goes with whatever is in it unless that is written: until
  /// `forget`.
  ///
  /// - Returns: nil where something has this name, or it cannot be made.
  public static func makePart(_ path: String) -> PartialOutput? {
    guard let (descriptor, care) = makeFile(path, .removal(absolute(path))) else { return nil }
    close(descriptor)
    return care
  }

  /// Does now what a signal would have done.
  func undo() {
    Self.state.withLock { state in
      if let care = state.cares.removeValue(forKey: id) { State.run(care) }
    }
  }

  /// It is renamed or removed.
  public func forget() { Self.state.withLock { $0.cares[id] = nil } }

  /// What this process has begun in the place of the folder that is to come back: nothing else is moved out of its way.
  func hasBegun(_ folder: FolderClaim.Identity) {
    Self.state.withLock { state in
      guard case .comeback(var comeback) = state.cares[id] else { return }
      comeback.own = folder
      state.cares[id] = .comeback(comeback)
    }
  }

  /// Takes care of all, where the program ends at once.
  public static func removeAll() { state.withLock { $0.run() } }

  /// Where a signal that nobody takes ends the program, but for a crash, `say` is called behind the care, on a thread of its
  /// own, and may not wait for the rest of the program.
  public static func beforeEnding(_ say: @escaping @Sendable (_ number: Int32) -> Void) {
    state.withLock { state in
      state.lastWords = say
      state.watch()
    }
  }

  // MARK: Signals

  /// The end of a pipe at which a thread waits: all that a signal handler may know of this.
  private nonisolated(unsafe) static var wakeDescriptor: Int32 = -1
  /// What a crash raises. Others may have handlers for it, which come behind the care.
  private static let crashes = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS]
  private nonisolated(unsafe) static let before: UnsafeMutablePointer<sigaction> = {
    let before = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
    before.initialize(repeating: sigaction(), count: 65)
    return before
  }()
  private static let isDone = Atomic(false)

  /// Signals that nobody takes end the program as they would have, behind the care: all that can be caught and do not
  /// leave it alone. Handlers do no more than write their number into a pipe; the rest is a thread's.
  private static func watchSignals() {
    // The end for want of memory comes from anywhere.
    atexit { PartialOutput.removeAll() }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    wakeDescriptor = ends[1]
    let reader = ends[0]
    Thread.detachNewThread { waitForSignal(reader) }
    let harmless = [SIGKILL, SIGSTOP, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD, SIGURG, SIGWINCH]
    for number in Int32(1)...64 where !harmless.contains(number) {
      var old = sigaction()
      guard sigaction(number, nil, &old) == 0 else { continue }
      let handler = unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self)
      let isCrash = crashes.contains(number)
      guard handler == 0 || handler != 1 && isCrash else { continue }
      before[Int(number)] = old
      var care = sigaction()
      care.sa_flags = SA_RESTART | SA_ONSTACK
      if isCrash {
        care.__sigaction_handler.sa_handler = { PartialOutput.crash($0) }
      } else {
        care.__sigaction_handler.sa_handler = { PartialOutput.wake($0) }
      }
      sigaction(number, &care, nil)
    }
  }

  private static func wake(_ number: Int32) {
    let before = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(wakeDescriptor, &byte, 1)
    errno = before
  }

  /// The thread that crashed cannot go on: it waits until what is to be done is done, or cannot be, as it may hold a lock
  /// that this needs; then it dies of what hit it.
  private static func crash(_ number: Int32) {
    wake(number)
    var rounds = 0
    while !isDone.load(ordering: .acquiring), rounds < 1000 {
      poll(nil, 0, 10)
      rounds += 1
    }
    sigaction(number, before + Int(number), nil)
    unblock(number)
    raise(number)
    // Swift's own handler tells of the crash and comes back: what another process sent would then be survived.
    signal(number, SIG_DFL)
    raise(number)
  }

  /// A signal waits while its own handler runs.
  private static func unblock(_ number: Int32) {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Nothing is begun or ended from the care to the end.
  private static func waitForSignal(_ descriptor: Int32) {
    var byte: UInt8 = 0
    while true {
      let count = read(descriptor, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      let number = Int32(byte)
      state.withLock { state in
        state.run()
        isDone.store(true, ordering: .releasing)
        // The thread that crashed ends the program in a moment; meanwhile the others get no further than this lock. Not for
        // ever: whoever tells of the crash may need what a thread that waits here has.
        guard !crashes.contains(number) else {
          for _ in 0..<100 { poll(nil, 0, 100) }
          return
        }
        state.lastWords?(number)
        signal(number, SIG_DFL)
        unblock(number)
        raise(number)
      }
    }
  }
}
