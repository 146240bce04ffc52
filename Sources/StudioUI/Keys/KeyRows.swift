import Frames
import Requests

extension KeyTable {
  static let promptKeys: [Binding] = [
    Binding(.prompt, [.enter], .send, "send"),
    Binding(.prompt, [.lineBreak, .control("j")], .lineBreak, "line break"),
    Binding(.emptyPrompt, [.tab], .switchMode, "switch between Ask and Imagine, or complete a command"),
    Binding(.prompt, [.tab], .complete, "switch between Ask and Imagine, or complete a command"),
    Binding(.prompt, [.up], .up, "earlier and later prompts, and lines of this one"),
    Binding(.prompt, [.down], .down, "earlier and later prompts, and lines of this one"),
    Binding(.prompt, [.control("r")], .searchHistory, "search earlier prompts"),
    Binding(.emptyPrompt, [.control("a")], .attachLast, "on an empty prompt: attach the last picture"),
    Binding(.prompt, gesture: "@PATH", "attach a picture by its path; Tab completes it"),
    Binding(.emptyPrompt, [.backspace], .detach, "on an empty prompt: remove the last attachment"),
    Binding(.prompt, [.left, .control("b")], .left, "move the cursor"),
    Binding(.prompt, [.right, .control("f")], .right, "move the cursor"),
    Binding(.prompt, [.home, .control("a")], .lineStart, "move the cursor"),
    Binding(.prompt, [.end, .control("e")], .lineEnd, "move the cursor"),
    Binding(.prompt, [.wordLeft, .alt("b")], .wordLeft, "move the cursor"),
    Binding(.prompt, [.wordRight, .alt("f")], .wordRight, "move the cursor"),
    Binding(.prompt, [.backspace], .deleteBackward, "delete a character"),
    Binding(.prompt, [.delete, .control("d")], .deleteForward, "delete a character"),
    Binding(
      .prompt, [.control("w"), .alt("\u{7F}")], .killWordBackward, "delete words and lines; bring them back"),
    Binding(.prompt, [.alt("d")], .killWordForward, "delete words and lines; bring them back"),
    Binding(.prompt, [.control("u")], .killToStart, "delete words and lines; bring them back"),
    Binding(.prompt, [.control("k")], .killToEnd, "delete words and lines; bring them back"),
    Binding(.prompt, [.control("y")], .yank, "delete words and lines; bring them back"),
    Binding(.prompt, [.control("g")], .openEditor, "edit the prompt in $VISUAL or $EDITOR"),
    Binding(.prompt, [.control("x")], .editorPrefix, "before Ctrl-E: edit the prompt in $VISUAL or $EDITOR"),
    Binding(
      .afterControlX, [.control("e")], .openEditor, "behind Ctrl-X: edit the prompt in $VISUAL or $EDITOR"),
    Binding(.prompt, [.alt("c")], .copyAnswer, "copy the last answer"),
    Binding(.prompt, [.backTab], .goToInspector, "go to the inspector"),
    Binding(.emptyPrompt, [.control("d")], .quit, "quit, on an empty prompt"),
    Binding(.history, gesture: "any letter", "search for more"),
    Binding(.history, [.backspace], .eraseSearch, "search for less"),
    Binding(.history, [.enter, .right, .tab], .acceptSearch, "take what was found"),
    Binding(
      .history, [.escape, .control("g"), .control("c")], .abandonSearch, "keep the prompt as it was",
      hint: "back"),
  ]

  static let anywhereKeys: [Binding] = [
    Binding(
      .running, [.escape, .control("c")], .stop, "stop the running request and keep the result so far",
      hint: "cancel"),
    Binding(.screen, [.escape], .detach, "with nothing to stop: remove the last attachment"),
    Binding(.screen, [.control("c")], .clearPrompt, "with nothing to stop: clear the prompt"),
    Binding(.screen, [.control("p")], .palette, "all commands", hint: "commands"),
    Binding(.screen, [.control("o")], .pickFile, "attach a picture from a list of files"),
    Binding(.screen, [.alt(",")], .guidanceDown, "guidance down and up by 0.1"),
    Binding(.screen, [.alt(".")], .guidanceUp, "guidance down and up by 0.1"),
    Binding(.view, [.pageUp], .scrollUp, "scroll; so does the mouse wheel"),
    Binding(.view, [.pageDown], .scrollDown, "scroll; so does the mouse wheel"),
    Binding(.view, [.function(2)], .toggleInspector, "show or hide the inspector"),
    Binding(.view, [.function(3)], .gallery, "gallery"),
    Binding(.view, [.function(4)], .compare, "compare the last two pictures"),
    Binding(.everywhere, [.function(1)], .help, "this help", hint: "help"),
    Binding(.everywhere, [.control("l"), .function(5)], .redraw, "redraw the screen"),
    Binding(.everywhere, [.alt("m")], .toggleMouse, "toggle mouse capture"),
    Binding(.everywhere, [.control("z")], .suspend, "suspend; the shell's fg resumes"),
    Binding(
      .tooSmall, [.control("c"), .control("d")], .quit, "quit, where the screen is too small for more"),
  ]

