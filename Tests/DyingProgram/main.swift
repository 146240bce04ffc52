// Takes the terminal and dies in the way that it is told to. For the tests alone.
import Foundation
import Frames
import Tensors
import Terminal

@inline(never) func sink(_ depth: Int, _ limit: Int) -> Int {
  depth == limit ? 0 : sink(depth &+ 1, limit) &* 3 &+ depth
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "partial" {
  dieWriting(in: CommandLine.arguments[2])
}

let cache = EncodedPictureCache(load: { _ in nil }, onReady: {})
let screen = Screen(graphics: .blocks, usesColours: true, cache: cache)
Screen.setLastWords("the session is safe in LOG")
try screen.start(environment: ProcessInfo.processInfo.environment)
var frame = Frame(Size(60, 12), style: Theme.builtIn.text)
frame.put("taken", 3, 3, Theme.builtIn.text)
screen.draw(frame, theme: .builtIn)
let count = CommandLine.arguments.count
switch CommandLine.arguments.last {
case "index": print([1, 2][count])
case "sum": print(Int.max - 1 + count)
case "pointer": print(UnsafePointer<Int>(bitPattern: 6 + count)?.pointee ?? 0)
case "abort": abort()
case "overflow": print(sink(0, -count))
case "overflow elsewhere":
  let thread = Thread {
    Screen.guardThread()
    print(sink(0, -count))
  }
  thread.start()
  sleep(60)
case "memory":
  MemoryPool.shared.whenExhausted {
    Screen.giveBack(saying: "ran \($0)")
    _exit(1)
  }
  // No machine has as much: a size that somebody asked for.
  print(Tensor.zeros([1 << 44, 1024]).count)
case "half a picture":
  FileHandle.standardOutput.write(Data("\u{1B}[?2026h\u{1B}7\u{1B}P0;1;0q\"1;1;80;48#0;2;0".utf8))
  abort()
case "lent":
  screen.suspend()
  abort()
default: break
}
