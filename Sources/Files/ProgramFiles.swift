import Foundation

/// Where the running program lies, and what came with it.
public enum ProgramFiles {
  /// The executable itself: not the name that it was called by, which may be a link or a word found in PATH.
  public static let executable: String =
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]

  /// The folder of the running program.
  public static var folder: String { (executable as NSString).deletingLastPathComponent }

  /// A resource of one of this package's modules, beside the executable, where the build and `make install` put it.
  public static func resource(_ name: String, of module: String) -> String {
    "\(folder)/vugen-studio_\(module).resources/\(name)"
  }

  /// Folders that may hold themes: of an installation, then of the tree that the program was built in.
  public static var themeFolders: [String] {
    let manager = FileManager.default, upper = (folder as NSString).deletingLastPathComponent
    var list = [
      "\(folder)/themes", "\(upper)/share/vugen/themes",
      "\((upper as NSString).deletingLastPathComponent)/share/vugen/themes",
    ]
    var tree = folder
    for _ in 0..<5 where tree.count > 1 {
      tree = (tree as NSString).deletingLastPathComponent
      if manager.fileExists(atPath: tree + "/Package.swift") { list.append(tree + "/Themes") }
    }
    return list.filter { manager.fileExists(atPath: $0) }
  }
}
