import DataSets
import Foundation
import Pictures
import TestSupport
import Testing

/// Read once: some seconds of decoding.
let bank = Result { try ObjectBank() }

@Suite struct SceneTests {
  let composer: SceneComposer

  init() throws { composer = SceneComposer(try bank.get(), seed: 3) }

  private func records(_ split: Split, _ count: Int) -> [SceneRecord] {
    (0..<count).map { composer.scene(UInt64($0), split).record }
  }

  @Test func thereAreManyClassesWithPictures() throws {
    #expect(composer.bank.entries.count >= 150)
    #expect(composer.bank.entries.allSatisfy { !$0.originals.isEmpty })
    #expect(composer.bank.singles.count > 500)
  }

  @Test func theSameSeedGivesTheSameScene() {
    for index in [0, 7, 4000] as [UInt64] {
      let a = composer.scene(index, .train), b = composer.scene(index, .train)
      #expect(a.picture == b.picture)
      #expect(a.record == b.record)
    }
    #expect(composer.scene(1, .train).picture != composer.scene(1, .validation).picture)
  }

  @Test func trainingNeverShowsWhatIsHeldOut() throws {
    let natural = Dictionary(
      uniqueKeysWithValues: composer.bank.entries.map { ($0.kind.name, $0.naturalColours) })
    func isHeldOut(_ record: SceneRecord) -> Bool {
      let names = record.objects.map(\.name)
      if record.relation != nil, HeldOut.pair(names[0], names[1]) { return true }
      if record.kind == .count || record.kind == .assortment {
        let counts = Dictionary(grouping: names, by: \.self).mapValues(\.count)
        if counts.contains(where: HeldOut.count) { return true }
        let kinds = counts.keys.sorted()
        if kinds.indices.contains(where: { i in kinds[..<i].contains { HeldOut.pair($0, kinds[i]) } }) {
          return true
        }
      }
      return record.kind != .wide
        && record.objects.contains { object in
          object.colour.map { HeldOut.colour(object.name, $0, natural: natural[object.name] ?? []) } ?? false
        }
    }
    #expect(!records(.train, 600).contains(where: isHeldOut))
    #expect(!records(.validation, 200).contains(where: isHeldOut))
    #expect(records(.heldOut, 200).allSatisfy(isHeldOut))
  }

  /// Clear scenes show large things, almost upright, by one picture of a class, of one kind or two; other splits stay
  /// as they are.
  @Test func scenesMayBeClear() {
    var clear = composer
    (clear.style, clear.wideShare) = (.clear, 0)
    let scenes = (0..<400).map { clear.record(UInt64($0), .train) }
    #expect(!scenes.contains { $0.kind == .assortment })
    #expect(scenes.allSatisfy { $0.objects.allSatisfy { abs($0.angle) <= 3.5 } })
    #expect(scenes.contains { $0.objects.contains { abs($0.angle) > 2 } })
    #expect(!scenes.contains { $0.objects.contains(where: \.isMirrored) })
    let kinds: [SceneRecord.Kind] = [.single, .pair, .count]
    let drawn = scenes.filter { kinds.contains($0.kind) }.flatMap(\.objects)
    #expect(Dictionary(grouping: drawn, by: \.name).values.allSatisfy { Set($0.map(\.cutOut)).count == 1 })
    func side(_ record: SceneRecord) -> Int {
      let box = record.objects[0].box
      return max(box[2] - box[0], box[3] - box[1])
    }
    let single = scenes.filter { $0.kind == .single || $0.kind == .colour }.map(side)
    #expect(single.count > 80)
    #expect(single.min() ?? 0 >= 70)
    #expect(records(.train, 400).filter { $0.kind == .single }.map(side).min() ?? 128 < 60)
    for split in [Split.validation, .heldOut] {
      #expect(clear.scene(5, split).picture == composer.scene(5, split).picture)
    }
  }

  /// Half of the training scenes show two things in any case, and of the others five in thirteen; other splits stay as they
  /// are.
  @Test func scenesOfTwoMayBeMore() {
    var paired = composer
    (paired.pairShare, paired.wideShare) = (0.5, 0)
    let two = (0..<200).filter { paired.record(UInt64($0), .train).relation != nil }.count
    #expect((115...160).contains(two), "\(two) of 200")
    #expect((0..<40).allSatisfy { paired.record($0, .validation) == composer.record($0, .validation) })
  }

  @Test func objectsAreWhereTheRecordSays() {
    for record in records(.train, 400) {
      for (i, a) in record.objects.enumerated() {
        #expect(a.box[0] < a.box[2] && a.box[1] < a.box[3], "\(record.index): nothing visible")
        for b in record.objects[(i + 1)...] {
          let isApart =
            a.box[2] <= b.box[0] || b.box[2] <= a.box[0] || a.box[3] <= b.box[1] || b.box[3] <= a.box[1]
          #expect(isApart, "\(record.index): \(a.name) overlaps \(b.name)")
        }
      }
      guard let relation = record.relation else { continue }
      let a = record.objects[0].box, b = record.objects[1].box
      switch relation {
      case .leftOf: #expect(a[2] <= b[0] + 1)
      case .rightOf: #expect(b[2] <= a[0] + 1)
      case .above: #expect(a[3] <= b[1] + 1)
      case .below: #expect(b[3] <= a[1] + 1)
      }
    }
  }

