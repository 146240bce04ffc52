import Foundation

/// What the threads of a pull share: which files are left, how far they are, and what is to be told.
final class HubProgress: @unchecked Sendable {
  private let condition = NSCondition()
  private var queue: [HubFile] = []
  private var ended = 0
  private var events: [HubEvent] = []
  private var firstError: (any Error)?
  private var bytes = 0, allBytes = 0, files = 0, allFiles = 0, fetchedBytes = 0

  private func locked<T>(_ body: () -> T) -> T {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  var error: (any Error)? { locked { firstError } }
  var hasFailed: Bool { locked { firstError != nil } }
  /// Bytes of the files that had to be fetched.
  var fetched: Int { locked { fetchedBytes } }
  var event: HubEvent { locked { .progress(bytes: bytes, of: allBytes, files: files, ofFiles: allFiles) } }

  /// More files to fetch, by as many threads as then come.
  func expect(_ files: [HubFile]) {
    locked {
      queue = files
      ended = 0
      allFiles += files.count
      allBytes += files.reduce(0) { $0 + $1.size }
    }
  }

  func next() -> HubFile? {
    locked { firstError != nil || queue.isEmpty ? nil : queue.removeFirst() }
  }

  func advance(_ file: HubFile, by count: Int) { locked { bytes += count } }

  func finish(_ file: HubFile, isNew: Bool) {
    locked {
      files += 1
      if isNew {
        fetchedBytes += file.size
        events.append(.finished(path: file.path, bytes: file.size))
      } else {
        bytes += file.size
      }
    }
  }

  func add(_ event: HubEvent) { locked { events.append(event) } }

  func takeEvents() -> [HubEvent] {
    locked {
      defer { events = [] }
      return events
    }
  }

  /// The first error is the one that counts; the others follow from it.
  func fail(_ error: any Error) { locked { firstError = firstError ?? error } }

  /// A thread is at its end.
  func end() {
    locked {
      ended += 1
      condition.signal()
    }
  }

  /// Waits a moment, or until all threads are at their end; then it returns false.
  func wait(for threads: Int) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    if ended < threads { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1)) }
    return ended < threads
  }
}
