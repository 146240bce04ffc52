// swift-tools-version: 6.1
import PackageDescription

// oneDNN finds these in the program before it finds libgomp's: `Sources/Native/CKernels/team.c`.
let ownTeam = LinkerSetting.unsafeFlags(
  [
    "GOMP_parallel", "GOMP_barrier", "omp_get_max_threads", "omp_get_num_threads", "omp_get_thread_num",
    "omp_in_parallel", "omp_set_num_threads",
  ].flatMap { ["-Xlinker", "--export-dynamic-symbol=\($0)"] })

let package = Package(
  name: "vugen-studio",
  products: [
    .executable(name: "vugen", targets: ["CommandLine"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Flow", targets: ["Flow"]),
    .library(name: "ModelFiles", targets: ["ModelFiles"]),
    .library(name: "Pictures", targets: ["Pictures"]),
    .library(name: "VUGEN", targets: ["VUGEN"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "DataSets", targets: ["DataSets"]),
    .library(name: "Recipes", targets: ["Recipes"]),
    .library(name: "Evaluation", targets: ["Evaluation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    // The C floor: thin faces on libraries, and the loops that no library has.
    .target(
      name: "COneDNN", path: "Sources/Native/COneDNN",
      linkerSettings: [.linkedLibrary("dnnl")]),
    .target(
      name: "CKernels", path: "Sources/Native/CKernels", linkerSettings: [.linkedLibrary("m")]),
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/Native/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "CImageCodecs", path: "Sources/Native/CImageCodecs",
      linkerSettings: [
        .linkedLibrary("png"), .linkedLibrary("z"), .linkedLibrary("jpeg"), .linkedLibrary("webp"),
        .linkedLibrary("webpdemux"), .linkedLibrary("webpmux"), .linkedLibrary("dl"),
      ]),
    .systemLibrary(
      name: "CFreeType", path: "Sources/Native/CFreeType", pkgConfig: "freetype2",
      providers: [.apt(["libfreetype-dev"])]),

    .systemLibrary(
      name: "CCrypto", path: "Sources/Native/CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"])]),
    .target(name: "CCurl", path: "Sources/Native/CCurl", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CMPI", path: "Sources/Native/CMPI", linkerSettings: [.linkedLibrary("dl")]),

    // What the program looks at before anything else of it runs.
    .target(name: "CStart", path: "Sources/Native/CStart"),
    .target(name: "Files"),
    .target(name: "Digests", dependencies: ["CCrypto"]),
    .target(name: "Requests"),
    .target(name: "Tensors", dependencies: ["COneDNN", "CKernels", "COpenBLAS"]),
    .target(name: "Layers", dependencies: ["Tensors"]),
    .target(name: "Flow", dependencies: ["Requests", "Tensors"]),
    .target(
      name: "ModelFiles",
      dependencies: [
        "CCurl", "Digests", "Files", "Tensors",
        .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(name: "Pictures", dependencies: ["CFreeType", "CImageCodecs", "Files"]),
    .target(
      name: "VUGEN",
      dependencies: ["Files", "Flow", "Layers", "ModelFiles", "Pictures", "Requests", "Tensors"],
      resources: [.copy("Resources/nano")]),
    .target(name: "Training", dependencies: ["CMPI", "Files", "Layers", "ModelFiles", "Tensors"]),
    .target(
      name: "DataSets", dependencies: ["Files", "ModelFiles", "Pictures", "Tensors"],
      resources: [.copy("Resources/classes.txt")]),
    .target(
      name: "Recipes",
      dependencies: [
        "DataSets", "Digests", "Files", "Flow", "Layers", "ModelFiles", "Pictures", "Requests", "Tensors",
        "Training", "VUGEN",
        .product(name: "TOMLKit", package: "TOMLKit"),
      ]),
    .target(
      name: "CNCurses", path: "Sources/Native/CNCurses",
      linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
    .systemLibrary(
      name: "CSixel", path: "Sources/Native/CSixel", pkgConfig: "libsixel",
      providers: [.apt(["libsixel-dev"])]),
    .target(name: "CWidth", path: "Sources/Native/CWidth"),
    .target(name: "Frames", dependencies: ["CWidth", "Requests"]),
    .target(name: "SessionLog", dependencies: ["Files", "Requests"]),
    .systemLibrary(
      name: "CSQLite", path: "Sources/Native/CSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "SessionSearch", dependencies: ["CSQLite", "Files", "SessionLog"]),
    .target(name: "StudioUI", dependencies: ["Frames", "Requests", "SessionLog"]),
    .target(
      name: "Terminal", dependencies: ["CNCurses", "CSixel", "Files", "Frames", "Pictures", "Requests"]),
    .target(
      name: "Engine", dependencies: ["Digests", "Pictures", "Requests", "Tensors", "VUGEN"]),
    .target(
      name: "Evaluation",
      dependencies: [
        "DataSets", "Files", "Layers", "Pictures", "Requests", "Tensors", "Training", "VUGEN",
      ]),
    .target(
      name: "Studio",
      dependencies: [
        "Digests", "Engine", "Files", "Frames", "Pictures", "Requests", "SessionLog",
        "SessionSearch", "StudioUI", "Tensors", "Terminal", "VUGEN",
        .product(name: "TOMLKit", package: "TOMLKit"),
      ]),
    .target(
      name: "Benchmarks",
      dependencies: [
        "Engine", "Files", "Frames", "Layers", "Pictures", "Recipes", "Requests", "SessionLog", "StudioUI",
        "Tensors", "Terminal", "Training", "VUGEN",
      ]),
    .executableTarget(
      name: "CommandLine",
      dependencies: [
        "Benchmarks", "CStart", "DataSets", "Digests", "Engine", "Evaluation", "Files", "Frames",

        "ModelFiles", "Pictures", "Recipes", "Requests", "SessionLog", "SessionSearch", "Studio", "StudioUI",
        "Tensors", "Terminal", "Training", "VUGEN",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      linkerSettings: [ownTeam]),

    .target(
      name: "TestSupport", dependencies: ["DataSets", "Digests", "ModelFiles", "ProgramStart", "Tensors"],
      path: "Tests/TestSupport",
      linkerSettings: [ownTeam]),
    .testTarget(
      name: "EngineTests",
      dependencies: ["Engine", "Pictures", "Requests", "Tensors", "TestSupport", "VUGEN"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: ["DataSets", "Evaluation", "Tensors", "TestSupport", "VUGEN"]),
    .testTarget(name: "FlowTests", dependencies: ["Flow", "Requests", "Tensors", "TestSupport"]),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(name: "FramesTests", dependencies: ["Frames", "Requests"]),
    .testTarget(
      name: "TerminalTests", dependencies: ["Terminal", "Frames", "Pictures", "Requests", "TestSupport"]),
    .testTarget(
      name: "StudioUITests",
      dependencies: ["Files", "Frames", "Requests", "SessionLog", "StudioUI", "Tensors", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "SessionSearchTests", dependencies: ["Requests", "SessionLog", "SessionSearch", "TestSupport"]),
    .target(
      name: "TerminalProbe", dependencies: ["ProgramStart"], path: "Tests/TerminalProbe",
      linkerSettings: [.linkedLibrary("vterm"), .linkedLibrary("sixel")]),
    .target(name: "ProgramStart", path: "Tests/ProgramStart"),
    // A program that has the terminal and dies.
    .executableTarget(
      name: "dying-program", dependencies: ["Files", "Frames", "Tensors", "Terminal"],
      path: "Tests/DyingProgram",
      linkerSettings: [ownTeam]),
    // What starts the program: by the shell, and before a terminal.
    .target(
      name: "ProgramSupport", dependencies: ["Pictures", "Tensors", "TerminalProbe", "TestSupport"],
      path: "Tests/ProgramSupport"),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "Files", "ModelFiles", "Pictures", "ProgramSupport", "Recipes", "Tensors", "TerminalProbe",
        "TestSupport",
        "VUGEN", "fuzz", "CommandLine",
      ]),
    // The studio itself, before a terminal.
    .testTarget(
      name: "StudioProgramTests",
      dependencies: [
        "Files", "Pictures", "ProgramSupport", "Requests", "SessionLog", "TerminalProbe", "TestSupport",
        "dying-program", "CommandLine",
      ]),
    .testTarget(
      name: "StudioTests",
      dependencies: [
        "Digests", "Files", "Frames", "Pictures", "Requests", "SessionLog", "Studio", "StudioUI", "Tensors",
        "TestSupport",
      ]),
    .testTarget(name: "RequestsTests", dependencies: ["Requests"]),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks"]),
    // Who may import whom.
    .testTarget(name: "PackageTests"),
    // Runs every command over absurd options and spoilt inputs.
    .executableTarget(
      name: "fuzz", dependencies: ["Pictures", "Tensors", "TestSupport"], path: "Tests/FuzzProgram",
      linkerSettings: [ownTeam]),
    // A program that is killed while it writes a session.
    .executableTarget(name: "session-writer", dependencies: ["SessionLog"], path: "Tests/SessionWriter"),
    .testTarget(
      name: "SessionLogTests",
      dependencies: ["Files", "Requests", "SessionLog", "Tensors", "TestSupport", "session-writer"]),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "ModelFiles", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "VUGENTests",
      dependencies: [
        "Files", "Flow", "VUGEN", "Layers", "ModelFiles", "Pictures", "Requests", "Tensors", "TestSupport",
      ],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "Tensors", "TestSupport"]),
    .testTarget(
      name: "ModelFilesTests",
      dependencies: ["Digests", "Files", "ModelFiles", "Layers", "Tensors", "TestSupport"]),
    .testTarget(
      name: "PicturesTests", dependencies: ["Pictures", "ModelFiles", "Tensors", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "DataSetsTests",
      dependencies: ["DataSets", "Files", "ModelFiles", "Pictures", "Tensors", "TestSupport"]),
    .testTarget(
      name: "RecipesTests",
      dependencies: [
        "DataSets", "Evaluation", "Files", "Flow", "Layers", "ModelFiles", "Pictures", "Recipes", "Requests",
        "Tensors",
        "TestSupport", "Training", "VUGEN",
      ],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Files", "Training", "Layers", "ModelFiles", "Tensors", "TestSupport"],
      resources: [.copy("Fixtures")]),
  ],
  swiftLanguageModes: [.v6]
)

// Tests are compiled once and run once, and the commands parse and print: optimising them takes longer than it saves.
for target in package.targets
where target.type == .test
  || ["ProgramSupport", "dying-program", "fuzz", "session-writer", "CommandLine"].contains(target.name)
{
  target.swiftSettings = [.unsafeFlags(["-Onone", "-no-emit-module-separately-wmo"])]
}

// `make sanitize` compiles only what it runs, and a lock whose waiting ThreadSanitizer can see.
if Context.environment["VUGEN_SANITIZE"] != nil {
  package.targets.append(.target(name: "VisibleMutex", path: "Tests/VisibleMutex"))
  package.targets.first { $0.name == "TestSupport" }?.dependencies.append("VisibleMutex")
  var needed: Set = [
    "DataSetsTests", "EngineTests", "ModelFilesTests", "PicturesTests", "SessionLogTests", "TensorsTests",
    "StudioUITests", "TerminalTests", "TrainingTests",
  ]
  var count = 0
  while count != needed.count {
    count = needed.count
    for target in package.targets where needed.contains(target.name) {
      for case .byNameItem(let name, _) in target.dependencies { needed.insert(name) }
    }
  }
  package.targets.removeAll { !needed.contains($0.name) }
  package.products.removeAll()
}
