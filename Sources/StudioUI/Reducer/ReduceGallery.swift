import Frames
import Requests
import SessionLog

extension StudioState {
  mutating func perform(_ command: Command, inGalleryAt selected: Int, _ isOfAll: Bool) -> [Effect] {
    let transcript = conversation.transcript
    if command == .switchAlbum {
      if !isOfAll { return [.readPictures] }
      let last = transcript.gallery.count - 1
      overlays.top = last < 0 ? nil : .gallery(selected: last, isOfAll: false)
      return []
    }
    let pictures = galleryPictures(isOfAll: isOfAll), columns = GalleryLayout(self).columns
    guard pictures.indices.contains(selected) else {
      overlays.top = nil
      return []
    }
    func go(_ by: Int) -> [Effect] {
      overlays.top = .gallery(selected: max(0, min(pictures.count - 1, selected + by)), isOfAll: isOfAll)
      return []
    }
    let picture = pictures[selected]
    switch command {
    case .previousPicture: return go(-1)
    case .nextPicture: return go(1)
    case .pictureAbove: return go(-columns)
    case .pictureBelow: return go(columns)
    case .firstPicture: return go(-pictures.count)
    case .lastPicture: return go(pictures.count)
    case .viewPicture: overlays.lay(.viewer(picture))
    case .comparePrevious:
      let other = selected > 0 ? pictures[selected - 1] : pictures[pictures.count - 1]
      return compare(Comparison(left: other, right: picture))
    case .star:
      return recording(.starred(picture: picture, isStarred: !transcript.starred.contains(picture)))
    default: return use(picture, command)
    }
    return []
  }

  /// A picture alone.
  mutating func perform(_ command: Command, on picture: PictureID) -> [Effect] {
    guard command == .previousPicture || command == .nextPicture else { return use(picture, command) }
    let list = galleryPictures(isOfAll: !conversation.transcript.gallery.contains(picture))
    guard let at = list.firstIndex(of: picture) else { return [] }
    let next = at + (command == .previousPicture ? -1 : 1)
    overlays.top = .viewer(list[max(0, min(list.count - 1, next))])
    return []
  }

  /// What can be done with a picture wherever it is shown large or selected.
  private mutating func use(_ picture: PictureID, _ command: Command) -> [Effect] {
    let settings = origin(of: picture)?.settings
    switch command {
    case .reuseAll: return recall(settings, prompt: true, seed: true)
    case .reuseSeed: return recall(settings, prompt: false, seed: true)
    case .reusePrompt: return recall(settings, prompt: true, seed: false)
    case .askAbout: return attachFromOverlay(picture)
    case .saveShown: return save(picture)
    default: return []
    }
  }

  /// Brings a picture's prompt and settings back.
  private mutating func recall(_ settings: ImageSettings?, prompt wantsPrompt: Bool, seed wantsSeed: Bool)
    -> [Effect]
  {
    guard let settings else { return fail("this picture was not drawn here; it has no settings") }
    overlays.top = nil
    if wantsPrompt { prompt.editor.set(settings.prompt) }
    if wantsSeed { inspector.controls.seed = settings.seed }
    let changed = wantsPrompt || !wantsSeed ? inspector.controls.take(settings) : []
    prompt.mode = .imagine
    say(
      ([wantsPrompt ? "prompt and settings restored" : "seed \(settings.seed)"] + changed).joined(
        separator: "; "))
    return []
  }

  private mutating func attachFromOverlay(_ picture: PictureID) -> [Effect] {
    guard picture != .testCard else {
      return fail("the test card is for your eyes, not for the model's")
    }
    prompt.attachments.append(Attachment(picture: picture, name: "picture"))
    (prompt.mode, overlays.top) = (.ask, nil)
    // One of another session becomes this one's, with the settings that drew it.
    guard !conversation.transcript.gallery.contains(picture), let origin = album.otherOrigins[picture],
      !conversation.isReadOnly, conversation.replay == nil
    else { return [] }
    return [
      .record(.attached(picture: picture, name: "a picture of another session", settings: origin.settings))
    ]
  }

  /// Saves a picture of a session.
  mutating func save(_ picture: PictureID, path: String = "") -> [Effect] {
    guard picture != .testCard else { return fail("the test card is no picture of this session") }
    return [.save(picture: picture, path: path, prompt: origin(of: picture)?.settings.prompt ?? "picture")]
  }
}
