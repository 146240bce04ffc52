import Files
import Foundation
import Training

/// Where a run's latents lie: in its folder, or in one that it shares with others, to which a link in its folder leads, so
/// that it is found when the run is resumed.
enum LatentPlace {
  static func own(of run: String) -> String { run + "/latents" }

  /// What a person named: a folder of latents, or a run, which stands for those in it. Throws `RecipeError` for a folder
  /// that holds something else of this program's.
  static func named(_ folder: String) throws -> String {
    if FileName.exists(folder + "/recipe.toml") { return own(of: folder) }
    guard let held = OutputFolder.contents(of: folder) else { return folder }
    throw RecipeError("\(folder): holds \(held); name a folder of latents, or a run that has them")
  }

  /// Makes the link, and the folder that it leads to. Throws `RecipeError` or `FileAccessError`.
  ///
  /// - Parameter shared: nil for what the run has.
  static func settle(_ shared: String?, of run: String) throws {
    let own = own(of: run), isLink = FileName.isLink(own)
    guard let shared else {
      guard !isLink || FileName.isFolder(own) else {
        throw RecipeError(
          "\(own): \(FileName.absence(own)); the run's latents lay there: name their folder by --latents")
      }
      return
    }
    let place = URL(fileURLWithPath: shared).standardizedFileURL.path
    guard place != URL(fileURLWithPath: own).standardizedFileURL.path else { return }
    guard isLink || !FileName.isTaken(own) else {
      throw RecipeError(
        "\(own): the run has latents of its own; leave out --latents, or move that folder to \(shared)")
    }
    try FileName.makeFolder(place)
    if (try? FileManager.default.destinationOfSymbolicLink(atPath: own)) == place { return }
    if isLink { FileName.remove(own) }
    do { try FileManager.default.createSymbolicLink(atPath: own, withDestinationPath: place) } catch {
      throw FileAccessError(own, "cannot be made: \(FileName.reason(of: error))")
    }
  }
}
