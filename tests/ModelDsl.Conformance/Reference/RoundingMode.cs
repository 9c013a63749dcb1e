namespace ModelDsl.Conformance.Reference;

/// <summary>Where a value goes that lies between two neighbours: <c>.rn .rna .rz .rm .rp</c>.</summary>
public enum RoundingMode { NearestEven, NearestAway, Zero, Down, Up }
