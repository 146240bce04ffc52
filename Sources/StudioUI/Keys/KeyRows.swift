import Frames
import Requests

extension KeyTable {
  static let promptKeys: [Binding] = [
    Binding(.prompt, [.enter], .send, "send"),
    Binding(.prompt, [.lineBreak, .control("j")], .lineBreak, "line break"),
    Binding(.emptyPrompt, [.tab], .switchMode, "with an empty prompt: switch between Ask and Imagine"),
    Binding(
      .prompt, [.tab], .complete,
      "complete a command or a path; replace an unknown word by the nearest known one"),
    Binding(.emptyPrompt, [.right], .takeSuggestion, "with an empty prompt: use the suggested prompt"),
    Binding(.prompt, [.up], .up, "earlier and later prompts; in a longer prompt, the line above or below"),
    Binding(
      .prompt, [.down], .down, "earlier and later prompts; in a longer prompt, the line above or below"),
    Binding(.prompt, [.control("r")], .searchHistory, "search earlier prompts"),
    Binding(.emptyPrompt, [.control("a")], .attachLast, "with an empty prompt: attach the last picture"),
    Binding(
      .prompt, gesture: "@PATH", "attach a picture by its path, anywhere in a question; Tab completes it"),
    Binding(.prompt, [.alt("p")], .changeSubject, "ask about an earlier picture"),
    Binding(.emptyPrompt, [.backspace], .detach, "with an empty prompt: remove the last attachment"),
    Binding(.prompt, [.left, .control("b")], .left, "back or forward by a character"),
    Binding(.prompt, [.right, .control("f")], .right, "back or forward by a character"),
    Binding(.prompt, [.wordLeft, .alt("b")], .wordLeft, "back or forward by a word"),
    Binding(.prompt, [.wordRight, .alt("f")], .wordRight, "back or forward by a word"),
    Binding(.prompt, [.home, .control("a")], .lineStart, "to the start of the line"),
    Binding(.prompt, [.end, .control("e")], .lineEnd, "to the end of the line"),
    Binding(.prompt, [.backspace], .deleteBackward, "delete the character before the cursor"),
    Binding(.prompt, [.delete, .control("d")], .deleteForward, "delete the character at the cursor"),
    Binding(
      .prompt, [.control("w"), .alt("\u{7F}")], .killWordBackward, "delete the word before the cursor"),
    Binding(.prompt, [.alt("d")], .killWordForward, "delete the word after the cursor"),
    Binding(.prompt, [.control("u")], .killToStart, "delete to the start of the line"),
    Binding(.prompt, [.control("k")], .killToEnd, "delete to the end of the line"),
    Binding(.prompt, [.control("y")], .yank, "put back what was deleted"),
    Binding(.prompt, [.control("g")], .openEditor, "edit the prompt in $VISUAL or $EDITOR"),
    Binding(
      .prompt, [.control("x")], .editorPrefix, "followed by Ctrl-E: edit the prompt in $VISUAL or $EDITOR"),
    Binding(
      .afterControlX, [.control("e")], .openEditor, "after Ctrl-X: edit the prompt in $VISUAL or $EDITOR"),
    Binding(.prompt, [.alt("c")], .copyAnswer, "copy the last answer"),
    Binding(.prompt, [.backTab], .goToInspector, "go to the inspector"),
    Binding(.emptyPrompt, [.control("d")], .quit, "with an empty prompt: quit"),
    Binding(.completions, [.up], .previousCompletion, "move", hint: "move"),
    Binding(.completions, [.down], .nextCompletion, "move", hint: "move"),
    Binding(.completions, [.enter], .takeCompletion, "use the selected command", hint: "use"),
    Binding(.completions, [.escape], .closeCompletions, "close the list", hint: "close"),
    Binding(.history, [.control("r"), .up], .olderFound, "an older match", hint: "older"),
    Binding(.history, [.control("s"), .down], .newerFound, "a newer match", hint: "newer"),
    Binding(.history, gesture: "any letter", "search for a longer text"),
    Binding(.history, [.backspace], .eraseSearch, "search for a shorter text"),
    Binding(.history, [.enter, .right, .tab], .acceptSearch, "use the match"),
    Binding(
      .history, [.escape, .control("g"), .control("c"), .control("d")], .abandonSearch,
      "leave the search; the prompt stays as it was",
      hint: "back"),
  ]