  @Test func answersFollowFromTheRecord() {
    var yes = 0, no = 0
    for record in records(.train, 400) {
      #expect(record.agrees(with: record.caption), "\(record.caption)")
      for question in record.questions {
        switch question.task {
        case .count:
          let numbers = ["zero", "one", "two", "three", "four", "five"]
          let asked = record.objects.filter {
            question.question.contains(" things ") || question.question.contains(" \($0.plural) ")
          }
          #expect(question.answer == numbers[asked.count], "\(question)")
        case .colour: #expect(record.objects.contains { $0.colour?.rawValue == question.answer })
        case .exists:
          let isThere = record.objects.contains { question.question.contains(" \($0.noun) in") }
          #expect(isThere == (question.answer == "yes"), "\(question)")
          if isThere { yes += 1 } else { no += 1 }
        default: #expect(!question.answer.isEmpty)
        }
      }
    }
    #expect(yes == no)
  }

  @Test func aWrongCaptionDoesNotAgree() throws {
    let record = try #require(records(.validation, 200).first { $0.kind == .colourPair })
    let caption = record.caption
    #expect(record.agrees(with: caption))
    let relation = try #require(record.relation)
    #expect(!record.agrees(with: caption.replacing(relation.rawValue, with: relation.inverse.rawValue)))
    let colour = try #require(record.objects[0].colour)
    #expect(!record.agrees(with: caption.replacing(colour.rawValue, with: colour == .red ? "blue" : "red")))
  }

  @Test func nounsLoseArticleAndColour() {
    #expect(SceneRecord.noun(in: "a red apple") == "apple")
    #expect(SceneRecord.noun(in: "an orange") == "orange")
    #expect(SceneRecord.noun(in: "a pair of blue trousers") == "pair of trousers")
  }

  @Test func aMissingPackageIsNamed() {
    var sources = PictureSources()
    sources.stamps = "/nowhere/stamps"
    #expect(
      throws: DataSetError(
        "/nowhere/stamps", "the pictures are not installed; run: apt-get install tuxpaint-stamps-default")
    ) {
      try sources.check()
    }
  }
}

@Suite struct MissingStampTests {
  /// The stamps as they are installed, but for those named.
  private func sources(without hidden: Set<String>) throws -> PictureSources {
    var sources = PictureSources()
    let copy = try temporaryFolder(), manager = FileManager.default
    for name in manager.enumerator(atPath: sources.stamps)?.allObjects.compactMap({ $0 as? String }) ?? [] {
      guard name.hasSuffix(".png"), !hidden.contains(String(name.dropLast(4))) else { continue }
      let folder = copy + "/" + (name as NSString).deletingLastPathComponent
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try manager.createSymbolicLink(
        atPath: "\(copy)/\(name)", withDestinationPath: "\(sources.stamps)/\(name)")
    }
    sources.stamps = copy
    return sources
  }

  /// Debian's versions move and drop stamps: what is missing is left out and counted, not fatal; a class without any
  /// picture goes with it, and scenes of the rest are made as ever.
  @Test func aMissingStampIsLeftOutAndCounted() throws {
    let whole = try bank.get()
    let some = try #require(
      whole.entries.first { $0.originals.count > 1 && $0.originals.last?.id.hasPrefix("stamps/") == true })
    let alone = try #require(
      whole.entries.first { $0.originals.allSatisfy { $0.id.hasPrefix("stamps/") } })
    let hidden = ([some.originals[some.originals.count - 1]] + alone.originals).map {
      String($0.id.dropFirst(7))
    }
    let fewer = try ObjectBank(try sources(without: Set(hidden)), includingSingles: false)
    #expect(Set(fewer.missing) == Set(hidden + whole.missing) && fewer.named == whole.named)
    #expect(fewer.entries.map(\.kind.name) == whole.entries.map(\.kind.name).filter { $0 != alone.kind.name })
    #expect(
      fewer.shortage?.hasPrefix(
        "\(fewer.missing.count) of \(fewer.named) cut-outs are not in this version of tux")
        == true)
    let scenes = (0..<50).map { SceneComposer(fewer, seed: 1, size: 32).scene(UInt64($0), .train) }
    #expect(scenes.allSatisfy { !$0.record.objects.isEmpty })
  }

  /// Where nothing more is missing, scenes are the same, wherever the pictures lie.
  @Test func nothingMissingChangesNothing() throws {
    let copy = try ObjectBank(try sources(without: []), includingSingles: false)
    let whole = try bank.get()
    #expect(copy.missing == whole.missing)
    for index in 0..<20 as Range<UInt64> {
      let a = SceneComposer(copy, seed: 1).scene(index, .validation),
        b = SceneComposer(whole, seed: 1).scene(index, .validation)
      #expect(a.picture == b.picture && a.record == b.record)
    }
  }
}

@Suite struct ColourTests {
  @Test(arguments: ColourName.allCases)
  func aClearExampleHasItsName(_ name: ColourName) {
    let examples: [ColourName: (UInt8, UInt8, UInt8)] = [
      .red: (214, 30, 36), .orange: (250, 130, 10), .yellow: (250, 225, 40), .green: (40, 160, 60),
      .blue: (40, 90, 220), .purple: (120, 50, 170), .pink: (250, 150, 190), .brown: (120, 70, 35),
      .black: (15, 15, 18), .white: (250, 250, 248), .gray: (128, 130, 132),
    ]
    let c = examples[name] ?? (0, 0, 0)
    #expect(ColourName(red: c.0, green: c.1, blue: c.2) == name)
  }

  @Test func recolouringKeepsTheShapeAndChangesTheName() throws {
    var picture = Picture(width: 20, height: 20, red: 200, green: 40, blue: 40)
    for i in stride(from: 3, to: 800, by: 8) { picture.pixels[i] = 0 }
    #expect(ColourName.dominant(of: picture) == .red)
    for name in ColourName.allCases {
      let other = try #require(picture.recoloured(name), "\(name)")
      #expect(ColourName.dominant(of: other) == name)
      #expect(
        stride(from: 3, to: 1600, by: 4).allSatisfy { other.pixels[$0] == picture.pixels[$0] }, "alpha stays")
    }
  }
}
