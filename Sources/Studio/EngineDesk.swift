import Digests
import Engine
import Foundation
import Frames
import Pictures
import Requests
import SessionLog
import StudioUI
import Synchronization
import Tensors
import Terminal
import VUGEN

/// The model's side of the studio: loads it, hands it requests, and posts what comes of them as actions.
final class EngineDesk {
  private let mailbox: Mailbox<StudioMessage>
  private let cache: EncodedPictureCache
  private let source: PictureSource
  /// Of the model that is loaded first.
  let folder: String
  private var engine: StudioEngine
  private(set) var facts: ModelFacts?
  /// The folder of the model that works, and of the one that is being loaded.
  private(set) var loaded: String?
  private var loading: String?
  /// Requests on their way; each goes when it ends.
  private var flags: [Int: CancellationFlag] = [:]
  /// What is done aside of them, which makes room for each.
  private var aside = CancellationFlag()

  /// - Parameter folder: the model that is loaded first.
  init(
    folder: String, mailbox: Mailbox<StudioMessage>, cache: EncodedPictureCache, source: PictureSource
  ) {
    (self.folder, self.mailbox, self.cache, self.source) = (folder, mailbox, cache, source)
    engine = StudioEngine(folder: folder)
  }

  /// The numeric thread gives the terminal back where its stack overflows.
  func guardThread() { Task { @NumericActor in Screen.guardThread() } }

  func load(_ other: String? = nil) {
    let folder = other ?? folder, engine = StudioEngine(folder: folder), mailbox = self.mailbox
    loading = folder
    Task.detached {
      do {
        let facts = try await engine.load()
        // What it was taught comes first: the screen that knows the model knows this, too.
        mailbox.post(.action(.vocabularyKnown(Vocabulary(modelFolder: folder))))
        mailbox.post(.modelLoaded(facts, engine))
      } catch {
        mailbox.post(.action(.modelFailed("\(error)")))
      }
    }
  }

  /// Says what keeps a folder from being a model's, as far as that is seen without loading it.
  func check(_ typed: String) -> [Action] {
    do {
      _ = try UnderstandingConfiguration(folder: TypedPath.modelFolder(typed))
      return []
    } catch {
      return [.modelUnfit(typed, "\(error)")]
    }
  }

  /// A model is there; until here the one before it worked.
  func take(_ facts: ModelFacts, _ engine: StudioEngine) -> Action {
    (self.engine, self.facts, self.loaded) = (engine, facts, loading)
    return .modelReady(
      name: facts.name, parameters: facts.parameters, bytes: facts.bytes, canDraw: facts.canDraw,
      hash: facts.hash)
  }

  /// - Parameter showsPictures: whether previews are of use.
  func start(_ id: Int, _ request: Request<PictureID>, showsPictures: Bool) -> [Action] {
    struct Missing: Error {}
    guard
      let work = try? request.replacingPictures({ name in
        guard let picture = cache.picture(name) else { throw Missing() }
        return picture
      })
    else {
      return [
        .request(id, .failed("the picture is missing; its question cannot be answered")),
        .request(id, .ended),
      ]
    }
    aside.set()
    let flag = CancellationFlag(), engine = self.engine
    let post = ResultPost(id, model: facts?.name ?? "", mailbox: mailbox, cache: cache, source: source)
    flags[id] = flag
    Task.detached {
      await engine.run(work, previewEvery: showsPictures ? .milliseconds(250) : nil, cancelledBy: flag) {
        post.send($0)
      }
    }
    return []
  }

  func cancel(_ id: Int) { flags[id]?.set() }

  func cancelAll() {
    aside.set()
    flags.values.forEach { $0.set() }
  }

  // MARK: Aside

