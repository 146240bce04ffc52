import Foundation
import Synchronization

/// What comes before a run's first step: reading data and models, latents, statistics.
///
/// What of it is worth saving, latents, is on the disk already, so that an interruption ends the program at once, whatever
/// it is at; and what goes on is told every second.
public final class Preparation: Sendable {
  /// What surrounds the work: whoever waits for it, and how the program ends.
  public struct Surroundings: Sendable {
    /// Waits for an interruption, or a second.
    public var wait: @Sendable () -> Void
    /// Whether somebody asked the program to end.
    public var isInterrupted: @Sendable () -> Bool
    /// Shows what is being done for so many seconds; nil for nothing any more.
    public var show: @Sendable (_ phase: String?, _ seconds: Double) -> Void
    /// Ends the program: other threads are in the midst of their work.
    public var leave: @Sendable () -> Void

    /// Each argument is the property of its name.
    public init(
      wait: @escaping @Sendable () -> Void, isInterrupted: @escaping @Sendable () -> Bool,
      show: @escaping @Sendable (_ phase: String?, _ seconds: Double) -> Void,
      leave: @escaping @Sendable () -> Void
    ) {
      (self.wait, self.isInterrupted, self.show, self.leave) = (wait, isInterrupted, show, leave)
    }
  }

  private struct State {
    var phase: String? = "reading data and model"
    var isOver = false
    var onFailure: (@Sendable () -> Void)?
    var onSuccess: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>
  private let surroundings: Surroundings

  /// - Parameters:
  ///   - onFailure: called where the first step is not reached.
  ///   - onSuccess: called once it is done.
  public init(
    _ surroundings: Surroundings, onFailure: (@Sendable () -> Void)? = nil,
    onSuccess: (@Sendable () -> Void)? = nil
  ) {
    self.surroundings = surroundings
    state = Mutex(State(onFailure: onFailure, onSuccess: onSuccess))
    let thread = Thread { [self] in watch() }
    thread.start()
  }

  /// What is being done now; nil for nothing that need be told.
  public func tell(_ phase: String?) {
    state.withLock {
      if phase == nil, $0.phase != nil { surroundings.show(nil, 0) }
      $0.phase = phase
    }
  }

  /// The first step is done: from here on a signal is obeyed at the next step, which saves.
  public func end() { close(\.onSuccess) }

  /// The first step will not be done; behind it nothing happens.
  public func giveUp() { close(\.onFailure) }

  /// What gives up where it fails.
  public func attempt<T>(_ work: () throws -> T) throws -> T {
    do { return try work() } catch {
      giveUp()
      // What a signal has ended is no failure: the same line is said, whoever sees the signal first.
      if surroundings.isInterrupted() { surroundings.leave() }
      throw error
    }
  }

  private func close(_ what: KeyPath<State, (@Sendable () -> Void)?>) {
    tell(nil)
    state.withLock { state in
      guard !state.isOver else { return }
      state.isOver = true
      state[keyPath: what]?()
    }
  }

  private func watch() {
    let clock = ContinuousClock(), start = clock.now
    while true {
      surroundings.wait()
      let isOver = state.withLock { state in
        guard !state.isOver else { return true }
        if surroundings.isInterrupted() {
          surroundings.show(nil, 0)
          state.onFailure?()
          surroundings.leave()
          state.isOver = true
          return true
        }
        if let phase = state.phase { surroundings.show(phase, (clock.now - start) / .seconds(1)) }
        return false
      }
      if isOver { return }
    }
  }
}
