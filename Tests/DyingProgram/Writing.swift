import Files
import Foundation

/// Dies of a signal while a hundred files and folders are being written, and others are begun and ended all the time.
func dieWriting(in folder: String) -> Never {
  // Whoever starts it from a thread of a dispatch queue has blocked all signals and handed that on.
  var all = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_UNBLOCK, &all, nil)
  var kept: [PartialOutput] = []
  for i in 0..<100 {
    let path = "\(folder)/\(i).partial"
    kept.append(PartialOutput(path))
    if i % 2 == 0 { try? FileName.makeFolder(path) }
    _ = FileManager.default.createFile(atPath: i % 2 == 0 ? path + "/a" : path, contents: Data("x".utf8))
  }
  for i in 0..<4 {
    Thread.detachNewThread { while true { PartialOutput("\(folder)/more-\(i).partial").forget() } }
  }
  usleep(20_000)
  kill(getpid(), SIGTERM)
  while true { withExtendedLifetime(kept) { _ = sleep(1) } }
}
