import Foundation

/// Signals that the program takes.
public enum Signals {
  /// Installs a handler, unless whoever started the program wants the signal ignored, as `nohup` and `trap '' INT` do: it
  /// stays ignored then.
  public static func take(_ number: Int32, _ handler: __sighandler_t?) {
    var old = sigaction()
    guard sigaction(number, nil, &old) == 0,
      unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self)
        != unsafeBitCast(SIG_IGN, to: Int.self)
    else { return }
    signal(number, handler)
  }
}
