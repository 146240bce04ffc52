/// A name that a mistyped one may have meant.
public enum NearestName {
  /// The name that fewest changes lead to; nil where even those are many.
  public static func of(_ word: String, among names: [String]) -> String? {
    let best = names.map { ($0, distance(word.lowercased(), $0.lowercased())) }.min { $0.1 < $1.1 }
    guard let (name, changes) = best, changes <= 2, 2 * changes < max(word.count, name.count) else {
      return nil
    }
    return name
  }

  /// Letters put in, left out, exchanged for others or swapped with their neighbour.
  private static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a), b = Array(b)
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
