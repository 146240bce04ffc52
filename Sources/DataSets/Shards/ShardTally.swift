import Pictures

/// What shards hold, counted as training reads them, pictures included.
public struct ShardTally: Sendable {
  /// Samples that can be used.
  public private(set) var samples = 0
  /// Those of them that are composed scenes, of which it is known what is in them.
  public private(set) var scenes = 0
  /// Those whose record is a scene's and cannot be used: a number that is none, a place outside the picture.
  public private(set) var damagedRecords = 0
  /// Of composed scenes: how many of each split and kind.
  public private(set) var splits: [String: Int] = [:], kinds: [String: Int] = [:]
  /// Of composed scenes: questions of each task, and scenes that show a class.
  public private(set) var tasks: [String: Int] = [:], names: [String: Int] = [:]
  /// Samples that training would skip, by what is wrong with them.
  public private(set) var skipped: [String: Int] = [:]
  /// The first of them, a line each.
  public private(set) var skippedSamples: [String] = []
  /// Some pictures with their captions, of each shard as many, as small as a contact sheet shows them.
  public private(set) var pictures: [(picture: Picture, caption: String)] = []

  /// All of them.
  public var skippedCount: Int { skipped.values.reduce(0, +) }

  /// Reads everything. Throws `DataSetError` where a shard cannot be read any more.
  ///
  /// - Parameters:
  ///   - most: pictures to keep.
  ///   - progress: called with the samples that are read.
  public init(of index: ShardIndex, pictures most: Int, progress: (_ done: Int) -> Void = { _ in }) throws {
    for i in 0..<index.skippedCount { add(index.skipped(i)) }
    let wanted = (most + index.files.count - 1) / max(1, index.files.count)
    var shown: [Int: Int] = [:]
    try index.readAll { i, result in
      switch result {
      case .success(let read):
        add(read.sample)
        let file = index.file(of: i)
        if shown[file, default: 0] < wanted, pictures.count < most {
          shown[file, default: 0] += 1
          pictures.append((ContactSheet().thumbnail(read.picture), read.sample.caption))
        }
      case .failure(let skipped): add(skipped)
      }
      progress(i + 1)
    }
  }

  private mutating func add(_ sample: Sample) {
    samples += 1
    guard let scene = sample.scene else {
      if sample.isRecordOfScene { damagedRecords += 1 }
      return
    }
    scenes += 1
    splits[scene.split.rawValue, default: 0] += 1
    kinds[scene.kind.rawValue, default: 0] += 1
    for question in scene.questions { tasks[question.task.rawValue, default: 0] += 1 }
    for name in Set(scene.objects.map(\.name)) { names[name, default: 0] += 1 }
  }

  private mutating func add(_ sample: SkippedSample) {
    skipped[sample.kind.rawValue, default: 0] += 1
    if skippedSamples.count < 5 { skippedSamples.append("\(sample)") }
  }
}
