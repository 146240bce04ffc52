import Engine
import Foundation
import Frames
import ModelFiles
import Pictures
import SessionLog
import StudioUI
import Terminal
import VUGEN

extension StudioApp {
  /// Does what the state asks for; what it finds comes back as actions.
  func perform(_ effect: Effect) -> [Action] {
    switch effect {
    case .ask(let request, let text, let pictures, let temperature, let seed):
      let known = pictures.compactMap { shelf.picture($0) }
      guard known.count == pictures.count else {
        record(.failed(request: request, reason: "the picture is missing; its question cannot be answered"))
        return [.ended(request: request)]
      }
      start(request, .ask(question: text, pictures: known, temperature: temperature, seed: seed))
    case .draw(let request, let settings, let count, let parent):
      startDrawing(request, settings, count, parent)
    case .cancel(let request, let discarding): cancel(request, discarding: discarding)
    case .record(let event): record(event)
    case .attach(let path): return attach(path)
    case .save(let picture, let path): return save(picture, path)
    case .measureDifference(let pair): measure(pair)
    case .copy(let text): screen.copy(text)
    case .openEditor(let text): return edit(text)
    case .readFolder(let folder): return readFolder(folder)
    case .completePath(let typed):
      let (path, names) = TypedPath.completion(of: typed)
      return [.pathCompleted(typed: typed, path: path, names: names)]
    case .readPictures: readPictures()
    case .preview(let path): preview(path)
    case .readSessions: return [.sessionsRead(sessionChoices(store.summaries()))]
    case .search(let text): return search(text)
    case .play(let name): return play(name)
    case .export(let format): return export(format)
    case .newSession: return newSession()
    case .openSession(let id): return open(id)
    case .loadModel(let folder):
      loadModel(EmbeddedModel.folder(for: TypedPath.resolve(folder)))
    case .theme(let name): return choose(theme: name)
    case .rememberPrompt(let text): PromptHistory.append(text)
    case .captureMouse(let isCaptured): screen.captureMouse(isCaptured)
    case .reportDoctor:
      record(.note(DoctorReport(screen.facts, size: state.size, model: state.model).text))
      guard state.hasPictures else { break }
      shelf.add(TestCard.picture(), StudioState.testCardName)
      apply(.pictureKnown(StudioState.testCardName, Size(TestCard.width, TestCard.height)))
      state.overlay = .viewer(StudioState.testCardName)
    case .repaint: screen.repaint()
    case .suspend:
      screen.suspend()
      kill(getpid(), SIGSTOP)
    case .leave: stop()
    }
    return []
  }

