import DataSets
import Foundation
import Pictures
import Tensors

/// Which part of a stored picture is trained on, all pictures being square.
public enum PictureCrop: String, Codable, Sendable, CaseIterable {
  /// The largest square, from the middle.
  case center
  /// A square of a random size and place.
  case random
  /// All of it, its proportions lost.
  case squash
}

extension PictureCrop: RecipeOption {}

/// What a recipe says of the pictures that it finds in shards.
public protocol StoredPictureData: Codable, Sendable {
  /// Folder of shards; empty for scenes.
  var shards: String { get set }
  /// Several sources in place of `shards`.
  var sources: [String] { get set }
  /// How often each source is drawn from, in proportion; empty where each sample is drawn as often.
  var weights: [Double] { get set }
  /// Ending of the member that is a sample's text; empty for the usual ones.
  var textKey: String { get set }
  /// Key of the caption in a `.json`; empty for a common one.
  var jsonKey: String { get set }
  /// File with the names of classes; empty for none.
  var classNames: String { get set }
  /// Caption of a class, in which `[CLS]` stands for its name.
  var template: String { get set }
  /// What is held out: a share, or a folder of shards.
  var validation: String { get set }
  /// Share of the samples in shards that may be damaged or lack something.
  var maxSkipped: Double { get set }
  /// Which part of a stored picture is trained on.
  var crop: PictureCrop { get set }
  /// Side of the smallest random square over the picture's shorter side.
  var cropFrom: Double { get set }
  /// Whether stored pictures are mirrored at random; scenes, and pictures of whose sides the caption speaks, are not.
  var flip: Bool { get set }
}

extension StoredPictureData {
  /// Where samples come from, by name; none for scenes.
  public var places: [String] { sources.isEmpty ? (shards.isEmpty ? [] : [shards]) : sources }
  /// Whether scenes are composed.
  public var isComposed: Bool { places.isEmpty }

  /// How samples are read. Throws `DataSetError`.
  func reading() throws -> SampleReading {
    SampleReading(
      textKey: textKey, jsonKey: jsonKey, classes: try ClassNames(file: classNames, template: template))
  }

  /// What of the data beside `shards` decides what samples say, as a part of a key; empty for what older runs had.
  var identity: String {
    var parts = sources
    if HeldOut(validation).share > 0, !isComposed { parts.append(validation) }
    let texts = [textKey, jsonKey, classNames]
    if texts.contains(where: { !$0.isEmpty }) { parts += texts + [template] }
    return parts.joined(separator: "|")
  }

  /// Throws `RecipeError` where what is said of sources does not go together.
  func checkSources() throws {
    guard shards.isEmpty || sources.isEmpty else {
      throw RecipeError("data.shards and data.sources are both given; name all of them under data.sources")
    }
    guard weights.isEmpty || weights.count == sources.count else {
      throw RecipeError(
        "data.weights has \(weights.count) numbers for \(sources.count) under data.sources; give one each, or none"
      )
    }
    guard weights.isEmpty || weights.contains(where: { $0 > 0 }) else {
      throw RecipeError("data.weights: one must be above 0")
    }
    guard template.contains(ClassNames.mark) else {
      throw RecipeError(
        "data.template = '\(template)' has no \(ClassNames.mark), which stands for a class's name")
    }
  }

  var framing: Framing { Framing(crop: crop, cropFrom: cropFrom, flip: flip) }
}

extension TrainingRecipe {
  /// What runs went by whose recipes say nothing of these: stored pictures were squashed, and never mirrored, and all of them
  /// were learnt from.
  public static var ofOlderRuns: Self { framedAsBefore() }

  static func framedAsBefore() -> Self {
    var recipe = Self()
    (recipe.data.crop, recipe.data.flip, recipe.data.validation) = (.squash, false, "0")
    return recipe
  }
}

/// How a stored picture becomes a square one. Composed scenes, and stored ones whose record says where things are, are
/// square and stay as they are: left and right mean something there.
package struct Framing: Sendable, Equatable {
  package var crop = PictureCrop.center
  /// Side of the smallest random square over the picture's shorter side.
  package var cropFrom = 0.5
  /// Whether every other picture, drawn at random, is mirrored left to right.
  package var flip = true
  /// Of what is drawn at random; `ExampleSource` gives it the data's.
  package var seed: UInt64 = 0

  package init(crop: PictureCrop = .center, cropFrom: Double = 0.5, flip: Bool = true, seed: UInt64 = 0) {
    (self.crop, self.cropFrom, self.flip, self.seed) = (crop, cropFrom, flip, seed)
  }

  /// The picture of an example, `[side, side]`.
  ///
  /// - Parameters:
  ///   - number: the example's.
  ///   - caption: what is said of it; where that speaks of left or right, the picture is not mirrored.
  package func framed(_ picture: Picture, side: Int, number: Int, caption: String) -> Picture {
    let draws = self.draws(number)
    let square = self.square(of: picture.width, picture.height, draws)
    let part =
      crop == .squash
      ? picture : picture.cropped(x: square.x, y: square.y, width: square.side, height: square.side)
    let result = part.resizedBicubic(width: side, height: side)
    return isMirrored(draws, caption) ? result.mirrored() : result
  }

  /// What `framed` does to an example, as a text that is the same where the result of the same picture is.
  func view(of number: Int, caption: String) -> String {
    let draws = self.draws(number)
    let square = crop == .random ? "\(cropFrom) \(draws[0]) \(draws[1]) \(draws[2])" : ""
    return "\(crop.rawValue) \(square)\(isMirrored(draws, caption) ? " mirrored" : "")"
  }

  /// Four numbers in 0…1.
  private func draws(_ number: Int) -> [Double] {
    var random = Philox(seed: seed, .framing(number))
    return random.integers(below: 1 << 24, count: 4).map { Double($0) / Double(1 << 24) }
  }

  private func isMirrored(_ draws: [Double], _ caption: String) -> Bool {
    flip && draws[3] < 0.5 && !Self.saysSides(caption)
  }

  /// - Parameter draws: three numbers in 0…1.
  package func square(of width: Int, _ height: Int, _ draws: [Double]) -> (x: Int, y: Int, side: Int) {
    let shorter = min(width, height)
    guard crop == .random else { return ((width - shorter) / 2, (height - shorter) / 2, shorter) }
    let share = cropFrom + (1 - cropFrom) * draws[0],
      side = max(1, min(shorter, Int((share * Double(shorter)).rounded())))
    func place(_ length: Int, _ draw: Double) -> Int {
      min(length - side, Int(draw * Double(length - side + 1)))
    }
    return (place(width, draws[1]), place(height, draws[2]), side)
  }

  private static func saysSides(_ caption: String) -> Bool {
    caption.lowercased().split { !$0.isLetter }.contains { $0 == "left" || $0 == "right" }
  }
}
