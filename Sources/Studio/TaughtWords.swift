import Foundation
import StudioUI

extension Vocabulary {
  /// What the model in a folder was taught; nil where its folder does not say.
  public init?(modelFolder folder: String) {
    guard let text = try? String(contentsOfFile: "\(folder)/things.txt", encoding: .utf8) else { return nil }
    self.init(text)
  }
}
