/// Words that are spelt in two ways on the two sides of the ocean.
enum Spellings {
  /// British and American, where no rule makes one of the other.
  private static let pairs: [(String, String)] = [
    ("grey", "gray"), ("greyish", "grayish"), ("aeroplane", "airplane"), ("aeroplanes", "airplanes"),
    ("aluminium", "aluminum"), ("tyre", "tire"), ("tyres", "tires"), ("pyjamas", "pajamas"),
    ("moustache", "mustache"), ("doughnut", "donut"), ("doughnuts", "donuts"), ("axe", "ax"),
    ("plough", "plow"), ("kerb", "curb"), ("cheque", "check"), ("chequered", "checkered"),
    ("jewellery", "jewelry"), ("storey", "story"), ("cosy", "cozy"), ("yoghurt", "yogurt"),
    ("programme", "program"), ("mould", "mold"), ("sceptre", "scepter"), ("omelette", "omelet"),
    ("draught", "draft"), ("chilli", "chili"), ("woollen", "woolen"), ("whisky", "whiskey"),
  ]
  private static let table: [String: String] = Dictionary(
    (pairs + pairs.map { ($1, $0) }), uniquingKeysWith: { first, _ in first })
  /// How words end here and there.
  private static let endings: [(String, String)] = [
    ("our", "or"), ("oured", "ored"), ("ours", "ors"), ("ourful", "orful"), ("tre", "ter"), ("tres", "ters"),
    ("bre", "ber"), ("ise", "ize"), ("ised", "ized"), ("yse", "yze"), ("ogue", "og"), ("elled", "eled"),
    ("elling", "eling"), ("eller", "eler"), ("ence", "ense"),
  ]

  /// The same word as it is spelt elsewhere, the likeliest first; most have no other spelling, and not each of these is a
  /// word.
  ///
  /// - Parameter word: in lower case.
  static func others(of word: String) -> [String] {
    var found = table[word].map { [$0] } ?? []
    for (british, american) in endings {
      for (here, there) in [(british, american), (american, british)]
      where word.count > here.count + 1 && word.hasSuffix(here) {
        found.append(word.dropLast(here.count) + there)
      }
    }
    return found
  }
}
