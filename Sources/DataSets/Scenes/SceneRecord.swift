/// Where one object lies of another, as the viewer sees it.
public enum Relation: String, Codable, Sendable, CaseIterable {
  case leftOf = "left of"
  case rightOf = "right of"
  case above
  case below

  /// Where the second lies of the first.
  public var inverse: Relation {
    switch self {
    case .leftOf: .rightOf
    case .rightOf: .leftOf
    case .above: .below
    case .below: .above
    }
  }
}

/// One thing in a scene.
public struct SceneObject: Codable, Sendable, Equatable {
  /// The class's name, or a single's own caption.
  public var name: String
  /// One and several of it: "bunch of grapes", "bunches of grapes".
  public var singular, plural: String
  /// The colour that the eye sees, where one leads.
  public var colour: ColourName?
  /// Whether captions say it.
  public var namesColour: Bool
  /// Which picture it is: a stamp's or an emoji's name, and the change of colour.
  public var cutOut: String
  /// Left, top, right, bottom in pixels; the last two past the end.
  public var box: [Int]
  /// Degrees, clockwise.
  public var angle: Double
  /// Whether it was mirrored left to right.
  public var isMirrored: Bool

  /// "red apple", "cat".
  public var noun: String { English.coloured(singular, namesColour ? colour?.rawValue : nil) }
  var plurals: String { English.coloured(plural, namesColour ? colour?.rawValue : nil) }
  /// "a red apple".
  public var phrase: String { English.withArticle(noun) }
}

/// What lies behind the objects.
public struct Background: Codable, Sendable, Equatable {
  /// The pattern.
  public enum Kind: String, Codable, Sendable, CaseIterable { case plain, gradient, stripes, dots, checks }

  /// The pattern.
  public var kind: Kind
  /// One name for `plain`, two for the others.
  public var colours: [String]

  /// "a light blue background".
  public var phrase: String {
    switch kind {
    case .plain: "a \(colours[0]) background"
    case .gradient: "a gradient from \(colours[0]) to \(colours[1])"
    case .stripes: "\(colours[0]) and \(colours[1]) stripes"
    case .dots: "a \(colours[0]) background with \(colours[1]) dots"
    case .checks: "a \(colours[0]) and \(colours[1]) checkerboard"
    }
  }
}

/// What is asked about a scene, and the right answer.
public struct QuestionAnswer: Codable, Sendable, Equatable {
  /// What is asked for.
  public enum Task: String, Codable, Sendable, CaseIterable {
    case what, count, colour, background, relation, place, exists, describe, detail
  }

  /// What is asked for.
  public var task: Task
  /// As they are said.
  public var question, answer: String

  /// Each argument is the property of its name.
  public init(task: Task, question: String, answer: String) {
    (self.task, self.question, self.answer) = (task, question, answer)
  }
}

/// Exactly what is in a picture, and what may be said and asked about it.
public struct SceneRecord: Codable, Sendable, Equatable {
  /// What a scene is made to show.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// One object.
    case single
    /// Two objects and where one lies of the other.
    case pair
    /// Two to five of one class.
    case count
    /// One object whose colour is said.
    case colour
    /// Two objects whose colours are said.
    case colourPair
    /// Two to five things, some of one class: "two apples and a car". In training only: without it a number
    /// could be guessed from what is counted.
    case assortment
    /// One picture of the wider set, under its own caption.
    case wide
  }

  /// What it is made to show.
  public var kind: Kind
  /// The part of the data that it belongs to.
  public var split: Split
  /// Its number within the split, from 0.
  public var index: UInt64
  /// Side of the picture in pixels.
  public var size: Int
  /// What lies behind the objects.
  public var background: Background
  /// In the order in which captions name them.
  public var objects: [SceneObject]
  /// `objects[0]` is … `objects[1]`.
  public var relation: Relation?
  /// What "Describe this picture." is answered with.
  public var caption: String
  /// The same in other words, some saying less.
  public var captions: [String]
  /// Questions that have one right answer here.
  public var questions: [QuestionAnswer]

  /// Whether sizes and places are such as scenes have: a record comes from a file.
  var isSane: Bool {
    (1...1 << 16).contains(size)
      && objects.allSatisfy { $0.box.count == 4 && $0.box.allSatisfy { (0...size).contains($0) } }
  }

  /// The objects by name, in the order in which they first come.
  var groups: [[SceneObject]] {
    var groups: [[SceneObject]] = []
    for object in objects {
      if let i = groups.firstIndex(where: { $0[0].name == object.name }) {
        groups[i].append(object)
      } else {
        groups.append([object])
      }
    }
    return groups
  }
}

/// Which part of the data a scene belongs to.
public enum Split: String, Codable, Sendable, CaseIterable {
  case train
  /// Combinations that were seen in training, in new scenes.
  case validation = "val"
  /// Pairs of objects, colours of objects and numbers of objects that training never shows.
  case heldOut = "held-out"
}