  /// Draws a thing by itself, for those who look at it.
  func draw(thing name: String) {
    let (engine, cache, mailbox, flag) = beginAside()
    let article = "aeiou".contains(name.first ?? "x") ? "an" : "a"
    let settings = ImageSettings(prompt: "\(article) \(name) on a white background", seed: 3, steps: 25)
    Task.detached {
      if let picture = await engine.sketch(settings, cancelledBy: flag) {
        cache.add(picture, .thing(name))
        mailbox.post(.action(.pictureKnown(.thing(name), Size(picture.width, picture.height))))
      }
      mailbox.post(.action(.asideEnded))
    }
  }

  /// Asks for each part of a picture's prompt.
  func judge(_ name: PictureID, _ parts: [Critique.Part]) {
    let (engine, cache, mailbox, flag) = beginAside()
    Task.detached {
      guard let picture = cache.picture(name) else {
        return mailbox.post(.action(.agreementKnown(name, 0)))
      }
      var held = 0
      for var part in parts {
        part.said = await engine.consult(part.question, about: picture, cancelledBy: flag)
        if flag.isSet { return mailbox.post(.action(.asideEnded)) }
        if part.holds == true { held += 1 }
      }
      mailbox.post(.action(.agreementKnown(name, Double(held) / Double(max(1, parts.count)))))
    }
  }

  private func beginAside() -> (
    StudioEngine, EncodedPictureCache, Mailbox<StudioMessage>, CancellationFlag
  ) {
    aside = CancellationFlag()
    return (engine, cache, mailbox, aside)
  }

  /// Forgets earlier turns.
  func forget() {
    let engine = self.engine
    Task.detached { await engine.forget() }
  }

  /// Nothing more comes of a request.
  func ended(_ id: Int) {
    flags[id] = nil
    source.dropFresh(of: id)
  }
}

/// Turns what comes of a request into actions: pixels go to the cache, and the state knows them by their names.
private struct ResultPost: Sendable {
  private static let previews = Mutex(0)
  private let id: Int
  private let model: String
  private let mailbox: Mailbox<StudioMessage>
  private let cache: EncodedPictureCache
  private let source: PictureSource

  init(
    _ id: Int, model: String, mailbox: Mailbox<StudioMessage>, cache: EncodedPictureCache,
    source: PictureSource
  ) {
    (self.id, self.model, self.mailbox, self.cache, self.source) = (id, model, mailbox, cache, source)
  }

  func send(_ event: RequestEvent<Picture>) {
    switch event {
    case .started: post(.started)
    case .token(let text): post(.token(text))
    case .step(let step, let steps, let picture, let preview):
      post(.step(step, of: steps, picture: picture, preview: preview.map(shown)))
    case .forgotten: post(.forgotten)
    case .shortened(let name, let prompt): post(.shortened(name, prompt: prompt))
    case .drawn(let picture, let settings, let done, let seconds, let isPartial):
      do {
        let hash = try kept(picture, PictureMetadata(settings, stepsDone: done, model: model))
        post(.drawn(hash, settings, stepsDone: done, seconds: seconds, isPartial: isPartial))
      } catch {
        post(.failed("\(error)"))
      }
    case .answered(let text, let tokens, let seconds, let isPartial):
      post(.answered(text: text, tokens: tokens, seconds: seconds, isPartial: isPartial))
    case .failed(let reason): post(.failed(reason))
    case .cancelled: post(.cancelled)
    case .ended: post(.ended)
    }
  }

  private func post(_ event: RequestEvent<PictureID>) { mailbox.post(.action(.request(id, event))) }

  private func shown(_ preview: Picture) -> PictureID {
    let number = Self.previews.withLock { count in
      count += 1
      return count
    }
    put(preview, .preview(number))
    return .preview(number)
  }

  /// A drawn picture's file waits for the session's recorder.
  private func kept(_ picture: Picture, _ metadata: PictureMetadata) throws -> PictureID {
    let png = try metadata.png(of: picture), hash = PictureID.hash(try Digest.sha256(png))
    source.hold(Data(png), hash, of: id)
    put(picture, hash)
    return hash
  }

  private func put(_ picture: Picture, _ name: PictureID) {
    cache.add(picture, name)
    mailbox.post(.action(.pictureKnown(name, Size(picture.width, picture.height))))
  }
}
