import Layers
import TestSupport
import Tensors
import Testing

final class Branch: Module {
  @Child("blocks") var blocks: [Linear]
  @Child("extra") var extra: LayerNorm?
  @Weight("scale") var scale: Parameter
  @Weight("shift") var shift: Parameter?

  init(depth: Int, extra: Bool, using random: inout Philox) {
    var list: [Linear] = []
    for _ in 0..<depth { list.append(Linear(4, 4, bias: false, using: &random)) }
    blocks = list
    self.extra = extra ? LayerNorm(4) : nil
    scale = Parameter(.full([4], 1))
    shift = nil
  }
}

final class Tree: Module {
  @Child("model.branch") var branch: Branch
  @Child("") var inline: Branch

  init(using random: inout Philox) {
    branch = Branch(depth: 2, extra: true, using: &random)
    inline = Branch(depth: 1, extra: false, using: &random)
  }
}

@Suite(.serialized)
@NumericActor
struct LayerTests {
  @Test func namesFollowThePath() {
    var random = Philox(seed: 1)
    #expect(
      Tree(using: &random).namedParameters.map(\.name) == [
        "model.branch.blocks.0.weight", "model.branch.blocks.1.weight", "model.branch.extra.weight",
        "model.branch.extra.bias", "model.branch.scale", "blocks.0.weight", "scale",
      ])
  }

  @Test func loadsWhatFitsAndListsWhatDoesNot() throws {
    var random = Philox(seed: 2)
    let tree = Tree(using: &random), other = Tree(using: &random)
    try other.load(tree.tensorsByName, from: "memory")
    for (a, b) in zip(tree.parameters, other.parameters) { #expect(a.value.toArray() == b.value.toArray()) }

    var wrong = tree.tensorsByName
    wrong["scale"] = nil
    wrong["model.branch.scale"] = .zeros([5])
    wrong["surplus"] = .zeros([1])
    wrong["rope.table"] = .zeros([1])
    let error = try #require(throws: ModuleLoadError.self) {
      try other.load(wrong, from: "model.safetensors") { $0.hasPrefix("rope.") }
    }
    #expect(error.missing == ["scale"] && error.unexpected == ["surplus"])
    #expect(error.misshapen == [.init(name: "model.branch.scale", expected: [4], found: [5])])
    #expect(
      error.description
        == "model.safetensors does not fit this model: missing 1: scale; not part of this model 1: "
        + "surplus; of another shape 1: model.branch.scale ([5], not [4]). Check that config.json and the weights "
        + "belong together.")
    // Nothing was changed by the attempt.
    #expect(other.branch.scale.value.toArray() == [1, 1, 1, 1])
  }

  @Test func trainingDoesNotTouchTheLoadedTensors() {
    let shared = Tensor([1, 2])
    let a = Parameter(shared), b = Parameter(shared)
    a.move(towards: .zeros([2]), weight: 1)
    #expect(a.value.toArray() == [0, 0] && b.value.toArray() == [1, 2] && shared.toArray() == [1, 2])
  }

  @Test func cachedKeysGiveTheSameAnswers() {
    var random = Philox(seed: 3)
    let block = PreNormBlock(width: 48, heads: 3, hidden: 96, using: &random)
    let x = Tensor.normal([2, 10, 48], using: &random)
    // Text that sees only text, then tokens that see everything: the paper's mask.
    let text = x.sliced(0..<4, axis: 1), rest = x.sliced(4..<10, axis: 1)
    let bounds = (0..<10).flatMap { q -> [Int32] in q < 4 ? [0, 4, 4, 4] : [0, 4, 4, 10] }
    let whole = block(x, mask: .ranges(VisibleKeys(bounds, queries: 10, keys: 10)))
    let cache = block.attention.keyValues(of: block.attentionNorm(text))
    #expect(relativeError(block(rest, after: cache), whole.sliced(4..<10, axis: 1)) < 1e-5)
    #expect(relativeError(block(text), whole.sliced(0..<4, axis: 1)) < 1e-5)
  }

  @Test func quantisedLinearStaysClose() {
    var random = Philox(seed: 4)
    let layer = Linear(64, 10, using: &random), x = Tensor.normal([2, 64], using: &random)
    let before = layer(x, activation: .silu)
    layer.quantize(bits: .eight)
    #expect(layer.weight == nil && layer.namedParameters.map(\.name) == ["bias"])
    #expect(relativeError(layer(x, activation: .silu), before) < 0.02)
  }

  @Test func embeddingLooksUpRows() {
    var random = Philox(seed: 5)
    let table = Embedding(5, 3, using: &random)
    let rows = table(Tensor(indices: [4, 0], shape: [1, 2]))
    #expect(rows.shape == [1, 2, 3])
    #expect(rows.toArray().prefix(3) == table.weight.value.toArray()[12..<15])
  }
}
