import Frames
import Requests

extension StudioState {
  mutating func take(_ mouse: Key.Mouse) -> [Effect] {
    if isTooSmall { return [] }
    if overlays.top != nil { return takeMouseOverOverlay(mouse) }
    switch mouse.kind {
    case .wheelUp: scroll(up: 3)
    case .wheelDown: scroll(up: -3)
    case .press, .drag: return takePress(mouse)
    case .release: break
    }
    return []
  }

  private mutating func takePress(_ mouse: Key.Mouse) -> [Effect] {
    let inspectorLayout = InspectorLayout(self)
    if let track = inspectorLayout.slider,
      track.rect.contains(mouse.x, mouse.y)
        || (mouse.kind == .drag && inspector.row == 0 && inspectorLayout.area.contains(mouse.x, mouse.y))
    {
      inspector.row = 0
      return setGuidance(track.value(at: mouse.x))
    }
    if mouse.kind == .drag { return [] }
    if showsInspector, inspectorLayout.area.contains(mouse.x, mouse.y) {
      if let row = inspectorLayout.row(at: mouse.x, mouse.y) { inspector.row = row }
      return []
    }
    inspector.row = nil
    if conversation.replay == nil, let effects = takePressAtPrompt(mouse) { return effects }
    guard let picture = TranscriptLayout.picture(at: mouse.x, mouse.y, self) else { return [] }
    if picture.isOfStrip, picture.name.stored != nil { return choose(picture.name) }
    overlays.lay(.viewer(picture.name))
    return []
  }

  /// The list of commands, what waits, and the text; nil where it is none of them.
  private mutating func takePressAtPrompt(_ mouse: Key.Mouse) -> [Effect]? {
    if let at = CompletionLayout(self).command(at: mouse.x, mouse.y), completions.indices.contains(at) {
      return take(completions[at])
    }
    let layout = PromptLayout(self), rule = layout.top.y - 1 - (hasPictureLine ? 1 : 0)
    if mouse.y == rule, mouse.x > transcriptWidth - 20, !work.queue.isEmpty { return openQueue() }
    if hasPictureLine, mouse.y == rule + 1, prompt.attachments.isEmpty { return perform(.changeSubject) }
    guard prompt.editor.search == nil, mouse.x < transcriptWidth,
      let place = layout.place(at: mouse.x, mouse.y)
    else { return nil }
    prompt.editor.moveCursor(to: place)
    return []
  }
}
