/// ComfyUI's graph of nodes: from a sampler its conditions are followed to texts, through whatever lies between.
struct ComfyGraph {
  private struct Node {
    var kind: String
    var inputs: [String: JSONValue]
  }

  private enum Role { case positive, negative }

  private let nodes: [String: Node]
  /// An output of a node, and whose sake it is followed for.
  private struct Place: Hashable {
    let id: String, output: Int, role: Role
  }

  /// What an output leads to, and kinds of nodes behind which there is a text that cannot be read.
  private struct Found {
    var text: String?
    var unread: [String] = []
  }

  /// What was found so far.
  private final class Budget {
    /// Outputs that may still be followed.
    var left = 5000
    var unread: [String] = []
    /// Each output is followed once, however often it is joined; one that is being followed and leads back to itself has no
    /// text.
    var known: [Place: Found] = [:]
  }
  private let budget = Budget()

  init(_ json: JSONValue) {
    nodes = (json.object ?? [:]).compactMapValues { node in
      node["inputs"]?.object.map { Node(kind: node["class_type"]?.text ?? "", inputs: $0) }
    }
  }

  /// The node and the number of the output that a link names.
  private func link(_ value: JSONValue?) -> (id: String, output: Int)? {
    guard let list = value?.list, list.count == 2, let output = list[1].number, output.isFinite else {
      return nil
    }
    guard let id = list[0].text ?? list[0].whole.map({ "\($0)" }), nodes[id] != nil else { return nil }
    return (id, Int(max(0, min(1000, output))))
  }

  // MARK: Samplers

  var settings: ForeignSettings? {
    let samplers = nodes.filter { isSampler($0.value) }.keys
    let ordered = samplers.sorted { (rank($0), Int($0) ?? .max, $0) < (rank($1), Int($1) ?? .max, $1) }
    for id in ordered {
      if let node = nodes[id], let found = settings(of: node) { return found }
    }
    return nil
  }

  private func isSampler(_ node: Node) -> Bool {
    if link(node.inputs["guider"]) != nil { return true }
    guard node.inputs["positive"] != nil else { return false }
    return ["steps", "sigmas", "seed", "noise_seed"].contains { node.inputs[$0] != nil }
  }

  /// How many samplers come before: the first pass decides what is seen, later ones refine it.
  private func rank(_ id: String) -> Int {
    var seen: Set<String> = [id], open = [id], samplers = 0
    while let next = open.popLast() {
      for (name, value) in nodes[next]?.inputs ?? [:]
      where name.contains("latent") || name == "samples" || next != id {
        guard let (other, _) = link(value), seen.insert(other).inserted else { continue }
        if let node = nodes[other], isSampler(node) { samplers += 1 }
        open.append(other)
      }
    }
    return samplers
  }

  private func settings(of sampler: Node) -> ForeignSettings? {
    let guider = link(sampler.inputs["guider"]).flatMap { nodes[$0.id] }
    let inputs = sampler.inputs.merging(guider?.inputs ?? [:]) { own, _ in own }
    let condition = inputs["positive"] ?? inputs["conditioning"] ?? inputs["cond1"]
    var found = ForeignSettings(program: "ComfyUI")
    let (prompt, unread) = words(condition, .positive),
      hasPrompt = prompt?.allSatisfy(\.isWhitespace) == false
    guard hasPrompt || unread != nil else { return nil }
    found.prompt = prompt ?? ""
    if let unread { found.tellUnread(.prompt, from: unread, isPart: hasPrompt) }
    let (negative, missed) = words(inputs["negative"], .negative)
    found.negative = negative
    if let missed { found.tellUnread(.negative, from: missed, isPart: negative?.isEmpty == false) }
    found.take(
      seed: value(inputs["seed"] ?? inputs["noise_seed"] ?? inputs["noise"], Self.seedNames),
      scale: value(inputs["cfg"] ?? inputs["cfg_conds"], ["cfg", "value", "float", "number"]),
      steps: value(inputs["steps"] ?? inputs["sigmas"], ["steps", "value", "int", "number", "sigmas"]))
    found.others = others(inputs)
    let distilling = nodes.filter {
      let kind = $0.value.kind.lowercased()
      return kind.contains("fluxguidance") || kind.contains("cliptextencodeflux")
    }
    found.distilledGuidance = distilling.min { $0.key < $1.key }.flatMap { node in
      value(node.value.inputs["guidance"], ["guidance", "value", "float", "number"])?.shown
    }
    return found
  }

