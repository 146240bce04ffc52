import CMPI
import Tensors

/// Sums gradients over all ranks while the backward pass goes on: those of the last layers are done first, and are on their
/// way while the others are worked out.
///
/// Parameters share messages, so that a message's own cost does not count, and messages go in one order on all ranks: by the
/// parameters, last ones first.
final class GradientSum {
  private let ranks: Ranks
  /// Parameters of one message.
  private let buckets: [[Parameter]]
  /// Which message a parameter goes with.
  private let place: [ObjectIdentifier: Int]
  /// What earlier batches of this step have given.
  private var before = Gradients()
  /// Gradients that are done, and how many of each message are not.
  private var done = Gradients()
  private var missing: [Int] = []
  private var messages: [Message] = []

  private struct Message {
    let numbers: Tensor
    /// nil where there was no memory for it.
    let sum: OpaquePointer?
  }

  /// Numbers in a message: 16 MB.
  private static let most = 4 << 20
  /// Numbers that a parameter's place is a multiple of: a cache line.
  private static let line = 16

  init(_ parameters: [Parameter], _ ranks: Ranks) {
    self.ranks = ranks
    var buckets: [[Parameter]] = [], size = 0
    var seen: Set<ObjectIdentifier> = []
    for parameter in parameters.reversed() where seen.insert(ObjectIdentifier(parameter)).inserted {
      if buckets.isEmpty || size + parameter.count > Self.most {
        buckets.append([])
        size = 0
      }
      buckets[buckets.count - 1].append(parameter)
      size += parameter.count
    }
    self.buckets = buckets
    let pairs = buckets.enumerated().flatMap { i, bucket in bucket.map { (ObjectIdentifier($0), i) } }
    place = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// Follows the backward pass.
  var observer: GradientObserver { GradientObserver(isDone: take, step: help) }

  /// Before the backward pass of a step's last batch.
  ///
  /// - Parameter gradients: of the batches before it.
  func begin(upon gradients: Gradients) {
    (before, done, messages) = (gradients, Gradients(), [])
    missing = buckets.map(\.count)
  }

  /// A parameter's gradient is done; nil where nothing depends on it.
  func take(_ parameter: Parameter, _ gradient: Tensor?) {
    guard let bucket = place[ObjectIdentifier(parameter)] else { return }
    let old = before[parameter]
    done[parameter] = gradient.map { new in old.map { $0 + new } ?? new } ?? old
    missing[bucket] -= 1
    while messages.count < buckets.count, missing[messages.count] == 0 { send(buckets[messages.count]) }
  }

  /// Moves on what is on its way.
  func help() { for message in messages { if let sum = message.sum { _ = vugen_mpi_work_help(sum) } } }

  /// The sums, once all are there. A parameter that has a gradient on any rank has one on all.
  func end() throws -> Gradients {
    precondition(messages.count == buckets.count, "a backward pass has told of every parameter")
    var sums = Gradients()
    for (bucket, message) in zip(buckets, messages) {
      ranks.perform { message.sum.map { vugen_mpi_work_end($0) } ?? VUGEN_MPI_FAILED }
      try ranks.check()
      take(message.numbers, bucket, into: &sums)
    }
    (before, done, messages) = (Gradients(), Gradients(), [])
    return sums
  }

  /// Where each parameter's numbers begin, and the whole length; in front stands a number a parameter.
  private static func places(of bucket: [Parameter]) -> [Int] {
    func rounded(_ count: Int) -> Int { (count + line - 1) / line * line }
    var places = [rounded(bucket.count)]
    for parameter in bucket { places.append(places[places.count - 1] + rounded(parameter.count)) }
    return places
  }

  private func send(_ bucket: [Parameter]) {
    let places = Self.places(of: bucket), tensor = Tensor.zeros([places[bucket.count]])
    let numbers = tensor.pointer.assumingMemoryBound(to: Float.self)
    for (i, parameter) in bucket.enumerated() {
      guard let gradient = done[parameter]?.cast(to: .f32) else { continue }
      // How many ranks have one.
      numbers[i] = 1
      gradient.withBytes {
        guard let bytes = $0.baseAddress else { return }
        UnsafeMutableRawPointer(numbers + places[i]).copyMemory(from: bytes, byteCount: $0.count)
      }
      done[parameter] = nil
    }
    messages.append(Message(numbers: tensor, sum: vugen_mpi_sum_begin(numbers, tensor.count)))
  }

  private func take(_ tensor: Tensor, _ bucket: [Parameter], into sums: inout Gradients) {
    let places = Self.places(of: bucket), numbers = tensor.pointer.assumingMemoryBound(to: Float.self)
    for (i, parameter) in bucket.enumerated() where numbers[i] > 0 {
      sums[parameter] = tensor.sliced(places[i]..<places[i] + parameter.count).reshaped(parameter.shape)
    }
  }
}
