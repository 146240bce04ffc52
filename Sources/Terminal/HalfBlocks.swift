import Frames
import Pictures

extension Picture {
  /// Rows of half-block characters with 24-bit colours, for players and terminals that show no pictures.
  public func halfBlocks(columns: Int, rows: Int) -> [String] {
    let key = EncodingKey(
      picture: .hash(""), graphics: .blocks, isTruecolor: true, cell: Size(1, 2), whole: Size(columns, rows),
      part: Rect(0, 0, columns, rows), background: nil)
    return PictureEncoding.encode(self, key).rows.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The picture as sixel data.
  public func sixelData() -> [UInt8] {
    let key = EncodingKey(
      picture: .hash(""), graphics: .sixel, isTruecolor: true, cell: Size(width, height), whole: Size(1, 1),
      part: Rect(0, 0, 1, 1), background: nil)
    return PictureEncoding.encode(self, key).rows.first ?? []
  }
}
