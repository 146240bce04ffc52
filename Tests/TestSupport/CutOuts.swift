import DataSets

/// The curated classes' cut-outs, without the wider set. Reading them takes a second: once for all suites.
public let curatedCutOuts = Result { try ObjectBank(includingSingles: false) }
