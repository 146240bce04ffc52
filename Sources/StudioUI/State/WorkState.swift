import Frames
import Requests
import SessionLog

/// The model, what it works on and what waits for it.
public struct WorkState: Equatable, Sendable {
  /// The model that answers and draws.
  public var model = ModelStatus.loading
  /// Tells the model that works from others of its name; empty before one does.
  var modelHash = ""
  /// The model that goes on working where the one that is being loaded does not.
  var modelBefore: ModelStatus?
  /// The folder of the model that is being loaded, where a person wanted it.
  var loadingModel: String?
  /// Models that take over when what was asked before is done, in order.
  var modelChanges: [ModelChange] = []
  /// What it works on.
  public var running: Running?
  /// What waits for it, the next first.
  public var queue: [Job] = []
  /// What the session's log has as waiting.
  var logged: [Noted] = []
  /// Numbers of requests never begin anew while the program runs.
  var nextRequest = 1
  /// When the slider's change is drawn.
  public var sliderDue: Double?
  /// The check of a picture that goes on.
  public var critique: Critique?
  /// The prompt of which was said last that it is cut: the slider draws it again and again.
  var shortened = ""
  /// Whether it was said of the model's conversation that its oldest turns are left out.
  var toldForgotten = false
  /// The pictures that the model's conversation is about.
  var talk: [PictureID] = []
  /// What the model does while nobody asks for anything: the picture that it is about.
  var aside: PictureID?
  /// What was not finished when the person was last told so on leaving.
  var toldOfLeaving: ToldOfLeaving?
  /// The way out of the studio or the session; nil while nobody leaves.
  var leaving: Leaving?
  /// When a request was stopped last.
  var stoppedAt: Double?

  /// Whether anything runs or waits.
  var isBusy: Bool { running != nil || !queue.isEmpty }

  /// Whether a drawing runs or waits.
  var drawsSoon: Bool { running?.isDrawing == true || queue.contains(where: \.isDrawing) }

  /// Whether it draws, as far as is known.
  public var canDraw: Bool {
    if case .ready(_, _, _, let canDraw) = model, modelChanges.isEmpty { return canDraw }
    return true
  }

  /// Whether the next request can begin.
  var startsNext: Bool {
    if case .ready = model { running == nil && leaving?.due == nil && !queue.isEmpty } else { false }
  }

  /// Whether a request is for the model that is there, and not for one that takes over later.
  func isOfThisModel(_ job: Job) -> Bool {
    modelChanges.first.map { job.id < $0.first || job.id == critique?.request } ?? true
  }

  /// Whether the next model takes over now: nothing is left that the one before was asked. One that does not work is waited
  /// for by nobody.
  var changesModel: Bool {
    guard !modelChanges.isEmpty, running == nil, leaving?.due == nil else { return false }
    return switch model {
    case .loading: false
    case .failed: true
    case .ready: critique == nil && !queue.contains { isOfThisModel($0) }
    }
  }

  /// Gives a request its number and its place behind those that wait.
  mutating func enqueue(_ request: Request<PictureID>, _ options: Job.Options) {
    queue.append(Job(id: nextRequest, request: request, options: options))
    nextRequest += 1
  }

  /// The slider belongs to another drawing from here on.
  mutating func releaseSlider() {
    for i in queue.indices { queue[i].options.followsSlider = false }
    running?.job.options.followsSlider = false
  }

  /// The next request, where the model is free and there.
  ///
  /// - Parameter shown: the pictures that were shown last, which a question is about that names none.
  mutating func dequeue(now: Double, shown: [PictureID]) -> Job? {
    guard startsNext else { return nil }
    // What was asked before another model was is not asked of that one.
    let next = queue.firstIndex { isOfThisModel($0) } ?? 0
    var job = queue.remove(at: next)
    if case .ask(var question) = job.request {
      if let subject = job.options.subject {
        let wanted = subject == .newest ? shown : subject.picture.map { [$0] } ?? []
        // The conversation about them goes on: the model has seen them.
        question.pictures = wanted == talk ? [] : wanted
        job.request = .ask(question)
      }
      // With other pictures it begins anew.
      if !question.pictures.isEmpty { (talk, toldForgotten) = (question.pictures, false) }
      // What is asked for a check is nothing that a person's questions follow on.
      if critique?.request == job.id { talk = [] }
    }
    running = Running(job, began: now)
    return job
  }

  /// Another session: what ran and waited belonged to the old one, but for what was asked since it was left.
  mutating func abandon() {
    let first = leaving?.firstOfNext ?? .max
    queue.removeAll { $0.id < first }
    (running, sliderDue, critique, talk, stoppedAt, leaving, logged) = (nil, nil, nil, [], nil, nil, [])
    toldForgotten = false
  }
}

/// The way out of the studio, or of a session.
struct Leaving: Equatable {
  /// What is done then: the studio is left, or another session opened.
  var next: Effect
  /// When, whether what runs has ended by then or not; nil where it is done now.
  var due: Double?
  /// The first request that belongs to the session that is to be opened, and how many were ended for it.
  let firstOfNext: Int, ended: Int
}

/// What a person was told who wants to leave.
struct ToldOfLeaving: Equatable {
  /// What is done then.
  let next: Effect
  /// How long the same again is the answer.
  let until: Double
}

/// Another model, which takes over behind what was asked before.
struct ModelChange: Equatable {
  /// The model's folder, as it was typed.
  var folder: String
  /// The first request that it is for.
  var first: Int
}

