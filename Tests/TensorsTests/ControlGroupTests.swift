import Foundation
import TestSupport
import Tensors
import Testing

/// What containers leave of memory, as both versions of control groups say it.
@Suite struct ControlGroupTests {
  private let root: String

  init() throws { root = try temporaryFolder() }

  private func put(_ values: [String: String], _ folder: String) throws {
    let place = root + folder
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    for (name, text) in values {
      try text.write(toFile: "\(place)/\(name)", atomically: false, encoding: .utf8)
    }
  }

  @Test func theTightestGroupDecides() throws {
    try put(["memory.max": "max\n", "memory.current": "900\n"], "/a/b")
    try put(
      [
        "memory.max": "1000\n", "memory.current": "700\n",
        "memory.stat": "anon 5\nactive_file 9\ninactive_file 300\n",
      ], "/a")
    func room(_ membership: String) -> Int? { ControlGroups(membership: membership, root: root).roomBytes }
    #expect(room("0::/a/b\n") == 600)
    #expect(room("0::/../a\n") == 600)
    #expect(room("0::/\n") == nil && room("") == nil && room("nonsense") == nil)
    // A container's own group lies at the root, whatever path the machine has for it.
    try put(["memory.max": "500", "memory.current": "800"], "/")
    #expect(room("0::/docker/c0ffee\n") == 0)
    try put(
      [
        "memory.limit_in_bytes": "400", "memory.usage_in_bytes": "100",
        "memory.stat": "total_inactive_file 50",
      ],
      "/memory/x")
    #expect(room("7:cpu,memory:/x\n8:pids:/x\n") == 350)
  }

  @Test func moreThanThereIsIsRefused() throws {
    try SystemMemory.check(1 << 20, mapped: 1 << 20, for: "nothing")
    let error = #expect(throws: SystemMemory.Shortage.self) {
      try SystemMemory.check(1 << 50, for: "this model")
    }
    #expect(
      error?.description.hasPrefix("not enough memory: this model needs about 1125899907 MB more, and ")
        == true,
      "\(String(describing: error))")
  }
}
