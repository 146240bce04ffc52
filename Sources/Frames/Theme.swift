/// What a colour is for.
public enum Role: String, Sendable, CaseIterable {
  case background, text, dim, border, accent, user, model, success, error, selection, bar
}

/// Colours by role, and what stands in for them where there are none.
public struct Theme: Sendable, Equatable {
  /// Which terminals it is made for.
  public enum Appearance: String, Sendable { case dark, light }

  /// As it is chosen in `/theme` and `--theme`.
  public var name: String
  /// Which terminals it is made for.
  public var appearance: Appearance
  /// A role that is missing has the terminal's own colour.
  public var colours: [Role: Colour]

  /// Each argument is the property of its name.
  public init(name: String, appearance: Appearance, colours: [Role: Colour]) {
    (self.name, self.appearance, self.colours) = (name, appearance, colours)
  }

  /// Without any colour: attributes alone tell things apart (`NO_COLOR`).
  public var withoutColours: Theme { Theme(name: name, appearance: appearance, colours: [:]) }

  private var isColoured: Bool { !colours.isEmpty }

  private func style(_ role: Role) -> Style { Style(colours[role], on: colours[.background]) }

  /// Ordinary text.
  public var text: Style { style(.text) }
  /// What is less important: facts, hints.
  public var dim: Style { isColoured ? style(.dim) : style(.text).dim }
  /// Lines between and around.
  public var border: Style { isColoured ? style(.border) : style(.text).dim }
  /// Headings, and what is chosen.
  public var accent: Style { style(.accent).bold }
  /// The person's name in the transcript.
  public var user: Style { style(.user).bold }
  /// The model's name there.
  public var model: Style { style(.model).bold }
  /// What went well.
  public var success: Style { style(.success) }
  /// What went wrong.
  public var error: Style { style(.error).bold }
  /// The chosen line of a list.
  public var selection: Style {
    isColoured ? style(.text).on(colours[.selection]).bold : style(.text).reversed
  }
  /// The status line.
  public var bar: Style { isColoured ? style(.text).on(colours[.bar]) : style(.text).reversed }
  /// Less important parts of it.
  public var barDim: Style { isColoured ? style(.dim).on(colours[.bar]) : style(.text).reversed }
  /// Keys in it.
  public var barKey: Style { isColoured ? style(.accent).on(colours[.bar]).bold : style(.text).reversed.bold }

  /// The one that is always there.
  public static let builtIn = Theme(
    name: "dark", appearance: .dark,
    colours: [
      .background: Colour(0x16, 0x18, 0x1d), .text: Colour(0xd7, 0xda, 0xe0), .dim: Colour(0x7d, 0x85, 0x90),
      .border: Colour(0x3a, 0x40, 0x4a), .accent: Colour(0x6c, 0xb6, 0xff), .user: Colour(0xf0, 0xb7, 0x5c),
      .model: Colour(0x7e, 0xd0, 0xa0), .success: Colour(0x7e, 0xd0, 0xa0), .error: Colour(0xf4, 0x72, 0x7c),
      .selection: Colour(0x2d, 0x3f, 0x57), .bar: Colour(0x22, 0x26, 0x2e),
    ])
}
