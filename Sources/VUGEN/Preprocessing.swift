import Pictures
import Tensors

/// A picture in tiles of the encoder's size.
public struct PictureTiles: Sendable {
  /// The tiles, `[tiles, side, side, 3]`, f32 in −1…1.
  public let values: Tensor
  /// Columns and rows of the picture's parts where a prompt names them, the whole picture being the last tile; nil where
  /// it does not.
  public let grid: TileGrid?

  /// Each argument is the property of its name.
  public init(_ values: Tensor, grid: TileGrid? = nil) { (self.values, self.grid) = (values, grid) }

  /// Number of tiles.
  public var count: Int { values.size(0) }

  /// Whether these are the very numbers of the other.
  func isSame(as other: PictureTiles) -> Bool { values.isSame(as: other.values) && grid == other.grid }
}

/// How a picture becomes tiles of the encoder's size.
public enum Tiling: Sendable, Equatable {
  /// The whole picture as one tile, its aspect ratio not kept.
  case single
  /// The whole picture as a thumbnail, and up to `most` tiles of it enlarged: the references' default with 36.
  case thumbnailAndTiles(most: Int)
}

extension VisionConfiguration {
  /// The side of a square that has all that one tile shows of a picture; nil where the picture's own size matters.
  public func neededSide(_ tiling: Tiling) -> Int? {
    kind == .perception && tiling == .single ? imageSize : nil
  }

  /// A picture's tiles `[tiles, side, side, 3]`, f32 in −1…1. Transparency is laid over white.
  public func tiles(of picture: Picture, _ tiling: Tiling = .single) -> Tensor {
    tiled(picture, tiling).values
  }

  /// A picture in tiles, as the family's reference cuts it: a Perception Language Model's thumbnail comes first, SmolVLM's
  /// last. Transparency is laid over white.
  public func tiled(_ picture: Picture, _ tiling: Tiling = .single) -> PictureTiles {
    // Before it is resized: a transparent pixel's hidden colour must not bleed into its neighbours.
    let picture = picture.isOpaque ? picture : picture.overWhite()
    switch kind {
    case .perception: return PictureTiles(perceptionTiles(of: picture, tiling))
    case .sigLIP: return smolVLMTiles(of: picture, tiling)
    }
  }

  private func perceptionTiles(of picture: Picture, _ tiling: Tiling) -> Tensor {
    let side = imageSize
    let whole = values(picture.resizedBicubic(width: side, height: side))
    guard case .thumbnailAndTiles(let most) = tiling else { return Tensor(whole, shape: [1, side, side, 3]) }
    let grid = TileGrid.best(width: picture.width, height: picture.height, tile: side, most: most)
    let large = values(picture.resizedBicubic(width: grid.columns * side, height: grid.rows * side))
    return Tensor(whole + cut(large, grid), shape: [1 + grid.columns * grid.rows, side, side, 3])
  }

  /// Idefics3's tiles: the longer side is brought to `longestEdge`, both sides up to whole tiles; then the parts row by row
  /// and the whole picture squashed to one tile. Where there would be more than `most` parts, the longer side is shortened
  /// tile by tile.
  private func smolVLMTiles(of picture: Picture, _ tiling: Tiling) -> PictureTiles {
    let side = imageSize
    func squashed(_ picture: Picture) -> [Float] { values(picture.resizedLanczos(width: side, height: side)) }
    guard case .thumbnailAndTiles(let most) = tiling else {
      let size = Self.enlarged(picture.width, picture.height, to: longestEdge)
      return PictureTiles(
        Tensor(
          squashed(picture.resizedLanczos(width: size.width, height: size.height)), shape: [1, side, side, 3])
      )
    }
    var edge = longestEdge
    while true {
      let size = Self.enlarged(picture.width, picture.height, to: edge)
      let grid = Self.wholeTiles(size.width, size.height, side)
      if edge > side, grid.columns * grid.rows > most {
        edge = max(side, edge - side)
        continue
      }
      let first = picture.resizedLanczos(width: size.width, height: size.height)
      let large = first.resizedLanczos(width: grid.columns * side, height: grid.rows * side)
      guard grid.columns > 1 || grid.rows > 1 else {
        return PictureTiles(Tensor(values(large), shape: [1, side, side, 3]))
      }
      return PictureTiles(
        Tensor(
          cut(values(large), grid) + squashed(large), shape: [grid.columns * grid.rows + 1, side, side, 3]),
        grid: grid)
    }
  }

  /// The longer side as given, the other in proportion, rounded down and made even.
  static func enlarged(_ width: Int, _ height: Int, to edge: Int) -> (width: Int, height: Int) {
    let aspect = Double(width) / Double(height)
    func even(_ side: Double) -> Int { max(1, Int(side) + Int(side) % 2) }
    return width >= height ? (edge, even(Double(edge) / aspect)) : (even(Double(edge) * aspect), edge)
  }

