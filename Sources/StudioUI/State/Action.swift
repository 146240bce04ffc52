import Frames
import Requests
import SessionLog

/// What can happen to the studio.
public enum Action: Sendable {
  case key(Key)
  /// The terminal is gone, or a signal ends the studio: it leaves without asking.
  case ended
  /// The clock, in seconds since the studio began.
  case tick(Double)

  // The terminal.
  case resized(Size, cell: Size)
  /// Whether it shows pictures is known, and how many at a time.
  case graphicsKnown(hasPictures: Bool, mostPictures: Int = .max)
  case backgroundKnown(isLight: Bool)

  // What was read when the studio began.
  case configured(Preferences)
  /// Themes that can be chosen; the chosen one where a person named it, else the background chooses.
  case themesRead([Theme], chosen: String?)
  case historyRead([String])
  /// What was wrong with what was read, each in a line.
  case complaints([String])

  // The model and its requests.
  case modelReady(name: String, parameters: Int, bytes: Int, canDraw: Bool, hash: String = "")
  case modelFailed(String)
  /// One that is to take over later cannot be loaded, and why.
  case modelUnfit(String, String)
  /// Where the model lies that a log names; nil where it is not here.
  case modelFound(RecordedModel, folder: String?)
  /// What the model was taught; nil where its folder does not say.
  case vocabularyKnown(Vocabulary?)
  /// How much of its prompt the model finds in a picture, 0…1.
  case agreementKnown(PictureID, Double)
  /// How far two pictures are apart, 0…1, by their heat map's id.
  case moveKnown(PictureID, Double)
  /// What it did aside is over, or was broken off for a request.
  case asideEnded
  case request(Int, RequestEvent<PictureID>)

  // Sessions.
  /// Another session is open now; what it holds follows as `session`. What ran belonged to the old one, and where it is one
  /// that was there before, what was set, too.
  case sessionOpened(isReadOnly: Bool, String, isError: Bool, isNew: Bool = true)
  /// An entry of the session.
  case session(SessionEvent)
  /// Requests of the session that is taken up which had not ended when its studio did, each as it begins, the model that
  /// they were asked of, and what was taken back of what had not been done.
  case leftUnfinished(
    [SessionEvent], model: RecordedModel? = nil, takenBack: TakenBackRequests = .init())
  case played(Replay)
  case sessionsRead([Choice])
  /// Models that can be loaded.
  case modelsRead([Choice])
  /// A message of the open session is to be seen.
  case placeWanted(SessionPlace)
  case searched([Choice])
  /// Pictures of all sessions, the oldest first, with what is known of their making and what files were called.
  case picturesRead(
    [PictureID], origins: [PictureID: PictureOrigin], names: [PictureID: String] = [:])

  // Pictures and files.
  case pictureKnown(PictureID, Size)
  /// Its file is gone or damaged.
  case pictureMissing(PictureID)
  case differenceKnown(PictureID, String)
  case attached(Attachment)
  /// The terminal's test card is there to be looked at.
  case testCardDrawn(Size)
  /// Which of a prompt's words behind `@` are files, by their number; those are kept as pictures.
  case mentionsFound(Mentions, [Int: Attachment])
  /// Which of the words behind `@` in what is being written name no file, by their number.
  case mentionsLookedUp(Mentions, absent: [Int])
  case folderRead(String, [Choice])
  /// What a typed path may become: as far as it is clear, and the names that it may go on with.
  case pathCompleted(typed: String, path: String, names: [String])
  case edited(String)
  case toast(String, isError: Bool)
}

/// How a person wants the studio to begin.
public struct Preferences: Equatable, Sendable {
  /// What the inspector begins with.
  public var controls = Controls()
  /// What the prompt does when it is sent.
  public var mode = StudioMode.imagine
  /// Whether clicks come to the studio; else the terminal selects text with them.
  public var isMouseCaptured = true
  /// Whether the inspector is away until F3 is pressed.
  public var isInspectorHidden = false
  /// By which the first screen's suggestion is chosen.
  public var suggestion: UInt64 = 0

  /// What the studio begins with when nothing is said.
  public init() {}
}

/// What the studio wants done. Values: the reducer itself does nothing.
public enum Effect: Equatable, Sendable {
  /// Hands a request to the model; what comes of it comes back as `Action.request`.
  case start(Int, Request<PictureID>)
  /// Ends a request at its next step.
  case cancel(Int)
  /// Adds an event to the session and gives it back as `Action.session`.
  case record(SessionEvent)
  case loadModel(String)
  /// Finds out whether there is a model in a folder from which one is to be loaded later.
  case checkModel(String)
  /// Looks for the model that a log names.
  case findModel(RecordedModel)
  /// Draws a thing that the model knows, aside of the session.
  case drawThing(String)
  /// Asks the model for the parts of a picture's prompt, aside of the session.
  case judge(PictureID, [Critique.Part])
  /// Works out how far two neighbours of a sweep are apart.
  case measureMove(Comparison)
  /// Ends the model's conversation: the next question is the first.
  case forgetTurns

  case newSession
  /// Opens a session, at a message of it.
  case openSession(String, at: SessionPlace? = nil)
  case renameSession(String, title: String)
  /// Lays a session aside; it can be brought back for some days.
  case deleteSession(String)
  /// Brings the session back that was deleted last.
  case undeleteSession
  case play(session: String)
  /// Writes the session to a file; without a path, to one of the session's own name.
  case export(format: String, path: String = "")
  case readSessions
  /// Looks for models.
  case readModels
  case search(String)
  /// Looks through all sessions for their pictures.
  case readPictures

  case attach(path: String)
  /// Finds out what a text that begins as a path names: a picture is attached, and of anything else it is said what it is.
  /// Where it names nothing, that is said if it can only be a path.
  case lookUp(String, isSurelyPath: Bool)
  /// Finds out which of a prompt's words behind `@` are files, and keeps those.
  case attachMentioned(Mentions)
  /// Finds out which words behind `@` in what is being written name a file.
  case lookFor(Mentions)
  /// Writes a picture to a file; without a path, to one that is named after its prompt.
  case save(picture: PictureID, path: String, prompt: String)
  /// Works out how two pictures differ, in words and as a heat map.
  case measureDifference(Comparison)
  case readFolder(String)
  /// Finds what a path behind `@` may become.
  case completePath(String)
  /// Shows a file in the list of files, small.
  case preview(path: String)

  case copy(String)
  case openEditor(String)
  case rememberPrompt(String)
  case captureMouse(Bool)
  case reportDoctor(size: Size, ModelStatus, hasPictures: Bool)
  /// Draws the whole screen anew.
  case repaint
  case suspend
  /// Stops what runs and leaves; where something would be lost, only when it is asked for again.
  case leave
}
