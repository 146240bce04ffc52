/// What a drawing takes where nobody says otherwise: one place for the studio, the commands and what they record.
public enum DrawingDefaults {
  /// The guidance scale: 1 is none. At 3 `nano` counts and places things better than at 5.
  public static let guidance: Float = 3
  /// What it may be, in the studio and in every command.
  public static let guidanceRange: ClosedRange<Float> = 0...15
  /// The same in words.
  public static let guidanceLimits = "\(Int(guidanceRange.lowerBound)) to \(Int(guidanceRange.upperBound))"
}