  private static let seedNames = ["seed", "noise_seed", "value", "int", "number"]

  /// A value itself, or what the nodes behind a link hold under one of some names.
  private func value(_ value: JSONValue?, _ names: [String]) -> JSONValue? {
    var value = value
    for _ in 0..<32 {
      guard let (id, _) = link(value) else { return value?.list == nil ? value : nil }
      guard let inputs = nodes[id]?.inputs else { return nil }
      value = names.compactMap { inputs[$0] }.first ?? (inputs.count == 1 ? inputs.first?.value : nil)
    }
    return nil
  }

  private func others(_ inputs: [String: JSONValue]) -> [(String, String)] {
    var found: [(String, String)] = []
    for name in ["sampler_name", "scheduler", "denoise"] {
      if let shown = value(inputs[name], [name])?.shown { found.append((name, shown)) }
    }
    for (_, node) in nodes.sorted(by: { $0.key < $1.key }) {
      for name in ["ckpt_name", "unet_name", "lora_name", "vae_name", "control_net_name", "guidance"] {
        if let shown = node.inputs[name]?.shown { found.append((name, shown)) }
      }
    }
    return found
  }

  // MARK: Conditions and texts

  /// The words behind a condition, and the kind of a node that made some or all of them and cannot be read.
  private func words(_ condition: JSONValue?, _ role: Role) -> (words: String?, unread: String?) {
    (budget.left, budget.unread, budget.known) = (5000, [], [:])
    let found = text(condition, role)
    return (found, budget.unread.first)
  }

  /// The words behind a condition; nil where none are found.
  private func text(_ value: JSONValue?, _ role: Role, depth: Int = 0) -> String? {
    if let text = value?.text { return text }
    guard let (id, output) = link(value), let node = nodes[id] else { return nil }
    let place = Place(id: id, output: output, role: role)
    if let known = budget.known[place] {
      budget.unread += known.unread
      return known.text
    }
    guard depth < 64, budget.left > 0 else { return nil }
    budget.left -= 1
    budget.known[place] = Found()
    let others = budget.unread
    budget.unread = []
    let found = text(of: node, output, role, depth)
    // The first one is told.
    let unread = Array(budget.unread.prefix(1))
    budget.known[place] = Found(text: found, unread: unread)
    budget.unread = others + unread
    return found
  }

  private func text(of node: Node, _ output: Int, _ role: Role, _ depth: Int) -> String? {
    func follow(_ name: String) -> String? { text(node.inputs[name], role, depth: depth + 1) }
    let kind = node.kind.lowercased()
    // Nothing remains of a condition that is made zero.
    if kind.contains("zeroout") { return "" }
    if let side = side(of: node, output, role) { return text(side.value, side.role, depth: depth + 1) }
    for names in Self.joined where names.allSatisfy({ node.inputs[$0] != nil }) {
      return join(names.compactMap(follow), ", ", by: node)
    }
    // A switch says which of its inputs it lets through.
    if let select = node.inputs["select"]?.count, let name = Self.chosen(select, of: node) {
      return follow(name)
    }
    switch ComfyStrings.work(of: node.kind, node.inputs) {
    case .unread: return unread(node)
    case .replace: return replaced(node, follow) ?? unread(node)
    case .join: return joined(node, follow)
    case .plain: break
    }
    if let encoded = encoded(node, follow) { return encoded }
    return firstFound(Self.names, follow) ?? anyCondition(node, follow) ?? unreadText(of: node)
  }

  /// What the first of some inputs leads to that leads anywhere.
  private func firstFound(_ names: [String], _ follow: (String) -> String?) -> String? {
    let before = budget.unread.count
    for name in names {
      let tried = budget.unread.count
      guard let found = follow(name) else { continue }
      // What the others led to in vain is not missed.
      budget.unread.removeSubrange(before..<tried)
      return found
    }
    return nil
  }

  /// Takes note of a node whose text cannot be told.
  private func unread(_ node: Node) -> String? {
    budget.unread.append(node.kind)
    return nil
  }

