import Frames
import Requests
import SessionLog
import StudioUI
import Testing

/// The one table of keys and commands.
@Suite struct KeyTableTests {
  @Test func everyBindingIsNamedAndExplained() {
    for binding in KeyTable.bindings {
      let name = "\(binding.context) \(binding.keys) \(binding.name)"
      #expect(!binding.help.isEmpty && !binding.help.hasSuffix("."), "\(name)")
      #expect(
        binding.context == .slash
          ? binding.command != nil : !binding.keys.isEmpty || !binding.gesture.isEmpty, "\(name)")
    }
    // Help and manual page say each of them.
    for binding in KeyTable.bindings where binding.context != .slash {
      let section = HelpText.sections.first { $0.heading == binding.context.heading }
      let line = section?.keys.first { $0.help == binding.help }
      #expect(line != nil, "\(binding)")
      for key in binding.keys {
        // Of "Ctrl-← →" the last is Ctrl-→; of "Alt-1…9" all digits are named.
        let last = key.name.split(separator: "-").last.map(String.init) ?? key.name
        let isDigit = last.allSatisfy(\.isNumber) && line?.key == "Alt-1…9"
        #expect(line?.key.contains(last) == true || isDigit, "\(key.name) in \(line?.key ?? "")")
      }
    }
  }

  /// What F1 says can be read beside its keys: they are few, and no line is a riddle.
  @Test func helpLinesAreShort() {
    for section in HelpText.sections {
      for (key, help) in section.keys {
        #expect(TextWidth.columns(key) <= 36 && help.count <= 84, "\(section.heading): \(key): \(help)")
      }
    }
  }

  @Test func noTwoBindingsOfAContextClash() {
    for context in KeyContext.allCases {
      let keys = KeyTable.bindings.filter { $0.context == context }.flatMap(\.keys)
      #expect(Set(keys).count == keys.count, "\(context): \(keys)")
    }
    let names = KeyTable.slash.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test func everyCommandIsReached() {
    let bound = Set(KeyTable.bindings.compactMap(\.command))
    for command in Command.allCases { #expect(bound.contains(command), "\(command)") }
  }

  /// In its context each key means its line of the table, and nothing before it takes it away; and something comes of it.
  @Test(arguments: KeyContext.allCases.filter { $0 != .slash })
  func everyKeyIsReachedAndDoesSomething(_ context: KeyContext) {
    for binding in KeyTable.bindings where binding.context == context {
      for key in binding.keys {
        let name = "\(context) \(key.name)"
        let stages = Self.stages(context)
        #expect(!stages.isEmpty, "\(name)")
        var changes = false
        for stage in stages {
          var b = stage
          #expect(b.state.keyContexts.contains(context), "\(name)")
          #expect(b.state.binding(of: key) == binding, "\(name) is taken before it gets there")
          let before = b.state, effects = b.effects.count
          b.press(key)
          if b.state != before || b.effects.count > effects { changes = true }
        }
        #expect(changes, "\(name) does nothing")
      }
    }
  }

  /// Three drawings and an answer.
  private static let drawn: Bench = {
    var b = Bench()
    b.act(.historyRead(["an apple", "a pear"]))
    for name in ["g0", "g1", "g2"] {
      b.send("a cat")
      b.finish(name)
    }
    b.act(.session(.answered(request: 1, text: "a cat", tokens: 1, seconds: 1, isPartial: false)))
    return b
  }()

  private static func after(_ text: String = "", _ keys: Key...) -> Bench {
    var b = drawn
    b.type(text)
    keys.forEach { b.press($0) }
    return b
  }

  /// Studios in which a context's keys are looked up, so that each of them has something to do in one.
  private static func stages(_ context: KeyContext) -> [Bench] {
    switch context {
    case .prompt:
      // Words on both sides of the cursor, and something that was killed.
      [
        after("one two three four", .control("w"), .alt("b")), after("@pic"),
        after("", .lineBreak, .lineBreak, .up),
      ]
    case .emptyPrompt: [drawn, after("", .control("a"))]
    case .afterControlX: [after("", .control("x"))]
    case .completions: [after("/s")]
    case .stopping: [after("a dog", .enter, .escape)]
    case .queueList: [queue(), queue(.down)]
    case .sessionList: [sessions]
    case .galleryFilter: [after("", .function(3), .character("/"), .character("c"))]
    case .history: [after("", .control("r"), .character("a"))]
    case .running: [after("a dog", .enter)]
    case .screen: [after("", .control("a"), .character("x"))]
    case .view: long
    case .everywhere: [drawn]
    case .tooSmall: [small]
    case .inspector: [after("", .backTab, .right), after("", .backTab, .down)]
    case .inspectorEntry: [after("", .backTab, .character("4"))]
    case .gallery: [after("", .function(3)), after("", .function(3), .left)]
    case .viewer: [after("", .function(3), .left, .character("i"))]
    case .compare: [after("", .function(4))]
    case .list:
      [
        after("", .control("p"), .down), after("", .control("p"), .down, .character("s")),
        after("", .control("p"), .pageDown, .pageDown),
      ]
    case .help: [after("", .function(1)), after("", .function(1), .pageDown)]
    case .tour: [after("/tour", .enter), after("/tour", .enter, .right)]
    case .overlay: [after("", .function(1))]
    case .replay: replays
    case .slash: []
    }
  }

  /// Two drawings wait; the first is selected, or what keys lead to.
  private static func queue(_ keys: Key...) -> Bench {
    var b = drawn
    for text in ["a dog", "a cow", "a hen"] { b.send(text) }
    b.press(.control("q"))
    keys.forEach { b.press($0) }
    return b
  }

  private static var sessions: Bench {
    var b = drawn
    let choices = ["one", "two"].map { Choice(title: $0, detail: "today", value: $0) }
    b.act(.sessionsRead(choices))
    return b
  }

  private static var long: [Bench] {
    var b = drawn
    for i in 0..<60 { b.act(.session(.note("note \(i)"))) }
    var up = b
    up.press(.pageUp)
    return [b, up]
  }

  private static var small: Bench {
    var b = drawn
    b.act(.resized(Size(40, 10), cell: Size(9, 19)))
    return b
  }

  private static var replays: [Bench] {
    var b = drawn
    let entries = (0..<4).map { SessionEntry(time: Double($0) * 10, event: .note("note \($0)")) }
    b.act(.played(Replay(entries)))
    b.act(.tick(0))
    var next = b
    next.press(.right)
    return [b, next]
  }

  /// Each slash command is known by its name, says what it lacks, and completes.
  @Test func everySlashCommandRuns() {
    for binding in KeyTable.slash {
      var b = Bench()
      let before = b.state, effects = b.effects.count
      b.send("/\(binding.name)")
      #expect(b.state.toast?.text.contains("unknown") != true, "\(binding.name)")
      #expect(b.state.toast != nil || b.state.overlays != before.overlays || b.effects.count > effects + 1)
      b = Bench()
      b.type("/\(binding.name)")
      #expect(b.shows(String(binding.help.prefix(20))), "\(binding.name)")
      b.press(.control("u"), .control("p"))
      b.type("/\(binding.name)")
      #expect(b.shows("/\(binding.name)"))
    }
  }

  /// The status line's keys are the table's: in every context they mean what they say there.
  @Test func hintsAreOfTheTable() {
    var b = Bench()
    #expect(b.shows("Tab ask  ^P commands  F1 help"))
    b.press(.backTab)
    #expect(b.shows("← → change  ↑ ↓ row  Esc back"))
    b.press(.escape)
    b.send("a cat")
    #expect(b.shows("Esc cancel  Tab ask "))
    b.finish("g0")
    b.press(.function(3))
    #expect(b.shows("Return use  m compare  Esc back"))
    b.press(.character("i"))
    #expect(b.shows("^A ask  w save  Esc back"))
    b.press(.escape, .escape, .control("p"))
    #expect(b.shows("↑ ↓ move  Return select  Esc back"))
  }
}
