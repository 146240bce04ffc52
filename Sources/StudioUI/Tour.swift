/// The guided tour: what makes this studio worth having, a page each.
enum Tour {
  static let pages: [(title: String, text: String)] = [
    (
      "A model that sees and draws",
      """
      One small model lives in this terminal. It answers questions about pictures, and a second tower of the same \
      model draws new ones in the space in which it understands.

      Type "a red apple left of a cat" and press Return. It was trained on drawn things, eleven colours, numbers up \
      to five and four directions; photographs are beyond it.
      """
    ),
    (
      "Ask and Imagine",
      """
      Tab on an empty prompt switches between Ask and Imagine. Ctrl-A attaches the last picture to the next \
      question, a dropped or pasted path attaches a file, Ctrl-O opens a list of files.

      Esc or Ctrl-C ends what runs and keeps what there is.
      """
    ),
    (
      "The slider",
      """
      Shift-Tab goes to the inspector, arrows turn its values; Alt-, and Alt-. move the guidance from anywhere. The \
      last prompt is drawn again with the same seed as soon as the slider rests.

      /sweep 1..9 draws a filmstrip of guidance scales. F4 compares the last two pictures in one place.
      """
    ),
    (
      "Judge and jury",
      """
      /critique asks the model about each part of the prompt: is it there, how many, on which side? The judge drew \
      the picture itself, so take its word with a grain of salt.
      """
    ),
    (
      "Nothing is lost",
      """
      Every step of a session is written as it happens. vugen replay plays it again, --verify draws everything anew \
      and compares it bit for bit, /export makes a file of it.

      F3 is the gallery, Ctrl-P finds every command, F1 every key.
      """
    ),
  ]
}
