import Flow
import Foundation
import ModelFiles
import Recipes
import TestSupport
import Tensors
import Testing
import Training
import VUGEN

/// LPIPS and DINOv2 against PyTorch, with the weights of `make_teacher_references.py`.
@Suite(.serialized)
@NumericActor
struct TeacherTests {
  static var fixtures: String {
    get throws { try #require(Bundle.module.path(forResource: "Fixtures", ofType: nil)) }
  }

  private func stored(_ prefix: String) throws -> (String) throws -> Tensor {
    let file = try SafetensorsFile(path: try Self.fixtures + "/teachers.safetensors")
    return { try file.tensor("\(prefix).\($0)") }
  }

  /// Spread evenly over ±bound, as the script does it.
  private static func formula(_ shape: [Int], _ place: Int, _ bound: Double) -> Tensor {
    let count = shape.reduce(1, *)
    let values = (0..<UInt64(count)).map { i -> Float in
      let u = (i &* 2_654_435_761 &+ UInt64(12345 * (place + 1))) & 0xFFFF_FFFF
      return Float((Double(u) / 0x1p32 - 0.5) * 2 * bound)
    }
    return Tensor(values, shape: shape)
  }

  static func folder(of network: LPIPS.Network) throws -> String {
    let folder = temporaryPath()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var backbone: [String: Tensor] = [:], heads: [String: Tensor] = [:]
    for (number, layer) in network.layers.enumerated() {
      for place in layer.convolutions {
        let s = network.shape(place), fan = s.inputs * s.kernel * s.kernel
        backbone["features.\(place).weight"] = Self.formula(
          [s.outputs, s.inputs, s.kernel, s.kernel], place, (6 / Double(fan)).squareRoot())
        backbone["features.\(place).bias"] = Self.formula([s.outputs], place, 0.1)
      }
      let channels = network.shape(layer.convolutions[0]).outputs
      heads["lin\(number).model.1.weight"] = (Self.formula([channels], 100 + number, 1) + Tensor([1]))
        .reshaped([1, channels, 1, 1])
    }
    try SafetensorsWriter.write(backbone, to: folder + "/network.safetensors")
    try SafetensorsWriter.write(heads, to: folder + "/heads.safetensors")
    return folder
  }

  @Test(arguments: LPIPS.Network.allCases)
  func perceptualDistanceAndItsGradientAreThoseOfPyTorch(_ network: LPIPS.Network) throws {
    let path = try Self.folder(of: network)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lpips = try LPIPS(folder: path, type: .f32), known = try stored(network.rawValue)
    let a = Parameter(try known("a")), b = try known("b")
    let (distance, gradients) = grad(of: [a]) {
      lpips(lpips.features(a.tensor), withoutGradients { lpips.features(b) })
    }
    #expect(relativeError(distance.reshaped([1]), try known("distance")) < 1e-4)
    #expect(relativeError(try #require(gradients[a]), try known("gradient")) < 1e-4)
    // The same picture twice is no distance at all.
    #expect(lpips(lpips.features(b), lpips.features(b)).item() == 0)
  }

  @Test func aFolderWithoutHeadsIsAnError() throws {
    let path = try Self.folder(of: .alexnet)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.removeItem(atPath: path + "/heads.safetensors")
    #expect(throws: ModelFileError.self) { try LPIPS(folder: path, type: .f32) }
    #expect(throws: ModelFileError.self) { try LPIPS(folder: "/nowhere", type: .f32) }
    #expect(throws: ModelFileError.self) { try DINOv2(folder: "/nowhere") }
  }

  /// Its own grid, and another one, to which the positions are fitted.
  @Test(arguments: [5, 3])
  func featuresOfDINOv2AreThoseOfPyTorch(_ grid: Int) throws {
    let dino = try DINOv2(folder: try Self.fixtures + "/dinov2"), known = try stored("dino\(grid)")
    #expect(relativeError(dino(try known("x"), type: .f32), try known("y")) < 1e-4)
  }

  /// The two terms of a decoder's run that stand on folders with weights: LPIPS of the one-step estimate, and REPA to
  /// DINOv2's patches of the picture, which is fitted to the transformer's grid.
  @Test func termsOfARunAreThoseOfPyTorch() throws {
    let path = try Self.folder(of: .alexnet), known = try stored("run")
    defer { try? FileManager.default.removeItem(atPath: path) }
    var objectives = DecoderRecipe.Objectives()
    (objectives.lpipsFolder, objectives.dinoFolder) = (path, try Self.fixtures + "/dinov2")
    let encoder = try LoadedModel(folder: TinyModel.understanding()).tower.core.encoder
    let teachers = try DecoderTeachers(encoder, objectives, grid: 8, type: .f32)
    #expect(teachers.perceptualName == "LPIPS" && teachers.alignmentName == "REPA")
    #expect(teachers.alignmentWidth == 48)
    let target = try known("target"), noise = try known("noise"), t = try known("t")
    let seenSize = encoder.configuration.imageSize
    let targets = teachers.targets(
      target, seen: target.resizedBilinear(height: seenSize, width: seenSize), comparing: true)
    func same(_ found: Tensor?, _ name: String) throws {
      #expect(relativeError(try #require(found), try known(name)) < 1e-4, "\(name)")
    }
    let velocity = Parameter(try known("velocity"))
    let (distance, first) = grad(of: [velocity]) {
      let point = StraightPath.point(target, noise, at: t)
      return teachers.distance(StraightPath.dataEstimate(point, velocity: velocity.tensor, at: t), targets)
    }
    try same(distance.reshaped([1]), "perceptual")
    try same(first[velocity], "velocity_gradient")
    let names = ["seen", "first", "second"], parameters = try names.map { Parameter(try known($0)) }
    let loss = DecoderLoss(weights: objectives, teachers: teachers)
    let (repa, second) = grad(of: parameters) {
      loss.alignment(of: parameters[0].tensor, to: targets) {
        linear(linear($0, weight: parameters[1].tensor).silu(), weight: parameters[2].tensor)
      }
    }
    try same(repa.reshaped([1]), "repa")
    for (name, parameter) in zip(names, parameters) { try same(second[parameter], name + "_gradient") }
  }

  /// Runs learn from both, say so by their terms' names, and go on bit for bit.
  @Test func runsLearnFromBoth() throws {
    let path = try Self.folder(of: .alexnet), cutOuts = try curatedCutOuts.get()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let source = try TinyModel.ofPatch14()
    var recipe = DecoderRecipe()
    (recipe.data.batch, recipe.data.wideShare, recipe.model.outputSize) = (2, 0, 64)
    recipe.optimization.optimizer = .adamW
    (recipe.objectives.lpipsFolder, recipe.objectives.dinoFolder) = (path, try Self.fixtures + "/dinov2")
    func training(_ folder: String, isResuming: Bool = false) throws -> DecoderTraining {
      try DecoderTraining(recipe, model: source, folder: folder, isResuming: isResuming, bank: cutOuts)
    }
    let whole = temporaryPath(), parts = temporaryPath()
    for (folder, steps) in [(whole, 3), (parts, 2), (parts, 1)] {
      let run = try training(folder, isResuming: FileManager.default.fileExists(atPath: folder))
      for _ in 0..<steps {
        let report = try run.step()
        #expect(report.terms.map(\.name) == ["flow", "LPIPS", "REPA"])
        #expect(report.terms.allSatisfy { $0.value.isFinite && $0.value > 0 })
      }
      try run.saveCheckpoint()
      run.stop()
      try run.export(to: folder + "/model")
    }
    let states = [whole, parts].map { FileManager.default.contents(atPath: $0 + "/checkpoint.safetensors") }
    #expect(states[0] != nil && states[0] == states[1])
    var distill = DistillRecipe()
    (distill.data.batch, distill.data.wideShare, distill.teacher.steps) = (2, 0, 2)
    (distill.objectives.lpipsFolder, distill.objectives.dinoFolder) = (path, recipe.objectives.dinoFolder)
    let second = try DistillTraining(
      distill, model: whole + "/model", folder: temporaryPath(), isResuming: false, bank: cutOuts)
    #expect(try second.step().terms.map(\.name) == ["flow", "LPIPS", "REPA"])
    second.stop()
    // A folder that holds no weights is known before anything is written.
    recipe.objectives.lpipsFolder = try temporaryFolder()
    let nowhere = temporaryPath()
    #expect(throws: ModelFileError.self) { try training(nowhere) }
    #expect(!FileManager.default.fileExists(atPath: nowhere))
  }
}
