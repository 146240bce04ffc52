/// How training scenes show their things.
public enum SceneStyle: String, Codable, Sendable, CaseIterable {
  /// In all sizes and tilts, mirrored or not, by every picture of a class, several kinds together too: what a model
  /// that sees must know.
  case varied
  /// Large, almost upright, by one picture of a class, of one kind or two: what a small model that draws can learn to
  /// draw well.
  case clear

  /// Radians to either side.
  var tilt: Double { self == .varied ? 0.22 : 0.06 }
  /// Where in a range of sizes the smallest lies, 0 = its beginning.
  var leastSize: Double { self == .varied ? 0 : 0.6 }
}