  /// Tiles that hold the picture: the longer side's first, the other's from it.
  static func wholeTiles(_ width: Int, _ height: Int, _ side: Int) -> TileGrid {
    func tiles(_ pixels: Int) -> Int { max(1, (pixels + side - 1) / side) }
    let aspect = Double(width) / Double(height)
    if width >= height {
      let columns = tiles(width)
      return TileGrid(columns: columns, rows: tiles(Int(Double(columns * side) / aspect)))
    }
    let rows = tiles(height)
    return TileGrid(columns: tiles(Int(Double(rows * side) * aspect)), rows: rows)
  }

  /// The parts of a picture of whole tiles, one after the other.
  private func cut(_ large: [Float], _ grid: TileGrid) -> [Float] {
    let side = imageSize, row = grid.columns * side * 3
    var result: [Float] = []
    result.reserveCapacity(large.count)
    for tileRow in 0..<grid.rows {
      for tileColumn in 0..<grid.columns {
        for y in 0..<side {
          let start = (tileRow * side + y) * row + tileColumn * side * 3
          result += large[start..<start + side * 3]
        }
      }
    }
    return result
  }

  private func values(_ picture: Picture) -> [Float] { picture.rgb().map { (Float($0) / 255 - 0.5) / 0.5 } }
}

/// Columns and rows of tiles that suit a picture.
public struct TileGrid: Sendable, Equatable {
  /// At least 1 each.
  public var columns, rows: Int

  /// Each argument is the property of its name.
  public init(columns: Int, rows: Int) { (self.columns, self.rows) = (columns, rows) }

  /// The reference's choice: of the grids whose canvas holds the picture, the one that enlarges it most (ties
  /// to the later); where none does, the aspect ratio nearest to the picture's, with the most tiles.
  public static func best(width: Int, height: Int, tile: Int, most: Int) -> TileGrid {
    let groups = candidates(most)
    let aspect = Double(width) / Double(height)
    var best: TileGrid?
    for grid in groups.flatMap(\.grids) where grid.columns * tile >= width && grid.rows * tile >= height {
      if let found = best {
        let new = fitted(grid, width, height, tile), old = fitted(found, width, height, tile)
        let isLarger = aspect < 1 ? new.w >= old.w : new.h >= old.h
        if !isLarger { continue }
      }
      best = grid
    }
    return best ?? closest(groups, aspect)
  }

  /// The picture's size when it is enlarged to just fit the grid's canvas, its shorter side rounded down.
  private static func fitted(_ grid: TileGrid, _ width: Int, _ height: Int, _ tile: Int) -> (
    w: Double, h: Double
  ) {
    let factor = min(Double(grid.columns * tile) / Double(width), Double(grid.rows * tile) / Double(height))
    let aspect = Double(width) / Double(height)
    if aspect > 1 {
      let w = factor * Double(width)
      return (w, (w / aspect).rounded(.down))
    }
    let h = factor * Double(height)
    return ((h * aspect).rounded(.down), h)
  }

  /// Grids by aspect ratio, in the order in which the ratios are first met from the largest number down.
  private static func candidates(_ most: Int) -> [(ratio: Double, grids: [TileGrid])] {
    var groups: [(ratio: Double, grids: [TileGrid])] = []
    for n in stride(from: most, through: 1, by: -1) {
      for columns in 1...n where n % columns == 0 {
        let grid = TileGrid(columns: columns, rows: n / columns),
          ratio = Double(columns) / Double(n / columns)
        if let i = groups.firstIndex(where: { $0.ratio == ratio }) {
          groups[i].grids.append(grid)
        } else {
          groups.append((ratio, [grid]))
        }
      }
    }
    return groups
  }

  private static func closest(_ groups: [(ratio: Double, grids: [TileGrid])], _ aspect: Double) -> TileGrid {
    if aspect >= 1 {
      let below = groups.filter { $0.ratio <= aspect }
      let group = below.min { abs($0.ratio - aspect) < abs($1.ratio - aspect) }
      var best = TileGrid(columns: 1, rows: 1)
      for grid in group?.grids ?? [] where grid.columns > best.columns || best.columns * best.rows == 1 {
        best = grid
      }
      return best
    }
    let above = groups.filter { $0.ratio > aspect }
    let group = above.min { abs(1 / $0.ratio - 1 / aspect) < abs(1 / $1.ratio - 1 / aspect) }
    var best = TileGrid(columns: 1, rows: 1)
    for grid in group?.grids ?? [] where grid.rows > best.rows || best.columns * best.rows == 1 {
      best = grid
    }
    return best
  }
}