  static let inspectorKeys: [Binding] = [
    Binding(.inspector, [.left], .less, "change a value", hint: "change"),
    Binding(.inspector, [.right], .more, "change a value", hint: "change"),
    Binding(.inspector, [.wordLeft], .lessByTen, "change a value by tens"),
    Binding(.inspector, [.wordRight], .moreByTen, "change a value by tens"),
    Binding(.inspector, [.up], .rowUp, "select a row", hint: "row"),
    Binding(.inspector, [.down], .rowDown, "select a row", hint: "row"),
    Binding(.inspector, gesture: "0…9", "type a value"),
    Binding(.inspectorEntry, [.backspace], .eraseDigit, "take back a digit"),
    Binding(.inspector, [.home], .classGuidance, "guidance 1.8 and 5, the paper's"),
    Binding(.inspector, [.end], .descriptionGuidance, "guidance 1.8 and 5, the paper's"),
    Binding(
      .inspector, [.escape, .tab, .backTab, .enter], .leaveInspector, "back to the prompt", hint: "back"),
  ]

  static let galleryKeys: [Binding] = [
    Binding(
      .gallery, [.enter, .character("a")], .reuseAll, "use prompt, seed and settings again", hint: "use"),
    Binding(.gallery, [.character("s")], .reuseSeed, "use the seed only"),
    Binding(
      .gallery, [.character("p"), .character("r")], .reusePrompt,
      "use prompt and settings with a new seed"),
    Binding(.gallery, [.left, .character("h")], .previousPicture, "move"),
    Binding(.gallery, [.right, .character("l")], .nextPicture, "move"),
    Binding(.gallery, [.up, .character("k")], .pictureAbove, "move"),
    Binding(.gallery, [.down, .character("j")], .pictureBelow, "move"),
    Binding(.gallery, [.home], .firstPicture, "move"),
    Binding(.gallery, [.end], .lastPicture, "move"),
    Binding(.gallery, [.character("i"), .character(" ")], .viewPicture, "view it full-size"),
    Binding(.gallery, [.character("m")], .comparePrevious, "compare with the one before", hint: "compare"),
    Binding(.gallery, [.character(".")], .star, "star"),
    Binding(.gallery, [.character("w")], .saveShown, "save"),
    Binding(.gallery, [.control("a")], .askAbout, "ask about it"),
    Binding(.gallery, [.tab], .switchAlbum, "switch between this session and all sessions"),
    Binding(.viewer, [.left], .previousPicture, "another picture"),
    Binding(.viewer, [.right], .nextPicture, "another picture"),
    Binding(.viewer, [.control("a")], .askAbout, "ask about it", hint: "ask"),
    Binding(.viewer, [.character("w")], .saveShown, "save", hint: "save"),
    Binding(.viewer, [.enter, .character("a")], .reuseAll, "use prompt, seed and settings again"),
    Binding(.compare, [.left, .character("h")], .dividerLeft, "move the divider", hint: "divider"),
    Binding(.compare, [.right, .character("l")], .dividerRight, "move the divider", hint: "divider"),
    Binding(
      .compare, [.character(" "), .tab, .enter], .flip, "flip between the two", hint: "flip"),
    Binding(.compare, [.character("d")], .showDifference, "show the difference", hint: "difference"),
    Binding(.compare, [.character("c")], .swapPictures, "swap the two"),
  ]

