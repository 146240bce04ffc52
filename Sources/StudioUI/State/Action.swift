import Frames
import SessionLog

/// What can happen to the studio.
public enum Action: Sendable {
  case key(Key)
  case resized(Size, cell: Size)
  /// The clock, in seconds since the studio began.
  case tick(Double)
  /// An entry of the session: from the model, or from a session that is played.
  case session(SessionEvent)
  case modelReady(name: String, parameters: Int, bytes: Int, canDraw: Bool)
  case modelFailed(String)
  case token(request: Int, String)
  case step(request: Int, Int, of: Int, picture: Int, preview: String?)
  case ended(request: Int)
  case pictureKnown(String, Size)
  /// Its file is gone or damaged.
  case pictureMissing(String)
  case differenceKnown(String, String)
  /// Another session is open now; what it holds follows as `session`.
  case sessionOpened(isReadOnly: Bool)
  case attached(Attachment)
  case toast(String, isError: Bool)
  case edited(String)
  /// What a typed path may become: as far as it is clear, and the names that it may go on with.
  case pathCompleted(typed: String, path: String, names: [String])
  case folderRead(String, [Choice])
  case sessionsRead([Choice])
  case searched([Choice])
  /// Pictures of all sessions, the oldest first.
  case picturesRead([String], origins: [String: PictureOrigin])
  case played([SessionEntry], speed: Double, idleLimit: Double)
  case themesRead([Theme])
}

/// What the studio wants done. Values: the reducer itself does nothing.
public enum Effect: Equatable, Sendable {
  case ask(request: Int, text: String, pictures: [String], temperature: Float, seed: UInt64)
  case draw(request: Int, DrawingSettings, count: Int, parent: String?)
  /// Ends a request at its next step.
  case cancel(request: Int, discarding: Bool)
  /// Adds an event to the session and gives it back as `Action.session`.
  case record(SessionEvent)
  case attach(path: String)
  case save(picture: String, path: String)
  /// Works out how two pictures differ, in words and as a heat map.
  case measureDifference(Comparison)
  case copy(String)
  case openEditor(String)
  case readFolder(String)
  /// Finds what a path behind `@` may become.
  case completePath(String)
  case readSessions
  /// Looks through all sessions for their pictures.
  case readPictures
  /// Shows a file in the list of files, under `ListOverlay.previewName`.
  case preview(path: String)
  case search(String)
  case play(session: String)
  case export(format: String)
  case newSession
  case openSession(String)
  case loadModel(String)
  case theme(String)
  case rememberPrompt(String)
  case captureMouse(Bool)
  case reportDoctor
  /// Draws the whole screen anew.
  case repaint
  case suspend
  case leave
}
