// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "vugen-studio",
  products: [
    .executable(name: "vugen", targets: ["vugen"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Training", targets: ["Training"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // The C floor: thin faces on libraries, and the loops that no library has.
    .target(
      name: "COneDNN", path: "Sources/Native/COneDNN",
      linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("gomp")]),
    .target(
      name: "CKernels", path: "Sources/Native/CKernels",
      linkerSettings: [.linkedLibrary("gomp"), .linkedLibrary("m")]),
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/Native/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"])]),
    .target(name: "Tensors", dependencies: ["COneDNN", "CKernels", "COpenBLAS"]),
    .target(name: "Layers", dependencies: ["Tensors"]),
    .target(name: "Training", dependencies: ["Layers", "Tensors"]),
    .executableTarget(
      name: "vugen",
      dependencies: [
        "Tensors", "Layers", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

  ],
  swiftLanguageModes: [.v6]
)
