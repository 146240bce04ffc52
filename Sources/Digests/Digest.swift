import CCrypto

/// Names contents by what they are.
public enum Digest {
  /// SHA-256 in lower-case hexadecimal. Throws `DigestError`.
  public static func sha256(_ bytes: some Collection<UInt8>) throws -> String {
    let message = Array(bytes)
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), size: UInt32 = 0
    guard EVP_Digest(message, message.count, &digest, &size, EVP_sha256(), nil) == 1 else {
      throw DigestError("SHA-256")
    }
    return hexadecimal(digest.prefix(Int(size)))
  }

  static func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

/// The system's library computes no digest, as where its configuration allows only methods that it does not have. An
/// empty or wrong one would pass for another file's name.
public struct DigestError: Error, CustomStringConvertible, Equatable {
  /// One line: which digest, and where to look.
  public let description: String

  init(_ method: String) {
    description =
      "libcrypto computes no \(method) here; check OPENSSL_CONF and openssl.cnf: `openssl dgst` tells more"
  }
}

/// A digest of bytes that come in parts.
public final class RunningDigest {
  /// What is computed, and over what.
  public enum Kind: Sendable, Equatable {
    case sha256
    /// What Git calls a file of so many bytes: SHA-1 behind a short head.
    case gitBlob(size: Int)
  }

  private let context = EVP_MD_CTX_new()
  private let kind: Kind
  /// Whether every call succeeded so far.
  private var isSound: Bool

  /// Begins with nothing added. What goes wrong is told by `finish`.
  public init(_ kind: Kind) {
    self.kind = kind
    isSound =
      context != nil && EVP_DigestInit_ex(context, kind == .sha256 ? EVP_sha256() : EVP_sha1(), nil) == 1
    if case .gitBlob(let size) = kind {
      Array("blob \(size)\0".utf8).withUnsafeBytes { add($0) }
    }
  }

  /// Adds the bytes behind those that came before.
  public func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, isSound else { return }
    isSound = EVP_DigestUpdate(context, base, bytes.count) == 1
  }

  /// The digest in lower-case hexadecimal; nothing is added behind it, and there is no other. Throws `DigestError`.
  public func finish() throws -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), size: UInt32 = 0
    guard isSound, EVP_DigestFinal_ex(context, &digest, &size) == 1 else {
      throw DigestError(kind == .sha256 ? "SHA-256" : "SHA-1")
    }
    isSound = false
    return Digest.hexadecimal(digest.prefix(Int(size)))
  }

  deinit { EVP_MD_CTX_free(context) }
}
