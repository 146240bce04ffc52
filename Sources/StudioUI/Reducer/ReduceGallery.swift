import Frames
import Requests
import SessionLog

extension StudioState {
  /// Opens the gallery: this session's pictures, or, where it has none, those of all sessions.
  mutating func openGallery() -> [Effect] {
    let last = conversation.transcript.gallery.count - 1
    guard last >= 0 else { return [.readPictures] }
    overlays.top = .gallery(selected: last, isOfAll: false)
    return []
  }

  /// All sessions' pictures are there.
  mutating func takePictures(
    _ pictures: [PictureID], _ origins: [PictureID: PictureOrigin], _ names: [PictureID: String]
  ) -> [Effect] {
    (album.others, album.otherOrigins) = (pictures, origins)
    album.names.merge(names) { own, _ in own }
    let count = galleryPictures(isOfAll: true).count
    guard count > 0 else {
      if case .gallery = overlays.top { overlays.goBack() }
      return fail("no pictures yet; draw one with /imagine")
    }
    var gallery = GalleryOverlay(selected: count - 1, isOfAll: true)
    if case .gallery(let before) = overlays.top {
      (gallery.filter, gallery.showsStarsOnly) = (before.filter, before.showsStarsOnly)
      (gallery.isByPrompt, gallery.marks) = (before.isByPrompt, before.marks)
      gallery.selected = max(0, self.pictures(of: gallery).count - 1)
    }
    overlays.top = .gallery(gallery)
    return []
  }

  mutating func perform(_ command: Command, in gallery: GalleryOverlay) -> [Effect] {
    let pictures = pictures(of: gallery), columns = GalleryLayout(self).columns
    func go(_ by: Int) -> [Effect] {
      change { $0.selected = max(0, min(pictures.count - 1, $0.selected + by)) }
      return []
    }
    switch command {
    case .switchAlbum:
      guard gallery.isOfAll else { return [.readPictures] }
      guard !conversation.transcript.gallery.isEmpty else { return fail("this session has no pictures yet") }
      change { $0.isOfAll = false }
      selectLast()
    case .filterGallery, .eraseGalleryFilter, .endGalleryFilter, .clearGalleryFilter, .starsOnly,
      .sortGallery:
      look(command)
    case .previousPicture: return go(-1)
    case .nextPicture: return go(1)
    case .pictureAbove: return go(-columns)
    case .pictureBelow: return go(columns)
    case .firstPicture: return go(-pictures.count)
    case .lastPicture: return go(pictures.count)
    default:
      guard pictures.indices.contains(gallery.selected) else { return [] }
      return perform(command, on: pictures[gallery.selected], of: gallery, pictures)
    }
    return []
  }

  /// What is done with the selected picture.
  private mutating func perform(
    _ command: Command, on picture: PictureID, of gallery: GalleryOverlay, _ pictures: [PictureID]
  ) -> [Effect] {
    switch command {
    case .viewPicture: overlays.lay(.viewer(picture))
    case .mark:
      change { overlay in
        if let at = overlay.marks.firstIndex(of: picture) {
          overlay.marks.remove(at: at)
        } else {
          overlay.marks = overlay.marks.suffix(1) + [picture]
        }
      }
    case .comparePrevious:
      if gallery.marks.count == 2 {
        return compare(Comparison(left: gallery.marks[0], right: gallery.marks[1]))
      }
      let other =
        gallery.marks.first { $0 != picture }
        ?? (gallery.selected > 0 ? pictures[gallery.selected - 1] : pictures[pictures.count - 1])
      return compare(Comparison(left: other, right: picture))
    case .deletePicture: return delete(picture)
    default: return use(picture, command)
    }
    return []
  }

  /// Another look at the gallery; the selection stays on its picture where that is still there.
  private mutating func look(_ command: Command) {
    change { gallery in
      switch command {
      case .filterGallery: gallery.isFiltering = true
      case .eraseGalleryFilter: gallery.filter = String(gallery.filter.dropLast())
      case .endGalleryFilter: gallery.isFiltering = false
      case .clearGalleryFilter: (gallery.isFiltering, gallery.filter) = (false, "")
      case .starsOnly: gallery.showsStarsOnly.toggle()
      case .sortGallery: gallery.isByPrompt.toggle()
      default: break
      }
    }
  }

  /// Changes the gallery, where it is what lies on top.
  mutating func change(_ change: (inout GalleryOverlay) -> Void) {
    guard case .gallery(var gallery) = overlays.top else { return }
    let before = pictures(of: gallery), selected = gallery.selected
    change(&gallery)
    let after = pictures(of: gallery)
    if after != before, gallery.selected == selected, before.indices.contains(selected) {
      gallery.selected = after.firstIndex(of: before[selected]) ?? min(selected, max(0, after.count - 1))
    }
    overlays.top = .gallery(gallery)
  }

