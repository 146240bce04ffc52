import CCrypto

/// Names contents by what they are.
public enum Digest {
  /// SHA-256 in lower-case hexadecimal.
  public static func sha256(_ bytes: some Collection<UInt8>) -> String {
    let message = Array(bytes)
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), size: UInt32 = 0
    EVP_Digest(message, message.count, &digest, &size, EVP_sha256(), nil)
    return hexadecimal(digest.prefix(Int(size)))
  }

  static func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

/// A digest of bytes that come in parts.
public final class RunningDigest {
  public enum Kind: Sendable, Equatable {
    case sha256
    /// What Git calls a file of so many bytes: SHA-1 behind a short head.
    case gitBlob(size: Int)
  }

  private let context = EVP_MD_CTX_new()

  public init(_ kind: Kind) {
    switch kind {
    case .sha256: EVP_DigestInit_ex(context, EVP_sha256(), nil)
    case .gitBlob(let size):
      EVP_DigestInit_ex(context, EVP_sha1(), nil)
      Array("blob \(size)\0".utf8).withUnsafeBytes { add($0) }
    }
  }

  public func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    EVP_DigestUpdate(context, base, bytes.count)
  }

  /// The digest in lower-case hexadecimal; nothing is added behind it.
  public func finish() -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), size: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &size)
    return Digest.hexadecimal(digest.prefix(Int(size)))
  }

  deinit { EVP_MD_CTX_free(context) }
}
