import Foundation

/// The machine that the program runs on.
public enum ThisHost {
  /// Its name, as it calls itself: nobody is asked, so nothing waits for a network. No `/` is in it.
  public static let name: String = {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return "localhost" }
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self).replacing("/", with: "_")
  }()
}
