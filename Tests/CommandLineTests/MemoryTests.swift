import TestSupport
import Testing

/// Little memory: one line and a status of failure, or the work done; no crash, and no waiting without an end.
@FirstCommands
struct MemoryTests {
  @Test func littleMemoryIsOneLine() throws {
    let shell = try Shell()
    try shell.writePictures("a.png")
    var refusals = 0
    for limit in stride(from: 300_000, through: 560_000, by: 20_000) {
      for (number, command) in [
        "caption a.png --max-tokens 2", "imagine x --steps 1 -o o.png --overwrite", "reconstruct a.png",
      ]
      .enumerated() {
        // Each limit with one of them, and the lowest with all.
        guard limit == 300_000 || limit / 20_000 % 3 == number else { continue }
        let found = try shell.run("ulimit -c 0; ulimit -v \(limit); timeout -s KILL 60 \"$P\" \(command)")
        let isRefusal =
          found.status == 1 && found.error.hasPrefix("vugen: not enough memory: ")
          && found.error.contains(" MB may be used here") && found.error.split(separator: "\n").count == 1
        // What was foreseen is an estimate: near it the pool may find that there is no more, and says so as well.
        let isNoticed =
          found.status == 1 && found.error.hasPrefix("vugen: out of memory: ")
          && found.error.split(separator: "\n").count == 1
        #expect(
          isRefusal || isNoticed || found.status == 0 && found.error.isEmpty, "\(limit) \(command): \(found)")
        if isRefusal { refusals += 1 }
      }
    }
    #expect(refusals > 3)
    let data = try shell.run("ulimit -d 100000; timeout -s KILL 60 \"$P\" ask hi --max-tokens 2")
    #expect(data.status == 1 && data.error.contains("ulimit -d"), "\(data)")
    let told = try shell.run("ulimit -v 380000; OMP_NUM_THREADS=1 timeout -s KILL 60 \"$P\" imagine x --json")
    #expect(told.status == 1 && told.out.hasPrefix("{\"error\":\"not enough memory: "), "\(told)")
    let enough = try shell.run(
      "ulimit -v 700000; OMP_NUM_THREADS=1 timeout -s KILL 60 \"$P\" imagine x --steps 1 -o o.png --overwrite"
    )
    #expect(enough.status == 0 && enough.error.isEmpty, "\(enough)")
  }
}
