import Foundation
import Pictures

/// A picture and the record of exactly what is in it.
public struct Scene: Sendable {
  /// What is in the picture.
  public let record: SceneRecord
  /// Square, opaque.
  public let picture: Picture
  /// What covers each pixel, row by row: 0 the background, `n` the record's object `n` − 1.
  public let owners: [UInt8]
}

/// Makes scenes: the same seed, split and index give the same scene, byte for byte, in any order and on any
/// number of threads.
public struct SceneComposer: Sendable {
  /// What scenes are made of.
  public let bank: ObjectBank
  /// Another seed gives other scenes of the same kinds.
  public let seed: UInt64
  /// Side of the pictures in pixels.
  public let size: Int
  /// Share of the pictures of the wider set in training; the other splits have none.
  public var wideShare = 0.12
  /// Share of the training scenes that show two things in a relation whatever else is drawn; the others are as usual, and
  /// some of them do, too.
  public var pairShare = 0.0
  /// Of the training scenes; the other splits are varied.
  public var style = SceneStyle.varied

  /// Square pictures of `size` pixels a side.
  public init(_ bank: ObjectBank, seed: UInt64, size: Int = 128) {
    (self.bank, self.seed, self.size) = (bank, seed, size)
  }

  /// One object that is to be drawn.
  struct Plan {
    var name, singular, plural: String
    var cutOut: CutOut
    var colour: ColourName?
    var namesColour = false
    var mayBeMirrored = true
    /// Longest side, as a share of the picture's.
    var size = 0.5
    var angle = 0.0
    var isMirrored = false
    var centre = SIMD2<Double>()
  }

  /// What is in a scene, without keeping its picture.
  public func record(_ index: UInt64, _ split: Split) -> SceneRecord { scene(index, split).record }

  /// The scene of this number. `index` counts from 0 and has no end.
  public func scene(_ index: UInt64, _ split: Split) -> Scene {
    var random = SceneRandom(seed: seed, split: split, index: index)
    let style = style(of: split)
    let kind = chooseKind(split, &random)
    var plans = choosePlans(kind, split, &random)
    let relation = kind == .pair || kind == .colourPair ? random.pick(Relation.allCases) : nil
    let background = Backgrounds.choose(for: plans.map(\.cutOut), &random)
    var canvas = Backgrounds.draw(background, side: size, &random)
    for i in plans.indices {
      plans[i].angle = random.number(-style.tilt, style.tilt)
      plans[i].isMirrored = style == .varied && plans[i].mayBeMirrored && random.chance(0.5)
    }
    place(&plans, relation, &random)
    let objects = plans.enumerated().map { draw($1, as: UInt8($0 + 1), &canvas) }
    var record = SceneRecord(
      kind: kind, split: split, index: index, size: size, background: background, objects: objects,
      relation: relation, caption: "", captions: [], questions: [])
    SceneText.write(&record, others: bank.entries.map(\.kind), &random)
    return Scene(record: record, picture: canvas.picture, owners: canvas.owners)
  }

  // MARK: What is in it

  private func chooseKind(_ split: Split, _ random: inout SceneRandom) -> SceneRecord.Kind {
    if split == .train, bank.hasSingles, random.chance(wideShare) { return .wide }
    if split == .train, pairShare > 0, random.chance(pairShare) {
      return random.pick([.pair, .pair, .pair, .colourPair, .colourPair])
    }
    let kinds: [SceneRecord.Kind] =
      split == .heldOut
      ? [.pair, .pair, .count, .colour, .colourPair]
      : [.single, .single, .colour, .colour, .pair, .pair, .pair, .count, .count, .colourPair, .colourPair]
    return random.pick(split == .train && style == .varied ? kinds + [.assortment, .assortment] : kinds)
  }

