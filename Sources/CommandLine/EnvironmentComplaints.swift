import ArgumentParser
import CStart
import Studio

/// What of the environment is not obeyed, and what is done instead.
enum EnvironmentComplaints {
  /// A line each, behind a command's work; `doctor` has them in its report.
  static func tell(behind command: any ParsableCommand.Type) {
    if command != Doctor.self { for line in DoctorReport.surroundings { note(line) } }
  }

  /// What `OMP_NUM_THREADS` said when the program started, where that is no number of threads; nil where it is, or said
  /// nothing. The variable itself is gone by then: OpenMP's own runtime would complain of it, too.
  static var refusedThreads: String? { vugen_refused_threads().map { String(cString: $0) } }
}
