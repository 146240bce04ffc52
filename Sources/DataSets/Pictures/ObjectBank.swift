import Foundation
import Pictures
import Tensors

/// Every cut-out that scenes are made of, in memory.
public struct ObjectBank: Sendable {
  /// A class with its cut-outs.
  public struct Entry: Sendable {
    /// Its name, and what may be done with its pictures.
    public let kind: ObjectClass
    /// As they were drawn.
    public let originals: [CutOut]
    /// In other colours, where the class may have them: by colour, in the order of the originals.
    public let recoloured: [ColourName: [CutOut]]

    /// Whether a caption names its colour: where it may differ from one to the next.
    public var namesColour: Bool { kind.isRecolourable || kind.namesColour }
    /// Colours that cut-outs of the class have by nature.
    public var naturalColours: Set<ColourName> { Set(originals.compactMap(\.colour)) }
  }

  /// The curated classes that have a picture, in the order of their list.
  public let entries: [Entry]
  private let wider: WiderSet?
  /// The wider set: single pictures under captions of their own. They are decoded when first asked for.
  public var singles: [(caption: String, cutOut: CutOut)] { wider?.pictures ?? [] }
  /// Whether the wider set is there, found out without decoding it.
  public var hasSingles: Bool { wider != nil }
  /// Cut-outs that the curated classes name.
  public let named: Int
  /// Those of them that the installed packages lack: Debian's versions move and drop stamps.
  public let missing: [String]

  /// Reads the curated classes; a stamp that is not there is left out, and so is a class without any picture. Throws
  /// `DataSetError` naming a package that is missing, or `SystemMemory.Shortage`.
  public init(_ sources: PictureSources = PictureSources(), includingSingles: Bool = true) throws {
    try sources.check()
    try SystemMemory.check(
      Self.curatedBytes + (includingSingles ? Self.widerBytes : 0), for: "the bank of cut-outs for scenes")
    let font = try FontFace(path: sources.emojiFont)
    let all = try ObjectClass.curated()
    named = all.reduce(0) { $0 + $1.emoji.count + $1.stamps.count }
    missing = all.flatMap(\.stamps).filter { !sources.hasStamp($0) }
    let found = try all.map { ($0, try Self.originals(of: $0, font, sources)) }.filter { !$0.1.isEmpty }
    guard !found.isEmpty else { throw DataSetError(sources.stamps, "has no picture of any class") }
    let classes = found.map(\.0), raw = found.map(\.1)
    entries = inParallel(classes.count) { Self.entry(classes[$0], raw[$0]) }
    wider = includingSingles ? try WiderSet(sources, except: Set(raw.joined().map(\.id))) : nil
  }

  /// What the curated classes take of memory, and what the wider set takes beside them once it is asked for: measured, with
  /// what scenes take on their way.
  private static let curatedBytes = 185 << 20, widerBytes = 140 << 20

  private static func originals(of kind: ObjectClass, _ font: FontFace, _ sources: PictureSources) throws
    -> [CutOut]
  {
    var list: [CutOut] = []
    for scalar in kind.emoji {
      let id = emojiID(scalar)
      guard let bitmap = font.colourBitmap(of: scalar), let cut = CutOut(id: id, picture: bitmap) else {
        throw DataSetError(
          sources.emojiFont, "has no picture of \(scalar); install fonts-noto-color-emoji again")
      }
      list.append(cut)
    }
    for stamp in kind.stamps where sources.hasStamp(stamp) {
      let picture = try Picture(path: sources.path(ofStamp: stamp))
      if let cut = CutOut(id: "stamps/\(stamp)", picture: picture) { list.append(cut) }
    }
    return list
  }

  /// What scenes of this bank are made of, in one line; with what is missing, where something is.
  public var account: String {
    "\(entries.count) classes, \(named - missing.count) cut-outs" + (shortage.map { "; \($0)" } ?? "")
  }

  /// What is missing, in one line; nil where nothing is.
  public var shortage: String? {
    guard !missing.isEmpty else { return nil }
    let names = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", …" : "")
    return
      "\(missing.count) of \(named) cut-outs are not in this version of tuxpaint-stamps-default: \(names)"
  }

  static func emojiID(_ scalar: Unicode.Scalar) -> String {
    "emoji/" + String(scalar.value, radix: 16, uppercase: true)
  }

  private static func entry(_ kind: ObjectClass, _ originals: [CutOut]) -> Entry {
    var recoloured: [ColourName: [CutOut]] = [:]
    if kind.isRecolourable {
      for (name, cut) in originals.flatMap({ $0.recoloured() }) { recoloured[name, default: []].append(cut) }
    }
    return Entry(kind: kind, originals: originals, recoloured: recoloured)
  }
}
