import Files
import Foundation
import Frames
import Pictures
import Requests
import SessionLog
import StudioUI
import Terminal
import VUGEN

/// Pictures as files: attached, saved, compared, looked through.
final class PictureDesk {
  private let mailbox: Mailbox<StudioMessage>
  private let cache: EncodedPictureCache
  private let source: PictureSource
  private let recorder: SessionRecorder

  init(
    mailbox: Mailbox<StudioMessage>, cache: EncodedPictureCache, source: PictureSource,
    recorder: SessionRecorder
  ) {
    (self.mailbox, self.cache, self.source, self.recorder) = (mailbox, cache, source, recorder)
  }

  /// Keeps a file for the next question; of a folder one of its pictures can be chosen.
  func attach(_ typed: String) -> [Action] {
    let path = TypedPath.resolve(typed)
    if FileName.isFolder(path) { return choices(in: path) }
    do {
      let (attachment, told) = try kept(path)
      return told + [.attached(attachment)]
    } catch {
      return [.toast(FileName.escaped("\(error)"), isError: true)]
    }
  }

  /// What a text names that begins as a path: all of it, or, in one line, its first word.
  func lookUp(_ typed: String, isSurelyPath: Bool) -> [Action] {
    var path = TypedPath.resolve(typed), rest = ""
    if !FileName.exists(path), !typed.contains("\n"), let words = PastedPaths.words(of: typed),
      words.count > 1,
      FileName.exists(TypedPath.resolve(words[0]))
    {
      (path, rest) = (TypedPath.resolve(words[0]), words.dropFirst().joined(separator: " "))
    }
    guard FileName.exists(path) else {
      let told = "\(FileName.escaped(path)): no such file or folder; Ctrl-O lists what is there"
      return isSurelyPath ? [.toast(told, isError: true)] : []
    }
    return [.edited(rest)] + (FileName.isFolder(path) ? choices(in: path) : attach(path))
  }

  private func choices(in path: String) -> [Action] {
    let folder = TypedPath.folder(path), name = FileName.escaped(folder)
    let hasPictures = TypedPath.hasPictures(folder)
    return [
      .folderRead(name, TypedPath.choices(in: folder)),
      .toast(
        hasPictures ? "choose a picture of this folder" : "\(name) has no pictures", isError: !hasPictures),
    ]
  }

  /// Words of a prompt that name files: those that are there are kept. Where one of them cannot be read, or can only mean
  /// a file and there is none, the prompt comes back as it was.
  func attach(_ mentions: Mentions) -> [Action] {
    var found: [Int: Attachment] = [:], actions: [Action] = []
    let mentions = mentions.withBlanks(Self.isFile, orFolder: Self.isFolder)
    for (i, word) in mentions.words.enumerated() {
      let path = TypedPath.named(word.path)
      if FileName.isFolder(path) {
        let name = FileName.escaped(word.path)
        let told = "\(name) is a folder, and no picture; /image \(name) lists its pictures"
        return actions + [.edited(mentions.text), .toast(told, isError: true)]
      }
      guard Self.isFile(path) || Mentions.isPath(word) else { continue }
      do {
        let (attachment, told) = try kept(path)
        found[i] = attachment
        actions += told
      } catch {
        return actions + [.edited(mentions.text), .toast(FileName.escaped("\(error)"), isError: true)]
      }
    }
    return actions + [.mentionsFound(mentions, found)]
  }

  private static func isFile(_ typed: String) -> Bool {
    let path = TypedPath.named(typed)
    return FileName.exists(path) && !FileName.isFolder(path)
  }

  private static func isFolder(_ typed: String) -> Bool {
    typed.contains { $0.isLetter || $0.isNumber } && FileName.isFolder(TypedPath.named(typed))
  }

  /// Which words behind `@` name nothing, while they are written; folders may go on.
  func lookFor(_ mentions: Mentions) -> Action {
    let words = mentions.withBlanks(Self.isFile, orFolder: Self.isFolder)
    let absent = words.words.indices.filter { !FileName.exists(TypedPath.named(words.words[$0].path)) }
    return .mentionsLookedUp(words, absent: absent)
  }

  /// A pipe would be waited for, and nothing else would happen meanwhile.
  private static func limits(_ most: Int) -> Picture.Limits {
    var limits = Picture.Limits(enough: most)
    limits.takesPipes = false
    return limits
  }

  /// Keeps a file as a picture of the session, and says what is to be known of it.
  private func kept(_ path: String) throws -> (Attachment, [Action]) {
    // Kept at a size that a model reads: a photograph's millions of pixels are of no use here.
    let most = 1024
    let picture = try Picture(path: path, limits: Self.limits(most)).fitted(most)
    let hash = try recorder.keep(picture.pngData())
    cache.add(picture, hash)
    let name = FileName.escaped(FileName.last(of: path))
    var actions: [Action] = [.pictureKnown(hash, Size(picture.width, picture.height))]
    let file = try MappedFile(path: path)
    let texts = withExtendedLifetime(file) { Picture.texts(of: file.bytes) }
    if let told = TextToImageSettings(texts: texts) {
      // Its settings can then be used again from the gallery.
      actions += recorder.record(
        .attached(
          picture: hash, name: "\(name), drawn by \(told.program)", settings: told.settings,
          details: ["by \(told.program)"] + told.others))
      if told.program == TextToImageSettings.own, let other = told.model, let name = recorder.modelName,
        other != name
      {
        actions.append(
          .toast(
            "the model \(other) drew \(FileName.escaped(path)); \(name) draws another picture from its settings"
              .oneLine,
            isError: false))
      }
    }
    return (Attachment(picture: hash, name: name), actions)
  }