/// What a question is about that has no pictures with it.
public enum Subject: Equatable, Sendable {
  /// What was shown last when it is asked.
  case newest
  case picture(PictureID)

  /// The one that was chosen.
  var picture: PictureID? { if case .picture(let picture) = self { picture } else { nil } }
}

/// A request with its number.
public struct Job: Equatable, Sendable {
  /// Its number, which no other request has.
  public let id: Int
  /// What is asked.
  public internal(set) var request: Request<PictureID>
  var options = Options()

  /// What else belongs to it.
  struct Options: Equatable {
    /// The first request of the sweep that it belongs to.
    var sweep: Int?
    /// Whether the slider's next move takes its place.
    var followsSlider = false
    /// What a question is about whose pictures are found when it is asked.
    var subject: Subject?
  }

  /// A request that was left, from what begins it; nil for any other event.
  init?(_ event: SessionEvent) {
    guard let id = event.request, let request = event.requested else { return nil }
    self.init(id: id, request: request, options: Options(sweep: event.sweep))
    if case .ask(let question) = request, question.pictures.isEmpty { options.subject = .newest }
  }

  init(id: Int, request: Request<PictureID>, options: Options) {
    (self.id, self.request, self.options) = (id, request, options)
  }

  /// With what it will begin, as far as that is known: what a question is about is found when it is asked.
  var began: SessionEvent {
    guard case .ask(var question) = request, let picture = options.subject?.picture else {
      return .began(id, request, sweep: options.sweep)
    }
    question.pictures = [picture]
    return .began(id, .ask(question))
  }

  /// What is still to be done where so many of its pictures are whole.
  func rest(behind whole: Int) -> Job {
    guard whole > 0, case .imagine(let settings, let count, let parent) = request else { return self }
    let left = Request<PictureID>.imagine(
      settings.numbered(whole), count: max(1, count - whole), parent: parent)
    return Job(id: id, request: left, options: options)
  }

  /// Whether pictures come of it; else an answer.
  var isDrawing: Bool { if case .imagine = request { true } else { false } }
  /// What a person wrote.
  var text: String {
    switch request {
    case .ask(let question): question.written ?? question.text
    case .imagine(let settings, _, _): settings.prompt
    }
  }
}

/// The request that the model works on.
public struct Running: Equatable, Sendable {
  var job: Job
  /// Tokens so far.
  public internal(set) var text = ""
  /// Of the sampler, from 1; 0 before the first.
  public internal(set) var step = 0
  /// So many there are in all.
  public internal(set) var steps = 0
  /// The picture of several that is being drawn, from 0.
  public internal(set) var picture = 0
  /// So many pictures there are in all.
  public internal(set) var count = 1
  /// What it looks like so far.
  public internal(set) var preview: PictureID?
  /// In seconds of the studio's clock.
  public internal(set) var began: Double
  /// Whether it ends at its next step.
  public internal(set) var isCancelling = false
  /// Cancelling throws away what there is.
  var isDiscarded = false
  /// Whether it ends because the studio does: what is missing can be asked again.
  var isLeft = false
  /// Whether all that was asked for is there, though the model has not said yet that it is free.
  var isAnswered = false
  /// Whether something was thrown away of which the log does not say yet that it was cancelled.
  var owesWord = false

  init(_ job: Job, began: Double) {
    (self.job, self.began) = (job, began)
    if case .imagine(let settings, let count, _) = job.request {
      (steps, self.count) = (settings.steps, count)
    }
  }

  /// What has come of it.
  mutating func notice(_ event: RequestEvent<PictureID>) {
    switch event {
    case .started, .forgotten, .shortened, .ended: break
    case .token(let text): self.text += text
    case .step(let step, let steps, let picture, let preview):
      (self.step, self.steps, self.picture) = (step, steps, picture)
      self.preview = preview ?? self.preview
    case .drawn:
      picture += 1
      isAnswered = picture >= count
      // One that was whole before it could be cancelled ends without that word.
      owesWord = isDiscarded
    case .answered, .failed, .cancelled: (isAnswered, owesWord) = (true, false)
    }
  }

  /// Its number, which no other request has.
  public var id: Int { job.id }
  /// What is asked.
  public var request: Request<PictureID> { job.request }
  /// The picture that it varies.
  var parent: PictureID? { if case .imagine(_, _, let parent) = job.request { parent } else { nil } }
  /// Whether pictures come of it; else an answer.
  public var isDrawing: Bool { job.isDrawing }
}

/// The model behind the studio.
public enum ModelStatus: Equatable, Sendable {
  case loading
  case ready(name: String, parameters: Int, bytes: Int, canDraw: Bool)
  case failed(String)
}

/// What is checked about a drawn picture.
public struct Critique: Equatable, Sendable {
  /// One thing that the prompt names.
  public struct Part: Equatable, Sendable {
    /// Of the prompt, and what is asked about it.
    public var phrase, question: String
    /// The word that a true picture's answer has in it.
    public var expected: String
    /// The answer.
    public var said: String?

    /// Whether the answer is what a true picture's would be.
    public var holds: Bool? { said.map { $0.lowercased().contains(expected) } }
  }

  /// What is looked at.
  public var picture: PictureID
  /// What of the prompt is asked about, in order.
  public var parts: [Part]
  /// The question in flight.
  var request: Int?
}
