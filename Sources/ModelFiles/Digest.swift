import CCrypto

/// Names contents by what they are.
public enum Digest {
  /// SHA-256 in lower-case hexadecimal.
  public static func sha256(_ bytes: some Collection<UInt8>) -> String {
    let message = Array(bytes)
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), size: UInt32 = 0
    EVP_Digest(message, message.count, &digest, &size, EVP_sha256(), nil)
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.prefix(Int(size)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }
}