  static let anywhereKeys: [Binding] = [
    Binding(
      .running, [.escape, .control("c")], .stop, "stop the running request and keep what there is so far",
      hint: "cancel"),
    Binding(
      .stopping, [.escape, .control("c")], .stopAll,
      "again within a second: also drop everything in the queue",
      hint: "stop all"),
    Binding(
      .screen, [.escape], .detach, "with nothing running: scroll to the end; then remove the last attachment"),
    Binding(.screen, [.control("c")], .clearPrompt, "with nothing running: clear the prompt"),
    Binding(.screen, [.control("p")], .palette, "list all commands", hint: "commands"),
    Binding(.screen, [.control("o")], .pickFile, "choose a file and attach it"),
    Binding(.screen, [.alt(",")], .guidanceDown, "lower or raise the guidance by 0.1"),
    Binding(.screen, [.alt(".")], .guidanceUp, "lower or raise the guidance by 0.1"),
    Binding(.screen, [.control("q")], .queue, "show the queue: edit, remove, reorder"),
    Binding(
      .screen, "123456789".map { .alt($0) }, .chooseOfStrip,
      "reuse a picture of the last strip or grid, seed and all; /seed random frees the seed"),
    Binding(.screen, gesture: "a click on a picture", "the same of a picture in a strip or grid"),
    Binding(.view, [.alt("+"), .alt("=")], .larger, "show pictures larger or smaller"),
    Binding(.view, [.alt("-")], .smaller, "show pictures larger or smaller"),
    Binding(.view, [.pageUp], .scrollUp, "scroll; so does the mouse wheel"),
    Binding(.view, [.pageDown], .scrollDown, "scroll; so does the mouse wheel"),
    Binding(.view, [.function(2)], .toggleInspector, "show or hide the inspector"),
    Binding(.view, [.function(3)], .gallery, "open the gallery"),
    Binding(.view, [.function(4)], .compare, "compare the last two pictures"),
    Binding(.everywhere, [.function(1)], .help, "show this help", hint: "help"),
    Binding(.everywhere, [.control("l"), .function(5)], .redraw, "redraw the screen"),
    Binding(.everywhere, [.alt("m")], .toggleMouse, "give the mouse to the terminal, or take it back"),
    Binding(.everywhere, [.control("z")], .suspend, "suspend the studio; fg in the shell resumes it"),
    Binding(
      .tooSmall, [.control("c"), .control("d")], .quit, "on a screen that is too small: quit"),
  ]

  static let inspectorKeys: [Binding] = [
    Binding(.inspector, [.left], .less, "change a value", hint: "change"),
    Binding(.inspector, [.right], .more, "change a value", hint: "change"),
    Binding(.inspector, [.wordLeft], .lessByTen, "change a value in steps of ten"),
    Binding(.inspector, [.wordRight], .moreByTen, "change a value in steps of ten"),
    Binding(.inspector, [.up], .rowUp, "select a row", hint: "row"),
    Binding(.inspector, [.down], .rowDown, "select a row", hint: "row"),
    Binding(.inspector, gesture: "0…9", "type a value"),
    Binding(.inspectorEntry, [.backspace], .eraseDigit, "delete the last digit"),
    Binding(.inspector, [.home], .classGuidance, "guidance 1.8 or 5, as in the paper"),
    Binding(.inspector, [.end], .descriptionGuidance, "guidance 1.8 or 5, as in the paper"),
    Binding(
      .inspector, [.escape, .tab, .backTab, .enter], .leaveInspector, "back to the prompt", hint: "back"),
  ]