  /// A file of the list, small; off the interface's thread. One that cannot be read shows nothing.
  func preview(_ path: String) {
    let name = PictureID.file(path), cache = self.cache, mailbox = self.mailbox, most = 256
    let limits = Self.limits(most)
    Task.detached {
      guard let small = try? Picture(path: path, limits: limits).fitted(most) else { return }
      cache.add(small, name)
      // The file's own size, not that of what is shown of it.
      var size = Size(small.width, small.height)
      if max(size.width, size.height) >= most, let own = Picture.size(at: path) {
        size = Size(own.width, own.height)
      }
      mailbox.post(.action(.pictureKnown(name, size)))
    }
  }

  /// The file as it was drawn, with its settings.
  func save(_ picture: PictureID, _ typed: String, prompt: String) -> [Action] {
    let name = "\(FileName.stem(of: prompt, most: 40))-\(picture.short.prefix(6)).png"
    var path = typed.isEmpty ? name : TypedPath.resolve(typed)
    // A name that the program chooses is a free one.
    let isPlace = typed.isEmpty || FileName.isFolder(path)
    if !typed.isEmpty, isPlace { path = TypedPath.path(of: name, in: path) }
    if !AtomicFile.isSpecial(path), let reason = WrittenFormat.objection(to: path) {
      return [.toast(reason, isError: true)]
    }
    if !isPlace, let objection = TypedPath.objection(toWriting: path) {
      return [.toast(objection, isError: true)]
    }
    do {
      let bytes: Data
      if let stored = source.bytes(of: picture) {
        bytes = stored
      } else if let picture = cache.picture(picture) {
        bytes = Data(try picture.pngData())
      } else {
        return [.toast("the picture no longer exists", isError: true)]
      }
      // Another program may write there at this moment.
      let written = try FileReservation.withName(path) { free in
        try AtomicFile.write(Self.converted(bytes, for: free), to: free)
        return free
      }
      return [.toast("saved \(FileName.escaped(written))", isError: false)]
    } catch {
      return [.toast(FileName.escaped("\(error)"), isError: true)]
    }
  }

  /// A stored PNG as the kind of file that a name tells, with what it says of itself.
  private static func converted(_ png: Data, for path: String) throws -> Data {
    guard let format = WrittenFormat(path: path), format != .png else { return png }
    let bytes = [UInt8](png)
    return Data(try Picture(bytes: bytes, name: path).data(format, texts: Picture.texts(bytes: bytes)))
  }

  /// PSNR, the share of pixels that differ, and a heat map; off the interface's thread.
  func measure(_ pair: Comparison) {
    let cache = self.cache, mailbox = self.mailbox
    Task.detached {
      guard let left = cache.picture(pair.left), let right = cache.picture(pair.right) else { return }
      let other =
        right.width == left.width && right.height == left.height
        ? right : right.resizedBicubic(width: left.width, height: left.height)
      let (map, share) = left.difference(from: other)
      cache.add(map, pair.heatMap)
      let psnr = left.psnr(other)
      let text =
        psnr.isFinite
        ? String(format: "PSNR %.1f dB, %.0f %% of the pixels differ visibly", psnr, 100 * share)
        : "none: they are identical"
      mailbox.post(.action(.pictureKnown(pair.heatMap, Size(map.width, map.height))))
      mailbox.post(.action(.differenceKnown(pair.heatMap, text)))
    }
  }

  /// How far two neighbours of a sweep are apart: the share of pixels that differ visibly.
  func measureMove(_ pair: Comparison) {
    let cache = self.cache, mailbox = self.mailbox
    Task.detached {
      guard let left = cache.picture(pair.left), let right = cache.picture(pair.right),
        left.width == right.width, left.height == right.height
      else { return mailbox.post(.action(.moveKnown(pair.heatMap, 0))) }
      mailbox.post(.action(.moveKnown(pair.heatMap, left.difference(from: right).share)))
    }
  }

  func testCard() -> Action {
    cache.add(TestCard.picture(), .testCard)
    return .testCardDrawn(Size(TestCard.width, TestCard.height))
  }

  /// Looks through the sessions off the interface's thread.
  func readAll() {
    let album = SessionAlbum(source: source, mailbox: mailbox)
    Task.detached { album.read() }
  }
}

/// The pictures of all sessions, for the gallery.
private struct SessionAlbum: Sendable {
  let source: PictureSource
  let mailbox: Mailbox<StudioMessage>
  private static let mostSessions = 500

  /// Posts the pictures of the sessions used last with their settings, the one used last at the end.
  func read() {
    let store = source.store
    var pictures: [PictureID] = [], known: Set<PictureID> = [], origins: [PictureID: PictureOrigin] = [:]
    var names: [PictureID: String] = [:]
    for id in store.ids().prefix(Self.mostSessions).reversed() {
      guard let entries = try? store.read(id).entries else { continue }
      var transcript = Transcript()
      for entry in entries { transcript.apply(entry.event) }
      guard !transcript.gallery.isEmpty else { continue }
      source.use(id)
      names.merge(entries.pictureNames) { _, new in new }
      for picture in transcript.gallery where known.insert(picture).inserted {
        pictures.append(picture)
        origins[picture] = transcript.origins[picture]
        let size = source.size(of: picture).map { Size($0.width, $0.height) }
        mailbox.post(.action(size.map { .pictureKnown(picture, $0) } ?? .pictureMissing(picture)))
      }
    }
    mailbox.post(.action(.picturesRead(pictures, origins: origins, names: names)))
  }
}
