import Foundation

// Runs every command of the program over absurd options and spoilt inputs. What a round does depends on the seed and
// its number alone.

/// An option of this program, `--name VALUE`; empty ones count as not given.
func option(_ name: String) -> String? {
  let words = CommandLine.arguments
  guard let i = words.firstIndex(of: "--" + name), i + 1 < words.count, !words[i + 1].isEmpty else {
    return nil
  }
  return words[i + 1]
}

func say(_ text: String) {
  FileHandle.standardOutput.write(Data("\(text)\n".utf8))
}

let seed = option("seed").flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
let rounds = option("rounds").flatMap { Int($0) } ?? Int.max
let seconds = option("seconds").flatMap { Double($0) } ?? (rounds == .max ? 600 : 1e9)
let first = option("first").flatMap { Int($0) } ?? 0
let only = option("only")
/// After so many seconds a run is sent Ctrl-C.
let patience = option("patience").flatMap { Double($0) } ?? 12

/// Without what takes long to prepare: a run of its own kind of model.
let isQuick = CommandLine.arguments.contains("--quick")

do {
  var fuzz = try Fuzz(
    seed: seed, program: option("program"), folder: option("folder"), only: only, patience: patience,
    isQuick: isQuick)
  say("seed \(seed): \(fuzz.leaves.count) commands; each failure's files stay in \(fuzz.root)")
  let clock = ContinuousClock(), begun = clock.now
  var number = first
  while number - first < rounds, clock.now - begun < .seconds(seconds) {
    try fuzz.round(number)
    number += 1
  }
  fuzz.end(rounds: number - first)
  exit(fuzz.failures.isEmpty ? 0 : 1)
} catch {
  say("fuzz: \(error)")
  exit(2)
}