  static let galleryKeys: [Binding] = [
    Binding(
      .gallery, [.enter, .character("a")], .reuseAll, "reuse the prompt, the seed and the settings",
      hint: "use"),
    Binding(.gallery, [.character("s")], .reuseSeed, "reuse the seed only"),
    Binding(
      .gallery, [.character("p"), .character("r")], .reusePrompt,
      "reuse the prompt and the settings with a new seed"),
    Binding(.gallery, [.left, .character("h")], .previousPicture, "move"),
    Binding(.gallery, [.right, .character("l")], .nextPicture, "move"),
    Binding(.gallery, [.up, .character("k")], .pictureAbove, "move"),
    Binding(.gallery, [.down, .character("j")], .pictureBelow, "move"),
    Binding(.gallery, [.home], .firstPicture, "move"),
    Binding(.gallery, [.end], .lastPicture, "move"),
    Binding(.gallery, [.character("i"), .character(" ")], .viewPicture, "view it as large as the screen"),
    Binding(.gallery, gesture: "a click", "select it; a second click views it; the wheel moves"),
    Binding(.gallery, [.character("/")], .filterGallery, "show only prompts with certain words"),
    Binding(.gallery, [.character("*")], .starsOnly, "show starred pictures only, or all"),
    Binding(.gallery, [.character("o")], .sortGallery, "sort by time or by prompt"),
    Binding(.gallery, [.character("x")], .mark, "mark it for comparison"),
    Binding(
      .gallery, [.character("m")], .comparePrevious,
      "compare the two marked pictures, or this one with the previous one",
      hint: "compare"),
    Binding(.gallery, [.character(".")], .star, "star it, or remove the star"),
    Binding(.gallery, [.character("d"), .delete], .deletePicture, "delete it"),
    Binding(
      .gallery, [.character("z"), .character("Z")], .redo, "restore the picture that was deleted last"),
    Binding(.gallery, [.character("+"), .character("=")], .larger, "show pictures larger or smaller"),
    Binding(.gallery, [.character("-")], .smaller, "show pictures larger or smaller"),
    Binding(.galleryFilter, gesture: "any letter", "type words of the prompt"),
    Binding(.galleryFilter, [.backspace], .eraseGalleryFilter, "delete the last letter"),
    Binding(
      .galleryFilter, [.enter, .down, .tab], .endGalleryFilter, "go to the pictures", hint: "pictures"),
    Binding(
      .galleryFilter, [.escape, .control("c")], .clearGalleryFilter, "show all pictures again", hint: "all"),
    Binding(.gallery, [.character("w")], .saveShown, "save it to a file"),
    Binding(.gallery, [.control("a")], .askAbout, "ask about it"),
    Binding(.gallery, [.tab], .switchAlbum, "switch between this session and all sessions"),
    Binding(.viewer, [.left], .previousPicture, "the previous or next picture"),
    Binding(.viewer, [.right], .nextPicture, "the previous or next picture"),
    Binding(.viewer, [.control("a")], .askAbout, "ask about it", hint: "ask"),
    Binding(.viewer, [.character("w")], .saveShown, "save it to a file", hint: "save"),
    Binding(.viewer, [.character(".")], .star, "star it, or remove the star"),
    Binding(.viewer, [.character("+"), .character("=")], .larger, "show it larger or smaller"),
    Binding(.viewer, [.character("-")], .smaller, "show it larger or smaller"),
    Binding(.viewer, [.enter, .character("a")], .reuseAll, "reuse the prompt, the seed and the settings"),
    Binding(.compare, [.left, .character("h")], .dividerLeft, "move the divider", hint: "divider"),
    Binding(.compare, [.right, .character("l")], .dividerRight, "move the divider", hint: "divider"),
    Binding(
      .compare, [.character(" "), .tab, .enter], .flip, "show the other picture alone, or both", hint: "flip"),
    Binding(.compare, [.character("d")], .showDifference, "show the difference", hint: "difference"),
    Binding(.compare, [.character("c")], .swapPictures, "swap left and right"),
  ]

