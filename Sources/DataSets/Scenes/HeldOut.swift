/// Combinations that training never shows.
///
/// Chosen by a hash of the names, so that the choice is the same everywhere and for ever, whatever else is in
/// the list of classes.
public enum HeldOut {
  /// One in twelve pairs, whichever object comes first.
  public static func pair(_ a: String, _ b: String) -> Bool {
    let names = [a, b].sorted()
    return hash("pair|\(names[0])|\(names[1])") % 12 == 0
  }

  /// One in eight colours of a class that it does not have by nature.
  public static func colour(_ name: String, _ colour: ColourName, natural: Set<ColourName>) -> Bool {
    !natural.contains(colour) && hash("colour|\(name)|\(colour.rawValue)") % 8 == 0
  }

  /// One in eight numbers, two to five, of a class.
  public static func count(_ name: String, _ count: Int) -> Bool {
    count > 1 && hash("count|\(name)|\(count)") % 8 == 0
  }

  /// FNV-1a with a last stir, since only the low digits are used.
  private static func hash(_ text: String) -> UInt64 {
    var h: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { h = (h ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    h ^= h >> 29
    h = h &* 0xbf58_476d_1ce4_e5b9
    return h ^ (h >> 32)
  }

  /// Everything that is held out of these classes, for the shards' own record.
  public struct List: Codable, Sendable, Equatable {
    /// Two classes that are never seen together in training.
    public var pairs: [[String]] = []
    /// A class and a colour that it never has there.
    public var colours: [[String]] = []
    /// A class and a number of it, as a word, that training never shows.
    public var counts: [[String]] = []
  }

  /// What is held out of the classes of this bank.
  public static func list(of bank: ObjectBank) -> List {
    var list = List()
    let names = bank.entries.map(\.kind.name)
    for (i, a) in names.enumerated() {
      for b in names[(i + 1)...] where pair(a, b) { list.pairs.append([a, b]) }
      for n in 2...5 where count(a, n) { list.counts.append([a, English.numbers[n]]) }
    }
    for entry in bank.entries {
      for name in ColourName.allCases where entry.recoloured[name] != nil {
        if colour(entry.kind.name, name, natural: entry.naturalColours) {
          list.colours.append([entry.kind.name, name.rawValue])
        }
      }
    }
    return list
  }
}