  static let overlayKeys: [Binding] = [
    Binding(.list, gesture: "any letter", "filter"),
    Binding(.list, [.backspace], .eraseFilter, "filter"),
    Binding(.list, [.up, .control("p")], .selectionUp, "move", hint: "move"),
    Binding(.list, [.down, .control("n")], .selectionDown, "move", hint: "move"),
    Binding(.list, [.pageUp], .selectionPageUp, "move"),
    Binding(.list, [.pageDown], .selectionPageDown, "move"),
    Binding(.list, [.enter, .tab], .choose, "select", hint: "select"),
    Binding(.list, [.escape, .control("c")], .back, "close", hint: "back"),
    Binding(.help, [.up, .character("k")], .lineUp, "scroll", hint: "scroll"),
    Binding(.help, [.down, .character("j")], .lineDown, "scroll", hint: "scroll"),
    Binding(.help, [.pageUp], .pageUp, "scroll"),
    Binding(.help, [.pageDown, .character(" ")], .pageDown, "scroll"),
    Binding(.help, [.home], .toTop, "scroll"),
    Binding(
      .tour, [.enter, .right, .character(" "), .pageDown], .nextPage, "the next page", hint: "next"),
    Binding(.tour, [.left, .pageUp], .previousPage, "the page before", hint: "previous"),
    Binding(
      .overlay, [.escape, .control("c"), .character("q")], .back, "back to what was there", hint: "back"),
  ]

  static let replayKeys: [Binding] = [
    Binding(.replay, [.character(" ")], .pause, "pause"),
    Binding(.replay, [.character("."), .right], .nextEntry, "one entry forward, one back"),
    Binding(.replay, [.character("["), .left], .previousEntry, "one entry forward, one back"),
    Binding(.replay, [.home], .firstEntry, "to the beginning, to the end"),
    Binding(.replay, [.end], .lastEntry, "to the beginning, to the end"),
    Binding(.replay, [.character("+")], .faster, "faster, slower"),
    Binding(.replay, [.character("-")], .slower, "faster, slower"),
    Binding(.replay, [.escape, .control("c"), .control("d")], .closeReplay, "close", hint: "close"),
  ]

  static let slashCommands: [Binding] = [
    Binding(.imagine, "PROMPT", "Draw a picture from a prompt"),
    Binding(.image, "PATH", "Attach a picture to the next question"),
    Binding(.caption, "[PATH]", "Describe the attached picture, or a file"),
    Binding(
      .cfg, DrawingDefaults.guidanceLimits.replacing(" to ", with: "…"),
      "Guidance scale: how closely a picture follows its prompt"),
    Binding(.steps, "1…1000", "Steps of the sampler"),
    Binding(.seed, "NUMBER|random", "Fix the seed, or use a new one for each request"),
    Binding(.count, "1…16", "Images per request"),
    Binding(.negative, "TEXT", "Negative prompt: what not to show; empty clears it"),
    Binding(.solver, "euler|heun", "Heun looks twice at each step"),
    Binding(.interval, "0..1", "Guide from one time to another: noise 0, picture 1"),
    Binding(.vary, "", "Draw the last picture again with another seed"),
    Binding(.retry, "", "Repeat the last request with the settings shown"),
    Binding(.undo, "", "Undo the last request and its results"),
    Binding(.edit, "", "Put the last prompt back for editing"),
    Binding(.sweep, "1..9", "A filmstrip of guidance scales for one seed"),
    Binding(.grid, "NUMBER", "Draw the last prompt with several seeds"),
    Binding(.compare, "", "Flip between the last two pictures, with a divider"),
    Binding(.critique, "", "Ask whether the last picture shows what its prompt says"),
    Binding(.gallery, "", "All pictures of this session; Tab there for all sessions"),
    Binding(.save, "[PATH]", "Save the last picture, settings included"),
    Binding(
      .stop, "[discard|after]", "Stop the running request; discard its picture, or only clear the queue"),
    Binding(.model, "FOLDER", "Load another model"),
    Binding(.theme, "[NAME]", "Choose the colours"),
    Binding(.export, "md|html|json|cast", "Write this session to a file"),
    Binding(.replay, "[SESSION]", "Play a recorded session"),
    Binding(.search, "TEXT", "Search all sessions"),
    Binding(.sessions, "", "Open another session"),
    Binding(.new, "", "Start a new session"),
    Binding(.rename, "TITLE", "Give this session a title"),
    Binding(.doctor, "", "Check the terminal, the machine and the model"),
    Binding(.tour, "", "A short tour of the studio"),
    Binding(.help, "", "Every key and command"),
    Binding(.quit, "", "Leave the studio"),
  ]
}
