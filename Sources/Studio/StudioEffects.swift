import Engine
import Files
import Foundation
import Frames
import SessionLog
import StudioUI
import Terminal

/// What reaches the interface's thread from others.
enum StudioMessage: Sendable {
  case action(Action)
  case modelLoaded(ModelFacts, StudioEngine)
  case redraw
}

/// Does what the state asks for. What it finds comes back as actions, at once or by the mailbox; the state itself is
/// out of its reach.
final class StudioEffects {
  let mailbox: Mailbox<StudioMessage>
  let screen: Screen
  let recorder: SessionRecorder
  let engines: EngineDesk
  private let pictures: PictureDesk
  /// Whether the person wants to leave, or the terminal is gone.
  private(set) var hasLeft = false
  /// Whether nobody is there any more who could be asked.
  private var isUnattended = false
  /// What a person who wants to leave was told would be lost.
  private var toldLost: String?
  /// What is said at the end of a text that was in an editor; nil where none was.
  var keptDraft: String?

  init(
    recorder: SessionRecorder, source: PictureSource, modelFolder: String, graphics: Graphics?,
    usesColours: Bool
  ) {
    let mailbox = Mailbox<StudioMessage>()
    let cache = EncodedPictureCache(load: { source.picture($0) }, onReady: { mailbox.post(.redraw) })
    (self.mailbox, self.recorder) = (mailbox, recorder)
    screen = Screen(graphics: graphics, usesColours: usesColours, cache: cache)
    engines = EngineDesk(folder: modelFolder, mailbox: mailbox, cache: cache, source: source)
    pictures = PictureDesk(mailbox: mailbox, cache: cache, source: source, recorder: recorder)
  }

  func leave() { hasLeft = true }

  /// From here on nobody is asked anything.
  func goUnattended() { isUnattended = true }

  /// What would be lost is said once; whoever asks again after that leaves.
  private func leaveUnlessSomethingIsLost() -> [Action] {
    let lost = recorder.leftInMemory
    if let lost, lost != toldLost, !isUnattended {
      toldLost = lost
      return [.toast(lost, isError: true)]
    }
    engines.cancelAll()
    leave()
    return []
  }

  /// What another thread has to say.
  func take(_ message: StudioMessage) -> [Action] {
    switch message {
    case .action(let action):
      // What was drawn is written or dropped by now.
      if case .request(let id, .ended) = action { engines.ended(id) }
      return [action]
    case .modelLoaded(let facts, let engine):
      let ready = engines.take(facts, engine)
      return recorder.opened(by: facts) + [ready]
    case .redraw: return []
    }
  }

  func perform(_ effect: Effect, _ state: StudioState) -> [Action] {
    switch effect {
    case .start(let id, let request):
      return engines.start(id, request, showsPictures: state.terminal.hasPictures)
    case .cancel(let id): engines.cancel(id)
    case .forgetTurns: engines.forget()
    case .drawThing(let name): engines.draw(thing: name)
    case .judge(let picture, let parts): engines.judge(picture, parts)
    case .measureMove(let pair): pictures.measureMove(pair)
    case .loadModel(let folder): engines.load(TypedPath.modelFolder(folder))
    case .checkModel(let folder): return engines.check(folder)
    case .findModel(let model): find(model)
    case .record(let event): return recorder.record(event)
    case .newSession: return recorder.begin(leaving: state.work.running?.id)
    case .openSession(let id, let place):
      return recorder.open(id, leaving: state.work.running?.id) + (place.map { [.placeWanted($0)] } ?? [])
    case .renameSession, .deleteSession, .undeleteSession: return performSession(effect)
    case .play(let name): return recorder.play(name)
    case .export(let format, let path):
      return recorder.export(format, to: path, running: state.work.running?.id)
    case .readSessions: return recorder.list()
    case .search(let text): return recorder.search(text)
    case .readPictures: pictures.readAll()
    case .attach(let path): return pictures.attach(path)
    case .lookUp(let text, let isSurelyPath): return pictures.lookUp(text, isSurelyPath: isSurelyPath)
    case .attachMentioned(let mentions): return pictures.attach(mentions)
    case .lookFor(let mentions): return [pictures.lookFor(mentions)]
    case .readModels: readModels()
    case .save(let picture, let path, let prompt): return pictures.save(picture, path, prompt: prompt)
    case .measureDifference(let pair): pictures.measure(pair)
    case .preview(let path): pictures.preview(path)
    case .reportDoctor(let size, let model, let hasPictures):
      let report = DoctorReport(screen.facts, size: size, model: model)
      return recorder.record(.note(report.text)) + (hasPictures ? [pictures.testCard()] : [])
    case .readFolder, .completePath, .copy, .openEditor, .rememberPrompt, .captureMouse, .repaint, .suspend,
      .leave:
      return performOutside(effect)
    }
    return []
  }

  private func performSession(_ effect: Effect) -> [Action] {
    switch effect {
    case .renameSession(let id, let title): recorder.rename(id, title)
    case .deleteSession(let id): recorder.delete(id)
    case .undeleteSession: recorder.undelete()
    default: []
    }
  }

  /// Weights' headers are read off the interface's thread.
  private func readModels() {
    let mailbox = self.mailbox, current = engines.loaded
    Task.detached { mailbox.post(.action(.modelsRead(FoundModels.choices(current: current)))) }
  }

  /// Looks for a model that a log names; its files are read off the interface's thread.
  private func find(_ model: RecordedModel) {
    let mailbox = self.mailbox, near = [engines.loaded, engines.folder].compactMap(\.self)
    Task.detached {
      mailbox.post(.action(.modelFound(model, folder: RecordedModels.place(of: model, near: near))))
    }
  }

  /// The terminal, files and other programs.
  private func performOutside(_ effect: Effect) -> [Action] {
    switch effect {
    case .readFolder(let folder):
      let path = TypedPath.folder(folder)
      return [.folderRead(FileName.escaped(path), TypedPath.choices(in: path))]
    case .completePath(let typed):
      let (path, names) = TypedPath.completion(of: typed)
      return [.pathCompleted(typed: typed, path: path, names: names)]
    case .copy(let text): screen.copy(text)
    case .openEditor(let text): return edit(text)
    // What an editor has made of it is kept already.
    case .rememberPrompt(let text): if keptDraft == nil { PromptHistory.append(text) }
    case .captureMouse(let isCaptured): screen.captureMouse(isCaptured)
    // Whoever asks for it sees something wrong, which may be the size.
    case .repaint: return [resized(screen.resize())]
    case .suspend:
      screen.suspend()
      // This thread stops here: a signal to the whole process may stop another first, and this one would draw meanwhile.
      raise(SIGSTOP)
      _ = StudioSignals.takeResume()
      _ = StudioSignals.waitForForeground()
      return [resized(screen.resume())]
    case .leave: return leaveUnlessSomethingIsLost()
    default: break
    }
    return []
  }

  func resized(_ size: Size) -> Action { .resized(size, cell: screen.facts.cell) }
}
