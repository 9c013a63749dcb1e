using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// The product that one block works on, <c>C[m, n] = sum_k A[m, k] · W[n, k]</c>, with the pointers already moved to its head or expert.
/// </summary>
/// <param name="K">Where instructions go.</param>
/// <param name="N">Columns of C.</param>
/// <param name="Depth">Length of the sums.</param>
/// <param name="FirstRow">The block's first row of A and C.</param>
/// <param name="EndRow">The row after its last; a block may be made for more rows than there are.</param>
/// <param name="FirstColumn">The block's first column of C.</param>
internal sealed record GemmProblem(
    KernelBuilder K, int N, int Depth, Matrix A, Matrix W, Matrix C, S32 FirstRow, S32 EndRow, S32 FirstColumn)
{
    /// <summary>W is stored as <c>[K, N]</c>.</summary>
    public bool Transposed { get; init; }

    /// <summary>Scales of quantised operands.</summary>
    public BlockScales? Scales { get; init; }

    /// <summary>Bytes of a row of A that take part.</summary>
    public int DepthBytes => Depth * A.Type.Bytes();

    /// <summary>
    /// How many bytes a row has left after (step, row, byte in row), for operands whose rows run along the depth and steps of
    /// <paramref name="stepBytes"/>; null where that is surely some.
    /// </summary>
    public Func<S32, S32, S32, S32?> DepthRemaining(int stepBytes, int elementBytes = 0)
    {
        var depth = elementBytes == 0 ? DepthBytes : Depth * elementBytes;
        return (step, _, column) =>
            depth % stepBytes == 0 || (step.Constant is { } n && (n + 1) * stepBytes <= depth) ? null : depth - step * stepBytes - column;
    }

    /// <summary>Start of a row of A; rows that are not there read the last one, whose results nobody stores.</summary>
    public GlobalPtr<U8> ARow(S32 row) => A.Row(K.Min(FirstRow + row, EndRow - 1));

    /// <summary>Start of a row of W; see <see cref="ARow"/>.</summary>
    public GlobalPtr<U8> WRow(S32 row, int blockColumns)
    {
        var column = FirstColumn + row;
        return W.Row(N % blockColumns == 0 ? column : K.Min(column, N - 1));
    }
}

/// <summary>A row-major matrix in global memory.</summary>
/// <param name="RowElements">Distance between rows.</param>
/// <param name="VectorBytes">The widest access that is aligned wherever a row starts and never crosses the end of one.</param>
internal sealed record Matrix(GlobalPtr<U8> Start, DType Type, int RowElements, int VectorBytes)
{
    public GlobalPtr<U8> Row(S32 row) => Start.Row(row, RowElements * Type.Bytes());

    /// <summary>A kernel's parameter as a matrix; distances are in elements.</summary>
    public static Matrix Parameter(KernelBuilder k, string name, DType type, int rowElements, params int[] distances) => new(
        k.GlobalPtrParam<U8>(name), type, rowElements, Access.VectorWidth.Of(type, [rowElements, .. distances]) * type.Bytes());
}

/// <summary>
/// What quantised operands are multiplied by: A per row and 128 of the depth, W per 128 columns of C and 128 of the depth.
/// </summary>
/// <param name="Stride">Of A's <see cref="Access.ScaleColumns"/>.</param>
/// <param name="Columns">Scales per row of either: <c>ceil(Depth / 128)</c>.</param>
internal sealed record BlockScales(GlobalPtr<F32> A, S32 Stride, GlobalPtr<F32> W, int Columns)
{
    public const int Block = 128;

    /// <summary>Scales along a dimension of so many values.</summary>
    public static int Count(int values) => (values + Block - 1) / Block;
}
