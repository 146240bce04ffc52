/// Backgrounds that have names.
enum Backgrounds {
  static let colours: [(name: String, rgb: SIMD3<Double>)] = [
    ("white", [250, 250, 250]), ("light gray", [205, 206, 208]), ("dark gray", [84, 86, 90]),
    ("black", [18, 18, 20]), ("light blue", [178, 214, 245]), ("dark blue", [28, 48, 110]),
    ("light green", [190, 232, 186]), ("dark green", [26, 84, 48]), ("light yellow", [252, 244, 176]),
    ("pink", [250, 198, 214]), ("lavender", [214, 200, 242]), ("beige", [238, 222, 192]),
    ("brown", [112, 72, 44]), ("teal", [32, 134, 140]),
  ]

  /// A background on which none of the cut-outs gets lost.
  static func choose(for cutOuts: [CutOut], _ random: inout SceneRandom) -> Background {
    let kind: Background.Kind =
      random.chance(0.55) ? .plain : random.pick([.gradient, .stripes, .dots, .checks])
    func isClear(_ i: Int) -> Bool {
      cutOuts.allSatisfy { cut in
        let d = cut.mean - colours[i].rgb
        return (d * d).sum() > 85 * 85
      }
    }
    let order = random.shuffled(Array(colours.indices))
    let clear = order.filter(isClear)
    let first = clear.first ?? order[0]
    guard kind != .plain else { return Background(kind: .plain, colours: [colours[first].name]) }
    // The second colour differs from the first, but not so much that the pattern hides what lies on it.
    let second = (clear + order).first { i in
      let d = colours[i].rgb - colours[first].rgb
      return (40.0 * 40...150 * 150).contains((d * d).sum())
    }
    guard let second else { return Background(kind: .plain, colours: [colours[first].name]) }
    return Background(kind: kind, colours: [colours[first].name, colours[second].name])
  }

  static func draw(_ background: Background, side: Int, _ random: inout SceneRandom) -> Canvas {
    let inks = background.colours.map { name in
      colours.first { $0.name == name }?.rgb ?? SIMD3(repeating: 255)
    }
    let cell = max(4, side / (6 + random.below(5))), turns = random.below(4), slanted = random.chance(0.4)
    var pixels: [SIMD4<Float>] = []
    pixels.reserveCapacity(side * side)
    for y in 0..<side {
      for x in 0..<side {
        let share: Double
        switch background.kind {
        case .plain: share = 0
        case .gradient:
          let along = Double([y, side - 1 - y, x, side - 1 - x][turns])
          share = along / Double(side - 1)
        case .stripes:
          let along = slanted ? x + y : turns % 2 == 0 ? x : y
          share = Double(along / cell % 2)
        case .dots:
          let dx = x % (2 * cell) - cell, dy = y % (2 * cell) - cell
          share = dx * dx + dy * dy < cell * cell / 4 ? 1 : 0
        case .checks: share = Double((x / cell + y / cell) % 2)
        }
        let ink = share == 0 ? inks[0] : inks[0] + (inks[inks.count - 1] - inks[0]) * share
        pixels.append(SIMD4(Float(ink.x), Float(ink.y), Float(ink.z), 255))
      }
    }
    return Canvas(side: side, pixels: pixels)
  }
}
