import Foundation
import ModelFiles
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
    var cleanUp: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>

  /// - Parameter cleanUp: what is to be done before the program ends.
  init(cleanUp: (@Sendable () -> Void)? = nil) {
    state = Mutex(State(cleanUp: cleanUp))
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

  /// There is nothing to clean up any more.
  func keepWhatIsThere() { state.withLock { $0.cleanUp = nil } }

  /// From here on a signal is obeyed at the next step, which saves.
  func end() {
    tell(nil)
    state.withLock { $0.isOver = true }
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
    state.cleanUp?()
    PartialOutput.removeAll()
    _exit(Interruption.status)
  }
}
