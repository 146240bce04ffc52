import Frames
import Requests
import SessionLog

/// The model, what it works on and what waits for it.
public struct WorkState: Equatable, Sendable {
  public var model = ModelStatus.loading
  /// The model that goes on working where the one that is being loaded does not.
  var modelBefore: ModelStatus?
  public var running: Running?
  public var queue: [Job] = []
  /// Numbers of requests never begin anew while the program runs.
  var nextRequest = 1
  /// When the slider's change is drawn.
  public var sliderDue: Double?
  public var critique: Critique?
  /// The prompt of which was said last that it is cut: the slider draws it again and again.
  var shortened = ""

  /// Whether anything runs or waits.
  var isBusy: Bool { running != nil || !queue.isEmpty }

  public var canDraw: Bool {
    if case .ready(_, _, _, let canDraw) = model { return canDraw }
    return true
  }

  /// Gives a request its number and its place behind those that wait.
  mutating func enqueue(_ request: Request<PictureID>, sweep: Int?, followsSlider: Bool) {
    queue.append(Job(id: nextRequest, request: request, sweep: sweep, followsSlider: followsSlider))
    nextRequest += 1
  }

  /// The slider belongs to another drawing from here on.
  mutating func releaseSlider() {
    for i in queue.indices { queue[i].followsSlider = false }
    running?.job.followsSlider = false
  }

  /// The next request, where the model is free and there.
  mutating func dequeue(now: Double) -> Job? {
    guard running == nil, case .ready = model, !queue.isEmpty else { return nil }
    let job = queue.removeFirst()
    running = Running(job, began: now)
    return job
  }

  /// Another session: what ran and waited belonged to the old one.
  mutating func abandon() {
    (running, queue, sliderDue, critique) = (nil, [], nil, nil)
  }
}

/// A request with its number.
public struct Job: Equatable, Sendable {
  public let id: Int
  public let request: Request<PictureID>
  /// The first request of the sweep that it belongs to.
  var sweep: Int?
  /// Whether the slider's next move takes its place.
  var followsSlider = false
}

/// The request that the model works on.
public struct Running: Equatable, Sendable {
  var job: Job
  /// Tokens so far.
  public internal(set) var text = ""
  public internal(set) var step = 0
  public internal(set) var steps = 0
  /// The picture of several that is being drawn, from 0.
  public internal(set) var picture = 0
  public internal(set) var count = 1
  public internal(set) var preview: PictureID?
  public internal(set) var began: Double
  public internal(set) var isCancelling = false
  /// Cancelling throws away what there is.
  var isDiscarded = false

  init(_ job: Job, began: Double) {
    (self.job, self.began) = (job, began)
    if case .imagine(let settings, let count, _) = job.request {
      (steps, self.count) = (settings.steps, count)
    }
  }

  public var id: Int { job.id }
  public var request: Request<PictureID> { job.request }
  /// The picture that it varies.
  var parent: PictureID? { if case .imagine(_, _, let parent) = job.request { parent } else { nil } }
  public var isDrawing: Bool { if case .imagine = job.request { true } else { false } }
}

/// The model behind the studio.
public enum ModelStatus: Equatable, Sendable {
  case loading
  case ready(name: String, parameters: Int, bytes: Int, canDraw: Bool)
  case failed(String)
}

/// What is checked about a drawn picture.
public struct Critique: Equatable, Sendable {
  public struct Part: Equatable, Sendable {
    public var phrase, question: String
    /// The word that a true picture's answer has in it.
    public var expected: String
    public var said: String?

    public var holds: Bool? { said.map { $0.lowercased().contains(expected) } }
  }

  public var picture: PictureID
  public var parts: [Part]
  /// The question in flight.
  var request: Int?
}
