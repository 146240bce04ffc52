// Writes entries to a session until it is killed, and says each one that is safe. For the tests alone.
import Foundation
import SessionLog

let arguments = CommandLine.arguments
guard arguments.count == 3 else { exit(2) }
let file = try SessionFile(SessionStore(folder: arguments[1]), id: arguments[2])
var number = 0
while true {
  number += 1
  let text = "entry \(number) " + String(repeating: "x", count: number * 37 % 900)
  guard file.append(SessionEntry(time: Double(number), event: .note(text))) else { exit(1) }
  FileHandle.standardOutput.write(Data("\(number)\n".utf8))
}
