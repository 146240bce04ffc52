import Files
import Foundation
import Synchronization
import Training

/// What comes before a run's first step: reading data and models, latents, statistics.
///
/// What of it is worth saving, latents, is on the disk already, so that SIGINT, SIGTERM and SIGHUP end the program at once, whatever it is at; and what
/// goes on is told, on a terminal every second and elsewhere every half minute.
final class Preparation: Sendable {
  private struct State {
    var phase: String? = "reading data and model"
    var isOver = false
    var onFailure: (@Sendable () -> Void)?
    var onSuccess: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - onFailure: called where the first step is not reached.
  ///   - onSuccess: called once it is done.
  init(onFailure: (@Sendable () -> Void)? = nil, onSuccess: (@Sendable () -> Void)? = nil) {
    state = Mutex(State(onFailure: onFailure, onSuccess: onSuccess))
    let thread = Thread { [self] in watch() }
    thread.start()
  }

  /// What is being done now; nil for nothing that need be told.
  func tell(_ phase: String?) {
    state.withLock {
      if phase == nil, $0.phase != nil { ProgressLine.end() }
      $0.phase = phase
    }
  }

  /// The first step is done: from here on a signal is obeyed at the next step, which saves.
  func end() { close(\.onSuccess) }

  /// The first step will not be done; behind it nothing happens.
  func giveUp() { close(\.onFailure) }

  /// What gives up where it fails.
  func attempt<T>(_ work: () throws -> T) throws -> T {
    do { return try work() } catch {
      giveUp()
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
    var pace = ProgressPace(from: 0)
    while true {
      Interruption.wait(seconds: 1)
      let time = seconds(clock.now - start)
      let isOver = state.withLock { state in
        if state.isOver { return true }
        if Interruption.isRequested { endProgram(state) }
        if let phase = state.phase {
          ProgressLine.show("\(phase), \(Int(time)) s")
          if !ProgressLine.isShown, pace.isDue(at: time) { note("\(phase), \(Int(time)) s") }
        }
        return false
      }
      if isOver { return }
    }
  }

  /// Other threads are in the midst of their work: the libraries' own ends must not run beside it.
  private func endProgram(_ state: State) -> Never {
    ProgressLine.end()
    state.onFailure?()
    PartialOutput.removeAll()
    _exit(Interruption.status)
  }
}