  /// Takes note of the node behind a text's name, where none deeper was found to be the cause.
  private func unreadText(of node: Node) -> String? {
    guard budget.unread.isEmpty else { return nil }
    for name in ["text", "prompt", "string"] {
      if let (id, _) = link(node.inputs[name]), let maker = nodes[id] { return unread(maker) }
    }
    return nil
  }

  private func replaced(_ node: Node, _ follow: (String) -> String?) -> String? {
    let name = ["string", "text", "prompt", "text_a"].first { node.inputs[$0] != nil }
    return name.flatMap(follow).flatMap { ComfyStrings.replaced($0, node.inputs, follow) }
  }

  private func joined(_ node: Node, _ follow: (String) -> String?) -> String? {
    let parts = ComfyStrings.parts(of: node.inputs).compactMap { name in
      let known = budget.unread.count, part = follow(name)
      // An input of which nothing is found is a part that is missed.
      if part == nil, budget.unread.count == known, let (id, _) = link(node.inputs[name]),
        let maker = nodes[id]
      {
        return unread(maker)
      }
      return part
    }
    return join(parts, ComfyStrings.separator(node.kind, node.inputs, follow), by: node)
  }

  /// Nodes that take and give both sides: the output's number says which one it is.
  private func side(of node: Node, _ output: Int, _ role: Role) -> (value: JSONValue?, role: Role)? {
    for (positive, negative) in [("positive", "negative"), ("text_positive", "text_negative")] {
      guard let a = node.inputs[positive], let b = node.inputs[negative] else { continue }
      // Loaders with texts of their own count from a later output.
      let isLink = link(a) != nil && link(b) != nil || positive == "text_positive"
      let wanted: Role = isLink ? (output == 0 ? .positive : output == 1 ? .negative : role) : role
      return wanted == .positive ? (a, .positive) : (b, .negative)
    }
    return nil
  }

  /// The name of the input of this number, from 1.
  private static func chosen(_ number: Double, of node: Node) -> String? {
    guard let number = Int(exactly: number) else { return nil }
    return ["input\(number)", "input_\(number)", "value\(number)", "text\(number)", "text_\(number)"]
      .first { node.inputs[$0] != nil }
  }

  private static let joined = [
    ["conditioning_to", "conditioning_from"], ["conditioning_1", "conditioning_2"], ["cond1", "cond2"],
  ]

  private static let names = [
    "conditioning", "positive", "text", "populated_text", "wildcard_text", "prompt", "string", "value",
    "text_0",
    "text_positive", "positive_prompt", "cond", "input", "any", "anything", "",
  ]

  /// Encoders with several texts.
  private func encoded(_ node: Node, _ follow: (String) -> String?) -> String? {
    for names in [["t5xxl", "clip_l", "clip_g"], ["text_g", "text_l"]] where node.inputs[names[0]] != nil {
      var parts: [String] = []
      for name in names {
        if let part = follow(name), !part.isEmpty, !parts.contains(part) { parts.append(part) }
      }
      return join(parts, ", ", by: node)
    }
    return nil
  }

  /// The parts as one text; a node that makes more of them than any prompt has is not read.
  private func join(_ parts: [String], _ separator: String, by node: Node) -> String? {
    let full = parts.filter { !$0.isEmpty }
    let length = full.reduce(0) { $0 + $1.utf8.count + separator.utf8.count }
    guard length <= ComfyStrings.longest else { return unread(node) }
    return parts.isEmpty ? nil : full.joined(separator: separator)
  }

  /// A node that nothing is known of: its links, first those that are named like a condition or a text.
  private func anyCondition(_ node: Node, _ follow: (String) -> String?) -> String? {
    let aside = [
      "model", "clip", "vae", "image", "latent", "mask", "control", "style", "vision", "noise", "sampler",
    ]
    func rank(_ name: String) -> Int { name.contains("cond") || name.contains("text") ? 0 : 1 }
    let links = node.inputs.filter { link($0.value) != nil }.keys
      .filter { name in !aside.contains(where: name.contains) }
    return firstFound(links.sorted { (rank($0), $0) < (rank($1), $1) }, follow)
  }
}
