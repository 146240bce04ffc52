/// What keeps data from being read or made: where, what, and the next move, in one line.
public struct DataSetError: Error, CustomStringConvertible, Equatable {
  public let place: String
  public let reason: String

  public init(_ place: String, _ reason: String) { (self.place, self.reason) = (place, reason) }

  public var description: String { "\(place): \(reason)" }
}
