import DataSets
import Foundation
import Tensors

/// A person's samples, as a run's recipe names them: those that it learns from, and those that it is measured by.
package struct StoredData: Sendable {
  /// What the run learns from; nil for scenes, which are composed.
  package let training: ShardIndex?
  /// What it never learns from; nil where nothing is held out.
  package let validation: ShardIndex?

  /// What is to be known of a run's data before a model is loaded or a picture made: a folder of shards that is not
  /// there, or holds nothing to train on, is told at once, and so are missing packages. Scenes need none where a bank is
  /// `given`. Throws `DataSetError`.
  package init(_ data: some StoredPictureData, bankIsGiven given: Bool) throws {
    let source = HeldOut(data.validation)
    let reading = try data.reading()
    let named = try source.folder.map {
      try HeldOut.few(of: ShardIndex([SampleSource($0, isTraining: false)], reading))
    }
    guard !data.isComposed else {
      if !given { try PictureSources().check() }
      (training, validation, classNotes) = (nil, named, [])
      return
    }
    let sources = try data.places.map { try SampleSource($0) }
    var all = try ShardIndex(sources, reading)
    all.weights = data.weights
    _ = try SampleAccount(all, mostSkipped: data.maxSkipped, folder: nil)
    let parts = source.split(all)
    (training, validation) = (parts.training, named ?? parts.validation)
    classNotes = sources.compactMap(\.note)
  }

  private let classNotes: [String]

  /// What a person should know of it, a line each: folders that are taken for classes, how many samples are held out.
  var notes: [String] {
    classNotes
      + [
        validation.map {
          "\($0.count) samples are held out for validation (data.validation), \(training.map { "\($0.count)" } ?? "scenes") are trained on"
        }
      ].compactMap { $0 }
  }
}

/// What of a person's samples is held out.
package struct HeldOut: Sendable, Equatable {
  /// Share of the samples; 0 for none.
  package let share: Double
  /// Shards of their own in place of a share; nil for none.
  package let folder: String?

  /// Samples that are measured at most.
  private static let most = 1000
  /// Samples that a share comes to at least, where they are no more than a tenth of all.
  private static let least = 8

  /// - Parameter text: a recipe's `data.validation`: a share, or a folder of shards.
  package init(_ text: String) {
    let number = Double(text)
    (share, folder) = (number ?? 0, number == nil && !text.isEmpty ? text : nil)
  }

  /// How many of `all` samples.
  package func count(of all: Int) -> Int {
    guard share > 0 else { return 0 }
    let wanted = Int((share * Double(all)).rounded())
    return max(0, min(Self.most, max(wanted, Self.least), max(wanted, all / 10), all - 1))
  }

  /// The rest, and what is held out: the same samples for every stage and whatever a run's seeds are. A sample beside one
  /// of them that has the same picture is in neither. `validation` is nil where nothing is held out.
  package func split(_ index: ShardIndex) -> (training: ShardIndex, validation: ShardIndex?) {
    let count = count(of: index.count)
    guard count > 0 else { return (index, nil) }
    let chosen = Self.places(count, of: index.count)
    var out = Set(chosen)
    for place in chosen {
      for direction in [-1, 1] {
        var other = place + direction
        while (0..<index.count).contains(other), !out.contains(other), index.haveOnePicture(place, other) {
          out.insert(other)
          other += direction
        }
      }
    }
    // Pictures with more captions than that are all there is.
    guard out.count < index.count else { return (index, nil) }
    let rest = (0..<index.count).filter { !out.contains($0) }
    return (index.part(rest, isRest: true), index.part(chosen, isRest: false))
  }

  /// Some of the samples, where they are many.
  fileprivate static func few(of index: ShardIndex) -> ShardIndex {
    index.part(places(min(most, index.count), of: index.count), isRest: false)
  }

  private static func places(_ count: Int, of all: Int) -> [Int] {
    var random = Philox(seed: 0, .heldOut)
    let words = random.nextWords(), seed = UInt64(words[0]) << 32 | UInt64(words[1])
    return (0..<count).map { ExampleSource.shuffled($0, of: all, seed: seed, pass: 0) }.sorted()
  }
}
