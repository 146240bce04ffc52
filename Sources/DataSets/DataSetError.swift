/// What keeps data from being read or made: where, what, and the next move, in one line.
public struct DataSetError: Error, CustomStringConvertible, Equatable {
  /// The file, folder or line that it is about.
  public let place: String
  /// What is wrong, without the place.
  public let reason: String

  /// An error about a place; `reason` is a part of a sentence without a full stop.
  public init(_ place: String, _ reason: String) { (self.place, self.reason) = (place, reason) }

  public var description: String { "\(place): \(reason)" }
}
