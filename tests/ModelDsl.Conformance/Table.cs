using ModelDsl.Conformance.Families;

namespace ModelDsl.Conformance;

/// <summary>Every row, family by family.</summary>
public static class Table
{
    public static IReadOnlyList<Row> Rows { get; } =
    [
        .. IntegerArithmetic.Rows,
        .. BitLogic.Rows,
        .. FloatArithmetic.Rows,
        .. Approximations.Rows,
        .. Comparisons.Rows,
        .. Conversions.Rows,
        .. NarrowConversions.Rows,
        .. Moves.Rows,
        .. Memory.Rows,
        .. AsyncCopies.Rows,
        .. Atomics.Rows,
        .. WarpExchange.Rows,
        .. Matrices.Rows,
        .. MatrixTiles.Rows,
        .. Barriers.Rows,
        .. ControlFlow.Rows,
        .. Hopper.Rows,
        .. Clusters.Rows,
    ];
}