  private func choosePlans(_ kind: SceneRecord.Kind, _ split: Split, _ random: inout SceneRandom) -> [Plan] {
    switch kind {
    case .wide:
      let single = random.pick(bank.singles)
      return [
        Plan(
          name: single.caption, singular: single.caption, plural: single.caption, cutOut: single.cutOut,
          colour: single.cutOut.colour, mayBeMirrored: false, size: size(0.45, 0.9, split, &random))
      ]
    case .single:
      return [original(random.pick(bank.entries), size(0.38, 0.85, split, &random), split, &random)]
    case .colour:
      let size = size(0.38, 0.85, split, &random)
      return [coloured(split, size, mustDiffer: split == .heldOut, &random)]
    case .count: return several(split, &random)
    case .assortment: return assorted(&random)
    case .pair, .colourPair: return two(kind, split, &random)
    }
  }

  private func style(of split: Split) -> SceneStyle { split == .train ? style : .varied }

  /// Longest side, as a share of the picture's.
  private func size(
    _ least: Double, _ most: Double, _ split: Split, _ random: inout SceneRandom
  ) -> Double {
    random.number(least + (most - least) * style(of: split).leastSize, most)
  }

  /// Those that scenes of the split may show.
  private func shown(_ cuts: [CutOut], _ split: Split) -> [CutOut] {
    style(of: split) == .varied ? cuts : Array(cuts.prefix(1))
  }

  /// As it was drawn.
  private func original(
    _ entry: ObjectBank.Entry, _ size: Double, _ split: Split, _ random: inout SceneRandom
  ) -> Plan {
    plan(entry, random.pick(shown(entry.originals, split)), size)
  }

  private func plan(_ entry: ObjectBank.Entry, _ cut: CutOut, _ size: Double) -> Plan {
    Plan(
      name: entry.kind.name,
      singular: English.singular(name: entry.kind.name, plural: entry.kind.plural), plural: entry.kind.plural,
      cutOut: cut, colour: cut.colour, namesColour: entry.namesColour && cut.colour != nil,
      mayBeMirrored: entry.kind.mayBeMirrored, size: size)
  }

  /// Something in one of the colours that it may have.
  ///
  /// - Parameter mustDiffer: only in a colour that training never shows it in.
  private func coloured(
    _ split: Split, _ size: Double, mustDiffer: Bool, _ random: inout SceneRandom
  ) -> Plan {
    let able = bank.entries.filter { $0.kind.isRecolourable }
    while true {
      let entry = random.pick(able)
      let names = ColourName.allCases.filter {
        entry.recoloured[$0] != nil
          && HeldOut.colour(entry.kind.name, $0, natural: entry.naturalColours) == mustDiffer
      }
      guard !names.isEmpty, let cuts = entry.recoloured[random.pick(names)] else { continue }
      return plan(entry, random.pick(shown(cuts, split)), size)
    }
  }

  /// Longest side of each of `count` things, as a share of the picture's.
  private func share(of count: Int) -> Double { [0.42, 0.36, 0.32, 0.29][count - 2] }

  private func several(_ split: Split, _ random: inout SceneRandom) -> [Plan] {
    while true {
      let count = 2 + random.below(4)
      let entry = random.pick(bank.entries)
      guard HeldOut.count(entry.kind.name, count) == (split == .heldOut) else { continue }
      let cuts = shown(entry.originals, split), cut = random.pick(cuts), usual = share(of: count)
      let mixed = cuts.count > 1 && random.chance(0.25)
      var plans = (0..<count).map { _ in
        plan(entry, mixed ? random.pick(cuts) : cut, usual * size(0.8, 1.1, split, &random))
      }
      // A colour is said of all or of none.
      if Set(plans.map(\.colour)).count > 1 {
        for i in plans.indices { plans[i].namesColour = false }
      }
      return plans
    }
  }

