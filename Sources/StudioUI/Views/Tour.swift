/// The guided tour: what makes this studio worth having, a page each.
enum Tour {
  static let pages: [(title: String, text: String)] = [
    (
      "A model that sees and draws",
      """
      One small model lives in this terminal. It answers questions about pictures, and a second tower of the same \
      model draws new ones in the space in which it understands.

      Type "a red car on a white background" and press Return. It draws one thing well, or several of one kind; two \
      different things, less reliably. Photographs are beyond it.
      """
    ),
    (
      "Ask and Imagine",
      """
      Tab on an empty prompt switches between Ask and Imagine. Ctrl-A attaches the last picture to the next \
      question, a dropped or pasted path attaches a file, Ctrl-O opens a list of files.

      Esc or Ctrl-C stops what is running and keeps the result so far.
      """
    ),
    (
      "The slider",
      """
      Shift-Tab goes to the inspector, where the arrow keys change values; Alt-Comma and Alt-Period move the guidance from \
      anywhere. As soon as the slider rests, the last prompt is drawn again with the same seed.

      /sweep 1..9 draws a filmstrip of guidance scales. F4 compares the last two pictures in one place.
      """
    ),
    (
      "Judge and jury",
      """
      /critique asks the model about each part of the prompt: is it there, how many are there, on which side? The \
      judge drew the picture itself, and each question hints at its answer, so take its word with a grain of salt.
      """
    ),
    (
      "Nothing is lost",
      """
      Every step of a session is saved as it happens. vugen replay plays it back, vugen replay --verify draws \
      everything again and compares it bit for bit, and /export writes it to a file.

      F3 opens the gallery, Ctrl-P finds every command, and F1 lists every key.
      """
    ),
  ]
}
