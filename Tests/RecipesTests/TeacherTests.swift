import Foundation
import ModelFiles
import Recipes
import TestSupport
import Tensors
import Testing

/// LPIPS and DINOv2 against PyTorch, with the weights of `make_teacher_references.py`.
@Suite(.serialized)
@NumericActor
struct TeacherTests {
  private static var fixtures: String {
    get throws { try #require(Bundle.module.path(forResource: "Fixtures", ofType: nil)) }
  }

  private func stored(_ prefix: String) throws -> (String) throws -> Tensor {
    let file = try SafetensorsFile(path: try Self.fixtures + "/teachers.safetensors")
    return { try file.tensor("\(prefix).\($0)") }
  }

  /// Spread evenly over ±bound, as the script does it.
  private func formula(_ shape: [Int], _ place: Int, _ bound: Double) -> Tensor {
    let count = shape.reduce(1, *)
    let values = (0..<UInt64(count)).map { i -> Float in
      let u = (i &* 2_654_435_761 &+ UInt64(12345 * (place + 1))) & 0xFFFF_FFFF
      return Float((Double(u) / 0x1p32 - 0.5) * 2 * bound)
    }
    return Tensor(values, shape: shape)
  }

  private func folder(of network: LPIPS.Network) throws -> String {
    let folder = temporaryPath()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var backbone: [String: Tensor] = [:], heads: [String: Tensor] = [:]
    for (number, layer) in network.layers.enumerated() {
      for place in layer.convolutions {
        let s = network.shape(place), fan = s.inputs * s.kernel * s.kernel
        backbone["features.\(place).weight"] = formula(
          [s.outputs, s.inputs, s.kernel, s.kernel], place, (6 / Double(fan)).squareRoot())
        backbone["features.\(place).bias"] = formula([s.outputs], place, 0.1)
      }
      let channels = network.shape(layer.convolutions[0]).outputs
      heads["lin\(number).model.1.weight"] = (formula([channels], 100 + number, 1) + Tensor([1]))
        .reshaped([1, channels, 1, 1])
    }
    try SafetensorsWriter.write(backbone, to: folder + "/network.safetensors")
    try SafetensorsWriter.write(heads, to: folder + "/heads.safetensors")
    return folder
  }

  @Test(arguments: LPIPS.Network.allCases)
  func perceptualDistanceAndItsGradientAreThoseOfPyTorch(_ network: LPIPS.Network) throws {
    let path = try folder(of: network)
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
    let path = try folder(of: .alexnet)
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
}