  /// Two or three classes, one to three of each, none of them a held-out number or pair.
  private func assorted(_ random: inout SceneRandom) -> [Plan] {
    while true {
      let counts = (0..<2 + random.below(2)).map { _ in 1 + random.below(3) }
      let total = counts.reduce(0, +), entries = counts.map { _ in random.pick(bank.entries) }
      let names = entries.map(\.kind.name)
      guard total <= 5, Set(names).count == names.count else { continue }
      let isHeldOut =
        zip(names, counts).contains { HeldOut.count($0, $1) }
        || names.indices.contains { i in names[..<i].contains { HeldOut.pair($0, names[i]) } }
      if isHeldOut { continue }
      return zip(entries, counts).flatMap { entry, count in
        let cut = random.pick(entry.originals)
        return (0..<count).map { _ in plan(entry, cut, share(of: total) * random.number(0.8, 1.1)) }
      }
    }
  }

  private func two(_ kind: SceneRecord.Kind, _ split: Split, _ random: inout SceneRandom) -> [Plan] {
    while true {
      let plans = (0..<2).map { _ in
        let size = size(0.3, 0.46, split, &random)
        return kind == .colourPair
          ? coloured(split, size, mustDiffer: false, &random)
          : original(random.pick(bank.entries), size, split, &random)
      }
      let names = plans.map(\.name)
      guard names[0] != names[1], HeldOut.pair(names[0], names[1]) == (split == .heldOut) else { continue }
      return plans
    }
  }

  // MARK: Where it is

  private func extent(_ plan: Plan) -> SIMD2<Double> {
    plan.cutOut.extent(angle: plan.angle) * scale(plan)
  }

  private func scale(_ plan: Plan) -> Double {
    plan.size * Double(size) / Double(max(plan.cutOut.width, plan.cutOut.height))
  }

  /// Finds places without overlap; everything shrinks a little where there is no room.
  private func place(_ plans: inout [Plan], _ relation: Relation?, _ random: inout SceneRandom) {
    while true {
      for _ in 0..<40 {
        for i in plans.indices { plans[i].centre = anywhere(plans[i], &random) }
        if fits(plans, relation) { return }
      }
      for i in plans.indices { plans[i].size *= 0.94 }
    }
  }

  private func anywhere(_ plan: Plan, _ random: inout SceneRandom) -> SIMD2<Double> {
    let half = extent(plan) / 2, side = Double(size)
    func along(_ h: Double) -> Double { h * 2 >= side ? side / 2 : random.number(h, side - h) }
    return SIMD2(along(half.x), along(half.y))
  }

  private func fits(_ plans: [Plan], _ relation: Relation?) -> Bool {
    for i in plans.indices {
      for j in plans.indices where j > i {
        let gap = (extent(plans[i]) + extent(plans[j])) / 2 + 1
        let d = plans[i].centre - plans[j].centre
        if abs(d.x) < gap.x && abs(d.y) < gap.y { return false }
      }
    }
    guard let relation else { return true }
    let d = plans[1].centre - plans[0].centre
    let gap = (extent(plans[0]) + extent(plans[1])) / 2
    // Clearly beside or above: the other direction stays small.
    switch relation {
    case .leftOf: return d.x >= gap.x && abs(d.y) < 0.6 * d.x
    case .rightOf: return -d.x >= gap.x && abs(d.y) < -0.6 * d.x
    case .above: return d.y >= gap.y && abs(d.x) < 0.6 * d.y
    case .below: return -d.y >= gap.y && abs(d.x) < -0.6 * d.y
    }
  }

  private func draw(_ plan: Plan, as owner: UInt8, _ canvas: inout Canvas) -> SceneObject {
    let box = plan.cutOut.draw(
      .init(centre: plan.centre, scale: scale(plan), angle: plan.angle, isMirrored: plan.isMirrored),
      into: &canvas, owner: owner)
    return SceneObject(
      name: plan.name, singular: plan.singular, plural: plan.plural, colour: plan.colour,
      namesColour: plan.namesColour, cutOut: plan.cutOut.id, box: box,
      angle: (plan.angle * 1800 / Double.pi).rounded() / 10, isMirrored: plan.isMirrored)
  }
}
