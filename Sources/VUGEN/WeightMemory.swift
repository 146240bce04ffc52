import Files
import ModelFiles
import Tensors

/// What a folder's weights take of memory, from the sizes of its files.
enum WeightMemory {
  /// What a small answer or drawing takes beside the weights.
  private static let answering = 24 << 20, drawing = 64 << 20
  /// What libraries and the program's own pages take before a model is read.
  private static let program = 20 << 20
  /// Addresses of the threads that are still to begin.
  private static var stacks: Int { (Int(Threads.count) + 3) << 23 }
  /// The language model is read as it lies in its files where memory is short, but for so much.
  private static let copied = 256 << 20

  /// Throws `SystemMemory.Shortage` where there is no room for the half that reads.
  static func check(_ folder: String) throws {
    let bytes = bytes(reading: folder)
    try SystemMemory.check(min(bytes, copied) + answering, mapped: bytes + stacks, for: "this model")
  }

  /// The same of the half that draws: many of its weights stand in a second order, and they are widened to f32 before
  /// unless the precision is bf16.
  static func check(drawing folder: String, _ precision: Precision) throws {
    let bytes = bytes(drawing: folder), share = precision == .bf16 ? 1 : 3
    try SystemMemory.check(share * bytes + drawing, mapped: bytes, for: "drawing by this model")
  }

  /// What the program holds at its peak where it reads, and draws: what it began with, the mapped weights and what is
  /// checked above.
  static func peak(of folder: String, drawing draws: Bool) -> Int {
    let reading = bytes(reading: folder), more = bytes(drawing: folder)
    return program + reading + min(reading, copied) + (draws ? 3 * more + drawing : answering)
  }

  private static func bytes(reading folder: String) -> Int {
    let names = (try? FileName.names(in: folder)) ?? []
    return size(of: names.filter { $0.hasPrefix("model") && $0.hasSuffix(".safetensors") }, in: folder)
  }

  private static func bytes(drawing folder: String) -> Int {
    size(
      of: [
        GenerationFiles.reducer, GenerationFiles.decoder, GenerationFiles.oneStepDecoder,
        GenerationFiles.generator,
      ], in: folder)
  }

  private static func size(of names: [String], in folder: String) -> Int {
    names.reduce(0) { $0 + Int(FileName.status("\(folder)/\($1)")?.st_size ?? 0) }
  }
}
