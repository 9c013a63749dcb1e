using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// How scales of quantised activations lie, one for each row and 128 inputs: column by column, so that those of a tile's rows for one step along the inputs are neighbours and one
/// copy brings them. Columns start at multiples of 16 bytes; behind the last row a column may have up to three that nobody uses.
/// </summary>
public static class ScaleColumns
{
    private const int Unit = 4;

    /// <summary>From a row's scale to its next one.</summary>
    public static S32 Stride(S32 rows) => (rows + (Unit - 1)) & ~(Unit - 1);

    /// <inheritdoc cref="Stride(S32)"/>
    public static int Stride(int rows) => (rows + (Unit - 1)) / Unit * Unit;

    /// <inheritdoc cref="Stride(S32)"/>
    public static Dim Stride(Dim rows) => Dim.CeilDiv(rows, Unit) * Unit;
}
