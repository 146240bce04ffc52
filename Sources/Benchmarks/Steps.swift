import Files
import Foundation
import Layers
import Recipes
import Tensors
import Training

/// One step of forward pass, backward pass and AdamW, as a trainer does it.
@NumericActor
private func trainingStep(
  _ network: some Module, _ optimizer: AdamW, forward: @NumericActor () -> Tensor, target: Tensor
) {
  let (_, gradients) = grad(of: optimizer.parameters) { meanSquaredError(forward(), target) }
  optimizer.step(gradients)
}

private func result(
  _ name: String, _ precision: Precision, _ machine: Machine, seconds: Double, flops: Double?
) -> Measurement {
  let gflops = flops.map { $0 / seconds / 1e9 }
  return Measurement(
    name: "\(name) \(precision.rawValue)", seconds: seconds, gflops: gflops,
    limitShare: gflops.map { $0 / machine.peakGflops(precision) })
}

/// 8 pre-norm blocks, width 256, 4 heads, SwiGLU 1024, batch 32 × 128 tokens.
@NumericActor
public func trainStepWork(_ precision: Precision) -> @NumericActor () -> Void {
  var random = Philox(seed: 7)
  let network = BenchTransformer(depth: 8, width: 256, heads: 4, hidden: 1024, using: &random)
  let x = Tensor.normal([32, 128, 256], using: &random),
    target = Tensor.normal([32, 128, 256], using: &random)
  let input = x.cast(to: precision.activationType), optimizer = AdamW(network, .init(rate: 1e-4, decay: 0.1))
  return { trainingStep(network, optimizer, forward: { network(input) }, target: target) }
}

/// The step of `trainStepWork`, timed.
@NumericActor
public func trainStep(_ precision: Precision, _ machine: Machine, repeats: Int) -> Measurement {
  let work = trainStepWork(precision), seconds = medianSeconds(runs: repeats, warmUp: 2, work)
  // Products: 2 a weight and token forward, twice that backward; attention's two products likewise. A block's
  // weights are 4 of attention and 3 of the feed-forward network.
  let weights = 8.0 * (4 * 256 * 256 + 3 * 256 * 1024), tokens = 32.0 * 128
  let flops = 6 * weights * tokens + 8 * 3 * 4 * tokens * 128 * 256
  return result("train-step", precision, machine, seconds: seconds, flops: flops)
}

/// The U-Net of `Networks.swift` on 64 × 64 × 6, batch 16.
@NumericActor
public func convStep(_ precision: Precision, _ machine: Machine, repeats: Int) -> Measurement {
  var random = Philox(seed: 7)
  let network = BenchUNet(using: &random)
  let x = Tensor.normal([16, 64, 64, 6], using: &random),
    target = Tensor.normal([16, 64, 64, 3], using: &random)
  let input = x.cast(to: precision.activationType), optimizer = AdamW(network, .init(rate: 1e-4, decay: 0.1))
  let seconds = medianSeconds(runs: repeats, warmUp: 2) {
    trainingStep(network, optimizer, forward: { network(input) }, target: target)
  }
  return result("conv-step", precision, machine, seconds: seconds, flops: nil)
}

/// 50 Euler steps with guidance: a batch of 2 × 96 tokens, of which 32 are text.
@NumericActor
public func samplingWork(_ precision: Precision, cachingText: Bool) -> @NumericActor () -> Void {
  var random = Philox(seed: 7)
  let network = BenchTransformer(depth: 12, width: 384, heads: 6, hidden: 1536, using: &random)
  let type = precision.activationType
  let text = Tensor.normal([2, 32, 384], type: type, using: &random)
  let noise = Tensor.normal([1, 64, 384], type: type, using: &random)
  return { _ = cachingText ? sampleAfterText(network, text, noise) : sampleWithText(network, text, noise) }
}

/// The steps of `samplingWork`, timed.
@NumericActor
public func sampling(_ precision: Precision, _ machine: Machine, cachingText: Bool, repeats: Int)
  -> Measurement
{
  let seconds = medianSeconds(runs: repeats, samplingWork(precision, cachingText: cachingText))
  return result(
    cachingText ? "sampling, text cached" : "sampling", precision, machine, seconds: seconds, flops: nil)
}

private let guidanceScale: Float = 5

/// `v = v_uncond + w (v_cond − v_uncond)` from a batch of both.
private func guided(_ velocity: Tensor) -> Tensor {
  let (conditional, unconditional) = (velocity.sliced(0..<1), velocity.sliced(1..<2))
  return unconditional + guidanceScale * (conditional - unconditional)
}

/// All 96 tokens go through the network in every step.
private func sampleWithText(_ network: BenchTransformer, _ text: Tensor, _ noise: Tensor) -> Tensor {
  var z = noise
  for _ in 0..<50 {
    let tokens = Tensor.concatenated([text, .concatenated([z, z])], axis: 1)
    z = z + guided(network(tokens).sliced(32..<96, axis: 1)) * (1.0 / 50)
  }
  return z
}

/// The text's keys and values are made once.
private func sampleAfterText(_ network: BenchTransformer, _ text: Tensor, _ noise: Tensor) -> Tensor {
  var hidden = text, caches: [KeyValues] = []
  for layer in network.layers {
    caches.append(layer.attention.keyValues(of: layer.attentionNorm(hidden)))
    hidden = layer(hidden)
  }
  var z = noise
  for _ in 0..<50 {
    var v = Tensor.concatenated([z, z])
    for (layer, cache) in zip(network.layers, caches) { v = layer(v, after: cache) }
    z = z + guided(v) * (1.0 / 50)
  }
  return z
}

/// Steps of an understanding run: on batches that are there, as fast as products and kernels allow, and on as many
/// further ones whose scenes are composed, asked about and packed meanwhile. The share is of the first's speed.
@NumericActor
public func understandingSteps(_ recipe: UnderstandingRecipe, repeats: Int) throws -> [Measurement] {
  let folder = try TemporaryFolder("vugen-bench")
  defer { withExtendedLifetime(folder) {} }
  let bank = try UnderstandingTraining.learnTokenizer(recipe, folder: folder.path)
  let training = try UnderstandingTraining(recipe, folder: folder.path, isResuming: false, bank: bank)
  defer { training.stop() }
  let clock = ContinuousClock(), count = max(8, repeats)
  // Two steps more: kernels are compiled for the shapes they meet.
  let alone = Array(try (0..<count + 2).map { try training.stepWithoutData(on: $0) }.dropFirst(2)).mean
  let times = try (0..<count + 2).map { _ -> Double in
    let start = clock.now
    _ = try training.step()
    return (clock.now - start) / .seconds(1)
  }
  let whole = Array(times.dropFirst(2)).mean
  return [
    Measurement(name: "understanding step, batches at hand", seconds: alone),
    Measurement(name: "… in a run that makes them", seconds: whole, limitShare: alone / whole),
  ]
}
