import Files
import Foundation
import Pictures
import Training

/// A run's losses as a picture and as text.
public enum LossPlot {
  /// Writes the picture and returns the text plot. Throws `FileAccessError` where there are no metrics, and `PictureError`
  /// without a font for labels.
  public static func write(run: String, to path: String) throws -> [String] {
    guard FileName.isFolder(run) else {
      throw FileAccessError(run, "no such folder; name the folder of a run")
    }
    let lines = try MetricsLog.read(run + "/metrics.jsonl")
    guard !lines.isEmpty else {
      throw FileAccessError(run, "there is no step in it to plot; name the folder of a run that has done one")
    }
    func curve(_ name: String, _ value: (MetricsLog.Line) -> Float?) -> Curve {
      Curve(name, lines.compactMap { line in value(line).map { SIMD2(Double(line.step), Double($0)) } })
    }
    let total = curve("loss", \.loss)
    let terms = (lines[0].terms.keys.sorted()).map { name in curve(name) { $0.terms[name] } }
    let plot = LinePlot(title: FileName.last(of: run), x: "step", y: "loss", [total] + terms)
    try AtomicFile.write(Data(try plot.draw().data(for: path)), to: path)
    return TextPlot.lines(total, title: "\(FileName.last(of: run).oneLine): loss", x: "step")
  }
}