  static let overlayKeys: [Binding] = [
    Binding(.queueList, [.delete], .removeLine, "remove it from the queue", hint: "remove"),
    Binding(.queueList, [.enter], .choose, "edit it at the prompt", hint: "edit"),
    Binding(.queueList, [.wordLeft], .lineEarlier, "move it up or down", hint: "order"),
    Binding(.queueList, [.wordRight], .lineLater, "move it up or down", hint: "order"),
    Binding(.sessionList, [.alt("r")], .renameLine, "rename it", hint: "rename"),
    Binding(.sessionList, [.delete], .removeLine, "delete it", hint: "delete"),
    Binding(.sessionList, [.alt("z")], .bringBackLine, "restore the session that was deleted last"),
    Binding(.list, gesture: "any letter", "filter"),
    Binding(.list, gesture: "a click", "choose it; the wheel moves"),
    Binding(.list, [.backspace], .eraseFilter, "filter"),
    Binding(.list, [.up, .control("p")], .selectionUp, "move", hint: "move"),
    Binding(.list, [.down, .control("n")], .selectionDown, "move", hint: "move"),
    Binding(.list, [.pageUp], .selectionPageUp, "move"),
    Binding(.list, [.pageDown], .selectionPageDown, "move"),
    Binding(.list, [.enter, .tab], .choose, "choose", hint: "select"),
    Binding(.list, [.escape, .control("c"), .control("d")], .back, "close", hint: "back"),
    Binding(.help, [.up, .character("k")], .lineUp, "scroll", hint: "scroll"),
    Binding(.help, [.down, .character("j")], .lineDown, "scroll", hint: "scroll"),
    Binding(.help, [.pageUp], .pageUp, "scroll by a page"),
    Binding(.help, [.pageDown, .character(" ")], .pageDown, "scroll by a page"),
    Binding(.help, [.home], .toTop, "to the beginning or the end"),
    Binding(.help, [.end], .toBottom, "to the beginning or the end"),
    Binding(
      .tour, [.enter, .right, .character(" "), .pageDown], .nextPage, "the next page", hint: "next"),
    Binding(.tour, [.left, .pageUp], .previousPage, "the previous page", hint: "previous"),
    Binding(
      .overlay, [.escape, .control("c"), .control("d"), .character("q")], .back,
      "close, and go one step back", hint: "back"),
  ]

  static let replayKeys: [Binding] = [
    Binding(.replay, [.character(" ")], .pause, "pause or go on"),
    Binding(.replay, [.character("."), .right], .nextEntry, "one entry forward or back"),
    Binding(.replay, [.character("["), .left], .previousEntry, "one entry forward or back"),
    Binding(.replay, [.home], .firstEntry, "to the beginning or the end"),
    Binding(.replay, [.end], .lastEntry, "to the beginning or the end"),
    Binding(.replay, [.character("+")], .faster, "faster or slower"),
    Binding(.replay, [.character("-")], .slower, "faster or slower"),
    Binding(
      .replay, [.escape, .control("c"), .control("d")], .closeReplay, "close the replay", hint: "close"),
  ]

  static let slashCommands: [Binding] = [
    Binding(.imagine, "PROMPT", "Draw a picture from a prompt"),
    Binding(.image, "PATH", "Attach a picture to the next question; of a folder, choose one"),
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
    Binding(.retry, "", "Repeat what was unfinished, else the last request"),
    Binding(.undo, "", "Take back the last request and its results, or the last one in the queue"),
    Binding(.redo, "", "Bring back what was last taken back or deleted"),
    Binding(.queue, "", "Show the queue: edit, remove, reorder"),
    Binding(.edit, "", "Put the last prompt back for editing"),
    Binding(.sweep, "1..9", "Draw the last prompt at several guidance scales; Alt-1…9 reuses one"),
    Binding(.grid, "NUMBER", "Draw the last prompt with several seeds; Alt-1…9 reuses one"),
    Binding(.compare, "", "Compare the last two pictures, with a divider between them"),
    Binding(.things, "[KIND]", "What the model knows, with a picture of each"),
    Binding(.critique, "", "Ask whether the last picture shows what its prompt says"),
    Binding(.gallery, "", "Pictures of this session; Tab shows those of all sessions"),
    Binding(.save, "[PATH]", "Save the last picture, settings included"),
    Binding(
      .stop, "[discard|after|all]",
      "Stop the running request; discard its picture, or clear the queue, or both"),
    Binding(.size, "1…5", "Size of pictures; Alt-Plus and Alt-Minus"),
    Binding(.model, "[FOLDER]", "Load another model; without a folder, choose from a list"),
    Binding(.theme, "[NAME]", "Choose the colours"),
    Binding(.export, "md|html|json|cast", "Write this session to a file"),
    Binding(.replay, "[SESSION]", "Play a recorded session"),
    Binding(.search, "TEXT", "Search all sessions"),
    Binding(.sessions, "", "Open another session; the one used last comes first"),
    Binding(.new, "", "Start a new session"),
    Binding(.rename, "TITLE", "Give this session a title"),
    Binding(.doctor, "", "Check the terminal, the machine and the model"),
    Binding(.tour, "", "A short tour of the studio"),
    Binding(.help, "", "Every key and command"),
    Binding(.quit, "", "Leave the studio"),
  ]
}
