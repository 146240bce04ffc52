import ModelFiles

/// One number or several.
struct NumberOrNumbers: Decodable {
  let values: [Int]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    values = try (try? container.decode([Int].self)) ?? [container.decode(Int.self)]
  }
}

/// `text_config` of a `config.json`, as it is written: a Llama's. Unknown fields are ignored.
struct TextConfigurationFile: Decodable {
  struct Rope: Decodable {
    let theta, factor, low, high, original: Double?
    let type: String?

    enum CodingKeys: String, CodingKey {
      case factor
      case theta = "rope_theta"
      case low = "low_freq_factor"
      case high = "high_freq_factor"
      case original = "original_max_position_embeddings"
      case type = "rope_type"
    }
  }

  let vocabulary, width, hidden, layers, heads: Int
  let kvHeads, headSize, context: Int?
  let epsilon: Double?
  let theta: Double?
  let scaling, parameters: Rope?
  let tied: Bool?
  let ends: NumberOrNumbers?
  let type, activation: String?

  enum CodingKeys: String, CodingKey {
    case vocabulary = "vocab_size"
    case width = "hidden_size"
    case hidden = "intermediate_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case kvHeads = "num_key_value_heads"
    case headSize = "head_dim"
    case context = "max_position_embeddings"
    case epsilon = "rms_norm_eps"
    case theta = "rope_theta"
    case scaling = "rope_scaling"
    case parameters = "rope_parameters"
    case tied = "tie_word_embeddings"
    case ends = "eos_token_id"
    case type = "model_type"
    case activation = "hidden_act"
  }

  /// Checked. `tied`: what the file says beside it. Throws `ModelFileError` naming the key and what it may be.
  func checked(_ gate: ConfigurationGate, tied elsewhere: Bool?) throws -> TextConfiguration {
    var c = TextConfiguration()
    func name(_ key: CodingKeys) -> String { "text_config.\(key.rawValue)" }
    try gate.known(type, name(.type), ["llama"])
    try gate.known(activation, name(.activation), ["silu", "swish"])
    (c.vocabulary, c.width, c.layers, c.heads) = (vocabulary, width, layers, heads)
    (c.kvHeads, c.hidden) = (kvHeads ?? heads, hidden)
    try gate.whole(c.vocabulary, name(.vocabulary), 1...1 << 22)
    try gate.whole(c.width, name(.width), 1...1 << 16)
    try gate.whole(c.hidden, name(.hidden), 1...1 << 20)
    try gate.whole(c.layers, name(.layers), 1...1024)
    try gate.whole(c.heads, name(.heads), 1...1024)
    try gate.whole(c.kvHeads, name(.kvHeads), 1...c.heads)
    try gate.divides(c.kvHeads, name(.kvHeads), c.heads, name(.heads))
    if headSize == nil { try gate.divides(c.heads, name(.heads), c.width, name(.width)) }
    c.headSize = headSize ?? c.width / c.heads
    try gate.whole(c.headSize, name(.headSize), 2...1024)
    guard c.headSize % 2 == 0 else {
      throw gate.failure(
        "'\(name(.headSize))' is \(c.headSize), which cannot be: rotary embeddings turn pairs")
    }
    c.epsilon = try Float(gate.number(epsilon ?? 1e-6, name(.epsilon), from: 0, below: 1))
    c.context = context ?? 2048
    // Angles are kept for each position: more than that would not fit into memory.
    try gate.whole(c.context, name(.context), 1...(1 << 26) / c.headSize)
    c.ropeBase = try gate.number(
      parameters?.theta ?? theta ?? 10000, name(.theta), from: 1, below: 1e15)
    c.ropeScaling = try ropeScaling(gate)
    c.isTied = tied ?? elsewhere ?? true
    c.endTokens = ends?.values.compactMap { Int32(exactly: $0) } ?? []
    return c
  }

  private func ropeScaling(_ gate: ConfigurationGate) throws -> RopeScaling? {
    guard let rope = parameters ?? scaling else { return nil }
    let name = "text_config." + (parameters == nil ? "rope_scaling." : "rope_parameters.")
    try gate.known(rope.type, name + "rope_type", ["llama3", "default"])
    guard rope.type == "llama3", let factor = rope.factor else { return nil }
    func number(_ value: Double, _ key: Rope.CodingKeys) throws -> Double {
      try gate.number(value, name + key.rawValue, from: 1e-3, below: 1e9)
    }
    let scaling = RopeScaling(
      factor: try number(factor, .factor), lowFrequencyFactor: try number(rope.low ?? 1, .low),
      highFrequencyFactor: try number(rope.high ?? 4, .high),
      originalContext: try number(rope.original ?? 8192, .original))
    guard scaling.lowFrequencyFactor < scaling.highFrequencyFactor else {
      throw gate.failure(
        "'\(name)low_freq_factor' (\(scaling.lowFrequencyFactor)) is not below 'high_freq_factor' "
          + "(\(scaling.highFrequencyFactor))")
    }
    return scaling
  }
}