  private mutating func selectLast() {
    guard case .gallery(var gallery) = overlays.top else { return }
    gallery.selected = max(0, pictures(of: gallery).count - 1)
    overlays.top = .gallery(gallery)
  }

  /// It is shown no more; its file stays, and `/redo` brings it back.
  private mutating func delete(_ picture: PictureID) -> [Effect] {
    guard conversation.transcript.gallery.contains(picture) else {
      return fail("this picture belongs to another session; open that session to delete it")
    }
    let effects = recording(.deleted(picture: picture, isDeleted: true))
    guard effects == [.record(.deleted(picture: picture, isDeleted: true))] else { return effects }
    conversation.undone.append(.picture(picture))
    if prompt.subject == .picture(picture) { prompt.subject = .newest }
    say(Self.toldOfDeletion)
    return effects
  }

  /// Said in the gallery, and of no use anywhere else.
  private static let toldOfDeletion = "deleted; z restores it"

  /// The selection is on a picture, or there is no gallery any more.
  mutating func refreshGallery() {
    guard case .gallery(var gallery) = overlays.top else {
      if toast?.text == Self.toldOfDeletion { toast = nil }
      return
    }
    let count = pictures(of: gallery).count
    if count == 0, galleryPictures(isOfAll: gallery.isOfAll).isEmpty, conversation.undone.isEmpty {
      overlays.goBack()
    } else if gallery.selected >= count {
      gallery.selected = max(0, count - 1)
      overlays.top = .gallery(gallery)
    }
  }

  mutating func takeMouse(_ mouse: Key.Mouse, over gallery: GalleryOverlay) -> [Effect] {
    let layout = GalleryLayout(self), count = pictures(of: gallery).count
    switch mouse.kind {
    case .wheelUp: change { $0.selected = max(0, $0.selected - layout.columns) }
    case .wheelDown: change { $0.selected = max(0, min(count - 1, $0.selected + layout.columns)) }
    case .press:
      guard let place = layout.place(at: mouse.x, mouse.y, selected: gallery.selected), place < count else {
        return []
      }
      if place == gallery.selected { return perform(.viewPicture, in: gallery) }
      change { $0.selected = place }
    default: break
    }
    return []
  }

  /// A picture alone.
  mutating func perform(_ command: Command, on picture: PictureID) -> [Effect] {
    guard command == .previousPicture || command == .nextPicture else { return use(picture, command) }
    var list = galleryPictures(isOfAll: !conversation.transcript.gallery.contains(picture))
    if case .gallery(let gallery) = overlays.below.last { list = pictures(of: gallery) }
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
    case .star:
      guard picture.stored != nil else { return fail("only pictures of a session can be starred") }
      let isStarred = conversation.transcript.starred.contains(picture)
      return recording(.starred(picture: picture, isStarred: !isStarred))
    default: return []
    }
  }

  /// A picture's prompt and settings are used again.
  mutating func choose(_ picture: PictureID) -> [Effect] {
    let settings = origin(of: picture)?.settings
    if let settings { conversation.lastDrawing = settings }
    return recall(settings, prompt: true, seed: true)
  }

  /// Brings a picture's prompt and settings back.
  private mutating func recall(_ settings: ImageSettings?, prompt wantsPrompt: Bool, seed wantsSeed: Bool)
    -> [Effect]
  {
    guard let settings else { return fail("no settings to use: it was not drawn here") }
    overlays.top = nil
    if wantsPrompt {
      prompt.editor.set(settings.prompt)
      prompt.filled = settings.prompt
    }
    if wantsSeed { inspector.controls.seed = settings.seed }
    let changed = wantsPrompt || !wantsSeed ? inspector.controls.take(settings) : []
    prompt.mode = .imagine
    say(
      ([
        wantsPrompt ? "prompt and settings restored" : "",
        wantsSeed ? "seed \(settings.seed), until /seed random or /new" : "",
      ].filter { !$0.isEmpty } + changed).joined(separator: "\n"))
    return []
  }

  private mutating func attachFromOverlay(_ picture: PictureID) -> [Effect] {
    guard picture != .testCard else {
      return fail("the test card is for your eyes, not for the model's")
    }
    prompt.attachments.append(Attachment(picture: picture, name: name(of: picture) ?? "picture"))
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
    let file = name(of: picture).map { name in name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name }
    let called = origin(of: picture)?.settings.prompt ?? file ?? "picture"
    return [.save(picture: picture, path: path, prompt: called.isEmpty ? "picture" : called)]
  }
}