  private func attach(_ typed: String) -> [Action] {
    let path = TypedPath.resolve(typed)
    do {
      // Kept at a size that a model reads: a photograph's millions of pixels are of no use here.
      let most = 1024, picture = try Picture(path: path, limits: .init(enough: most))
      let side = max(picture.width, picture.height)
      let fitting =
        side <= most
        ? picture
        : picture.resizedBicubic(
          width: max(1, picture.width * most / side), height: max(1, picture.height * most / side))
      guard let hash = store(fitting, png: try fitting.pngData()) else { return [] }
      let bytes = [UInt8](try MappedFile.contents(of: path))
      if let told = TextToImageSettings(bytes: bytes) {
        // Its settings can then be used again from the gallery.
        let name = "\(URL(fileURLWithPath: path).lastPathComponent), drawn by \(told.program)"
        record(
          .attached(
            picture: hash, name: name, settings: DrawingSettings(told.settings),
            details: ["by \(told.program)"] + told.others))
      }
      return [.attached(Attachment(picture: hash, name: URL(fileURLWithPath: path).lastPathComponent))]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  /// A file of the list, small; off the interface's thread. One that cannot be read shows nothing.
  private func preview(_ path: String) {
    let name = ListOverlay.previewName(path), shelf = self.shelf, mailbox = self.mailbox
    guard state.pictureSizes[name] == nil else { return }
    Task.detached {
      let most = 256
      guard let picture = try? Picture(path: path, limits: .init(enough: most)) else { return }
      let side = max(picture.width, picture.height)
      let small =
        side <= most
        ? picture
        : picture.resizedBicubic(
          width: max(1, picture.width * most / side), height: max(1, picture.height * most / side))
      shelf.add(small, name)
      mailbox.post(.action(.pictureKnown(name, Size(small.width, small.height))))
    }
  }

  /// Looks through the sessions off the interface's thread.
  private func readPictures() {
    let album = SessionAlbum(store: store, source: pictureSource, mailbox: mailbox)
    Task.detached { album.read() }
  }

  /// The file as it was drawn, with its settings.
  private func save(_ hash: String, _ typed: String) -> [Action] {
    let words = (state.origin(of: hash)?.settings.prompt ?? "picture").lowercased()
      .map { $0.isLetter || $0.isNumber ? $0 : "-" }
    let slug = String(words).split(separator: "-").joined(separator: "-").prefix(40)
    var path = typed.isEmpty ? "\(slug)-\(hash.prefix(6)).png" : TypedPath.resolve(typed)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      path += "/\(slug)-\(hash.prefix(6)).png"
    }
    do {
      let bytes: Data
      if let stored = pictureSource.bytes(of: hash) {
        bytes = stored
      } else if let picture = shelf.picture(hash) {
        bytes = Data(try picture.pngData())
      } else {
        return [.toast("the picture no longer exists", isError: true)]
      }
      try AtomicFile.write(Self.converted(bytes, for: path), to: path)
      return [.toast("saved \(path)", isError: false)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  /// A stored PNG as the kind of file that a name tells, with what it says of itself.
  private static func converted(_ png: Data, for path: String) throws -> Data {
    guard let format = WrittenFormat(path: path), format != .png else { return png }
    let bytes = [UInt8](png)
    return Data(try Picture(bytes: bytes, name: path).data(format, texts: Picture.texts(bytes: bytes)))
  }

  /// PSNR, the share of pixels that differ, and a heat map; off the interface's thread.
  private func measure(_ pair: Comparison) {
    let shelf = self.shelf, mailbox = self.mailbox
    Task.detached {
      guard let left = shelf.picture(pair.left), let right = shelf.picture(pair.right) else { return }
      let other =
        right.width == left.width && right.height == left.height
        ? right : right.resizedBicubic(width: left.width, height: left.height)
      let (map, share) = left.difference(from: other)
      shelf.add(map, pair.heatMap)
      let psnr = left.psnr(other)
      let text =
        psnr.isFinite
        ? String(format: "PSNR %.1f dB, %.0f %% of the pixels differ visibly", psnr, 100 * share)
        : "none: they are identical"
      mailbox.post(.action(.pictureKnown(pair.heatMap, Size(map.width, map.height))))
      mailbox.post(.action(.differenceKnown(pair.heatMap, text)))
    }
  }

  private func edit(_ text: String) -> [Action] {
    let environment = ProcessInfo.processInfo.environment
    let editor = environment["VISUAL"] ?? environment["EDITOR"] ?? "vi"
    let path = NSTemporaryDirectory() + "vugen-prompt-\(getpid()).txt"
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard (try? text.write(toFile: path, atomically: true, encoding: .utf8)) != nil else {
      return [.toast("\(path): cannot be written", isError: true)]
    }
    StudioSignals.lendTerminal(true)
    defer { StudioSignals.lendTerminal(false) }
    screen.suspend()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "exec \(editor) \"$1\"", "sh", path]
    var problem: String?
    do {
      try process.run()
      process.waitUntilExit()
      if process.terminationStatus != 0 {
        problem = "'\(editor)' ended with status \(process.terminationStatus)"
      }
    } catch {
      problem = "'\(editor)' cannot be run; set EDITOR"
    }
    screen.resume()
    if let problem { return [.toast(problem, isError: true)] }
    let edited = (try? String(contentsOfFile: path, encoding: .utf8)) ?? text
    return [.edited(edited.trimmingCharacters(in: .newlines))]
  }

  private func readFolder(_ folder: String) -> [Action] {
    var path = folder.isEmpty ? FileManager.default.currentDirectoryPath : folder
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if path.isEmpty { path = "/" }
    return [.folderRead(path, TypedPath.choices(in: path))]
  }

  // MARK: Sessions

  private func sessionChoices(_ summaries: [SessionStore.Summary]) -> [Choice] {
    summaries.map {
      Choice(
        title: $0.title, detail: "\($0.id.prefix(15)) · \($0.contents)",
        value: $0.id)
    }
  }

  private func search(_ text: String) -> [Action] {
    guard text.count >= 2 else { return [.searched([])] }
    do {
      let hits = try SessionSearch(store).find(text, most: 50)
      return [
        .searched(
          hits.map {
            Choice(
              title: $0.text.replacing("\n", with: " "), detail: "\($0.title) · \($0.id.prefix(15))",
              value: $0.id)
          })
      ]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  private func export(_ format: String) -> [Action] {
    guard let session, session.isBegun else {
      return [.toast("there is nothing on the disk of this session yet", isError: true)]
    }
    do {
      let path = try SessionExport(store, session.id).write(format, to: nil)
      return [.toast("wrote \(path)", isError: false)]
    } catch {
      return [.toast("\(error)", isError: true)]
    }
  }

  private func choose(theme name: String) -> [Action] {
    guard let theme = state.themes.first(where: { $0.name == name }) else {
      let names = state.themes.map(\.name).joined(separator: ", ")
      return [.toast("unknown theme '\(name)'; choose from \(names)", isError: true)]
    }
    state.theme = usesColours ? theme : theme.withoutColours
    screen.repaint()
    return [.toast("theme \(name); to keep it, put theme = \"\(name)\" in config.toml", isError: false)]
  }
}

/// The pictures of all sessions, for the gallery.
private struct SessionAlbum: Sendable {
  let store: SessionStore
  let source: PictureSource
  let mailbox: Mailbox<StudioMessage>
  private static let mostSessions = 500

  /// Posts the newest sessions' pictures with their settings, the oldest first.
  func read() {
    var pictures: [String] = [], known: Set<String> = [], origins: [String: PictureOrigin] = [:]
    for id in store.ids().prefix(Self.mostSessions).reversed() {
      guard let entries = try? store.read(id).entries else { continue }
      var transcript = Transcript()
      for entry in entries { transcript.apply(entry.event) }
      guard !transcript.gallery.isEmpty else { continue }
      source.use(id)
      for picture in transcript.gallery where known.insert(picture).inserted {
        pictures.append(picture)
        origins[picture] = transcript.origins[picture]
        let size = source.size(of: picture).map { Size($0.width, $0.height) }
        mailbox.post(.action(size.map { .pictureKnown(picture, $0) } ?? .pictureMissing(picture)))
      }
    }
    mailbox.post(.action(.picturesRead(pictures, origins: origins)))
  }
}

/// Earlier prompts, in the state folder.
enum PromptHistory {
  private static var path: String { Paths.state() + "/history" }

  static func read() -> [String] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").suffix(1000).map { String($0).replacing("\u{1F}", with: "\n") }
  }

  /// A history that cannot be written must not disturb the work.
  static func append(_ text: String) {
    try? FileManager.default.createDirectory(atPath: Paths.state(), withIntermediateDirectories: true)
    let descriptor = Glibc.open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    let line = Array((text.replacing("\n", with: "\u{1F}") + "\n").utf8)
    _ = write(descriptor, line, line.count)
    close(descriptor)
  }
}

/// Names for new sessions.
enum StudioSession {
  static func newID() -> String {
    SessionFile.newID(at: Date().timeIntervalSince1970, random: UInt32.random(in: 0..<1_679_616))
  }
}
