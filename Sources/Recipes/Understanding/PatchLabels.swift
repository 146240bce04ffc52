import DataSets
import Pictures
import VUGEN

/// What lies on each patch of a batch's pictures. The encoder learns to see by it; the heads that say it are
/// thrown away afterwards.
///
/// Where nothing is known (a stored picture without a record, a patch half covered), a label is −1.
package struct PatchLabels: Sendable {
  /// A patch is divided into `cells` × `cells` parts for its outline.
  package static let cells = 4

  /// `[batch, patches]`: 0 background, class + 1.
  package var classes: [Int32] = []
  /// `[batch, patches]`: 1 where the middle of an object lies, 0 elsewhere.
  package var centres: [Int32] = []
  /// `[batch, patches]`: place in `ColourName.allCases` of the colour of what covers the patch.
  package var colours: [Int32] = []
  /// `[batch, patches, cells²]`: 1 where an object covers most of a part of the patch, 0 where none does.
  package var outlines: [Int32] = []
  /// `[batch, patches, quarters²]`: what the colour of a quarter of the patch is called, background or not:
  /// place in `ColourName.allCases` · `tones` + how light it is.
  package var shades: [Int32] = []

  /// A patch's colours are named in `quarters` × `quarters` parts.
  package static let quarters = 2
  /// Steps from dark to light that a colour's name is told apart in.
  package static let tones = 4

  package init() {}

  /// - Parameter classes: number of each class.
  mutating func append(_ example: Example, _ vision: VisionConfiguration, classes numbers: [String: Int]) {
    let patches = vision.grid * vision.grid
    shades += Self.shades(of: example.picture, vision)
    guard let scene = example.scene else {
      for list in [\Self.classes, \.centres, \.colours] { append(-1, patches, to: list) }
      append(-1, patches * Self.cells * Self.cells, to: \.outlines)
      return
    }
    centres += Self.centres(of: scene, vision)
    let owners = Self.owners(example, scene, vision)
    for owner in owners {
      let object = owner > 0 ? scene.objects[owner - 1] : nil
      classes.append(owner == 0 ? 0 : object.flatMap { numbers[$0.name] }.map { Int32($0 + 1) } ?? -1)
      let colour = object?.colour.flatMap { ColourName.allCases.firstIndex(of: $0) }
      colours.append(colour.map(Int32.init) ?? -1)
    }
    outlines += Self.outlines(of: example, vision)
  }

  private mutating func append(_ label: Int32, _ count: Int, to list: WritableKeyPath<Self, [Int32]>) {
    self[keyPath: list] += [Int32](repeating: label, count: count)
  }

  /// What covers each patch: 0 nothing, an object's number from 1 on, −1 where it is neither clearly.
  private static func owners(_ example: Example, _ scene: SceneRecord, _ vision: VisionConfiguration) -> [Int]
  {
    let grid = vision.grid, patch = vision.patchSize
    return (0..<grid * grid).map { i in
      let left = i % grid * patch, top = i / grid * patch
      if example.owners.isEmpty { return boxed(scene, vision, left: left, top: top) }
      var counts = [Int](repeating: 0, count: scene.objects.count + 1)
      for y in top..<top + patch {
        for x in left..<left + patch { counts[Int(example.owners[y * vision.imageSize + x])] += 1 }
      }
      let best = counts.indices.dropFirst().max { counts[$0] < counts[$1] } ?? 0
      if 5 * counts[best] >= 2 * patch * patch { return best }
      return 10 * counts[0] >= 9 * patch * patch ? 0 : -1
    }
  }

  /// The same by boxes alone: an object whose box covers more than half of the patch.
  private static func boxed(_ scene: SceneRecord, _ vision: VisionConfiguration, left: Int, top: Int) -> Int {
    // Boxes are in the scene's pixels, patches in the model's.
    let scale = Double(vision.imageSize) / Double(scene.size), side = vision.patchSize
    var isTouched = false
    for (i, object) in scene.objects.enumerated() {
      let box = object.box.map { Double($0) * scale }
      let width = min(box[2], Double(left + side)) - max(box[0], Double(left))
      let height = min(box[3], Double(top + side)) - max(box[1], Double(top))
      guard width > 0, height > 0 else { continue }
      if 2 * width * height > Double(side * side) { return i + 1 }
      isTouched = true
    }
    return isTouched ? -1 : 0
  }

  /// Where the middle of an object's box lies.
  private static func centres(of scene: SceneRecord, _ vision: VisionConfiguration) -> [Int32] {
    let grid = vision.grid
    var marks = [Int32](repeating: 0, count: grid * grid)
    for object in scene.objects {
      func place(_ low: Int, _ high: Int) -> Int { min(grid - 1, (low + high) * grid / (2 * scene.size)) }
      marks[place(object.box[1], object.box[3]) * grid + place(object.box[0], object.box[2])] = 1
    }
    return marks
  }

  private static func outlines(of example: Example, _ vision: VisionConfiguration) -> [Int32] {
    let grid = vision.grid, patch = vision.patchSize, side = vision.imageSize
    let count = grid * grid * cells * cells, part = patch / cells
    guard !example.owners.isEmpty, part > 0, patch % cells == 0 else {
      return [Int32](repeating: -1, count: count)
    }
    return (0..<count).map { i in
      let (cell, place) = (i % (cells * cells), i / (cells * cells))
      let left = place % grid * patch + cell % cells * part, top = place / grid * patch + cell / cells * part
      var covered = 0
      for y in top..<top + part {
        for x in left..<left + part where example.owners[y * side + x] > 0 { covered += 1 }
      }
      return 2 * covered >= part * part ? 1 : 0
    }
  }

  /// The names of the mean colours of each patch's quarters.
  private static func shades(of picture: Picture, _ vision: VisionConfiguration) -> [Int32] {
    let grid = vision.grid, patch = vision.patchSize, part = patch / quarters
    let count = grid * grid * quarters * quarters
    guard part > 0, patch % quarters == 0, picture.width == vision.imageSize, picture.height == picture.width
    else { return [Int32](repeating: -1, count: count) }
    return (0..<count).map { i in
      let (cell, place) = (i % (quarters * quarters), i / (quarters * quarters))
      let left = place % grid * patch + cell % quarters * part
      let top = place / grid * patch + cell / quarters * part
      var sums = SIMD3<Int>()
      for y in top..<top + part {
        for x in left..<left + part {
          let pixel = 4 * (y * picture.width + x)
          sums &+= SIMD3(
            Int(picture.pixels[pixel]), Int(picture.pixels[pixel + 1]), Int(picture.pixels[pixel + 2]))
        }
      }
      let mean = sums / SIMD3(repeating: part * part)
      let name = ColourName(red: UInt8(mean.x), green: UInt8(mean.y), blue: UInt8(mean.z))
      // Luma of BT.601: what the eye takes for lightness.
      let tone = (299 * mean.x + 587 * mean.y + 114 * mean.z) * tones / 255_001
      return Int32((ColourName.allCases.firstIndex(of: name) ?? 0) * tones + tone)
    }
  }
}
