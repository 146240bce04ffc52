import ModelFiles

extension Tokenizer {
  /// The tokenizer of a model's folder. Throws `ModelFileError` where it is missing, damaged, or another model's.
  public convenience init(folder: String, for configuration: UnderstandingConfiguration) throws {
    try self.init(folder: folder)
    try check(against: configuration, folder: folder)
  }

  /// Throws `ModelFileError` where this is another model's: it knows more tokens than the model, lacks one that every
  /// prompt needs, or has pictures' places under another number.
  func check(against configuration: UnderstandingConfiguration, folder: String) throws {
    func another(_ reason: String) -> ModelFileError {
      ModelFileError(
        folder, "the tokenizer is another model's: \(reason); copy tokenizer.json from the model's source")
    }
    guard vocabularySize <= configuration.text.vocabulary else {
      throw another("it knows \(vocabularySize) tokens and the model \(configuration.text.vocabulary)")
    }
    let form = configuration.form
    if let missing = form.marks.first(where: { specialTokens[$0] == nil }) {
      throw another("it has no '\(missing)'")
    }
    if let place = specialTokens[form.imageMark], place != configuration.imageToken {
      throw another("its '\(form.imageMark)' is token \(place) and the model's \(configuration.imageToken)")
    }
  }
}
