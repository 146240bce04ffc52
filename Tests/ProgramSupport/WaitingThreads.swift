import Tensors

// Tests here wait for other programs. On the pool's threads, of which there is one a core, they would keep everybody else
// waiting, too: each of these has a thread of its own, which runs its tests one after the other.

/// The studio in a terminal.
@globalActor
public actor FirstScreen {
  public static let shared = FirstScreen()
  private static let thread = NumericThread(name: "tests.screen")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}

/// The studio in another terminal.
@globalActor
public actor SecondScreen {
  public static let shared = SecondScreen()
  private static let thread = NumericThread(name: "tests.screen")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}

/// Commands that end by themselves.
@globalActor
public actor FirstCommands {
  public static let shared = FirstCommands()
  private static let thread = NumericThread(name: "tests.commands")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}

/// Others of them.
@globalActor
public actor SecondCommands {
  public static let shared = SecondCommands()
  private static let thread = NumericThread(name: "tests.commands")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}

/// Others of them.
@globalActor
public actor ThirdCommands {
  public static let shared = ThirdCommands()
  private static let thread = NumericThread(name: "tests.commands")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}

/// Others of them.
@globalActor
public actor FourthCommands {
  public static let shared = FourthCommands()
  private static let thread = NumericThread(name: "tests.commands")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}

/// Commands of several processes, which wait for each other.
@globalActor
public actor LauncherCommands {
  public static let shared = LauncherCommands()
  private static let thread = NumericThread(name: "tests.launcher")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.thread.asUnownedSerialExecutor() }
}
