import Foundation
import ModelFiles
import Tensors
import TestSupport
import Testing

/// Tokenizers that were cut, overwritten, or edited by hand.
@Suite struct DamagedTokenizerTests {
  private static let texts = ["", "a bat, an attic\r\n 1234", "ünï🍎<|eot_id|>\u{0}\u{301}"]

  /// An error in one line, or a tokenizer whose tokens are those of its vocabulary.
  private func check(_ path: String) -> Bool {
    do {
      let tokenizer = try Tokenizer(folder: path)
      for text in Self.texts {
        let tokens = tokenizer.encodeTrusted(text)
        #expect(tokens.allSatisfy { 0..<tokenizer.vocabularySize ~= Int($0) })
        _ = tokenizer.decode(tokens, includingSpecial: true)
      }
      return true
    } catch {
      #expect(error is ModelFileError && !"\(error)".contains("\n"), "\(error)")
      return false
    }
  }

  private func survives(_ whole: [UInt8], as name: String, seed: UInt64, rounds: Int) throws {
    let folder = try temporaryFolder(), url = URL(fileURLWithPath: "\(folder)/\(name)")
    try Data(whole).write(to: url)
    #expect(check(folder))
    var random = Philox(seed: seed), failures = 0
    for _ in 0..<rounds {
      try Data(damagedText(whole, &random)).write(to: url)
      if !check(folder) { failures += 1 }
    }
    #expect(failures > rounds / 4)
  }

  /// VUGEN_FUZZ sets the number of files.
  @Test func survivesDamageOfJSON() throws {
    var tokens = (0..<256).map { [UInt8($0)] }
    tokens += ["at", "bat", "an", " an", "att"].map { Array($0.utf8) }
    func id(_ text: String) -> Int { tokens.firstIndex(of: Array(text.utf8)) ?? 0 }
    let merges = [("a", "t"), ("b", "at"), ("a", "n"), (" ", "an"), ("at", "t")].map { (id($0), id($1)) }
    let json = try TokenizerFile.json(
      tokens: tokens, merges: merges, specialTokens: ["<|begin_of_text|>", "<|eot_id|>"], firstSpecial: 300)
    try survives([UInt8](json), as: "tokenizer.json", seed: 31, rounds: damageRounds(400, share: 20))
  }

  @Test func survivesDamageOfRanks() throws {
    let tokens = (0..<256).map { [UInt8($0)] } + ["at", "bat", "an"].map { Array($0.utf8) }
    let lines = tokens.enumerated().map { "\(Data($1).base64EncodedString()) \($0)\n" }
    try survives(
      Array(lines.joined().utf8), as: "tokenizer.model", seed: 32, rounds: damageRounds(400, share: 20))
  }

  /// An id says nothing of how large a vocabulary is: a small file with a large one asks for no memory.
  @Test func largeIDsInSmallFilesAreRefused() throws {
    let folder = try temporaryFolder()
    let text = #"{"model":{"vocab":{"a":0,"b":9999999},"merges":[]}}"#
    try text.write(toFile: folder + "/tokenizer.json", atomically: true, encoding: .utf8)
    let error = #expect(throws: ModelFileError.self) { try Tokenizer(folder: folder) }
    #expect(error?.description.contains("out of range") == true)
  }
}
