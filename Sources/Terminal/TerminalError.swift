/// What keeps the studio from using a terminal, in one line.
public struct TerminalError: Error, CustomStringConvertible, Equatable {
  /// What is missing and what to do, in one line.
  public let description: String

  /// One line.
  public init(_ description: String) { self.description = description }
}
