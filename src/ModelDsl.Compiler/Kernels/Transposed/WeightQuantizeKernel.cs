using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Transposed;

/// <summary>
/// Weights to E4M3 with a scale for each 128 x 128 block, both ways round: W[N,K] for the forward product and Wᵀ[K,N] for the gradient of inputs, which is a product with Wᵀ of the same form (V3 report,
/// section 3.3.2). A block has the same codes and scale in both.
/// </summary>
/// <remarks>
/// A block of threads takes a block of weights: a thread 4 rows of 8 columns, whose codes are words of the transposed tile, which goes through shared memory. Moves the weights in, and twice a byte per
/// element out.
/// </remarks>
/// <param name="N">Outputs of the linear layer; a multiple of 16 where <paramref name="Transposes"/>, as products demand of their depth.</param>
/// <param name="K">Inputs.</param>
/// <param name="Io">FP32 or BF16: as the optimiser keeps them.</param>
/// <param name="Transposes">Writes <c>qt</c> and <c>t_scales</c>, too.</param>
public sealed record WeightQuantizeKernel(int N, int K, DType Io, ScaleRounding Scale, bool Transposes) : Kernel
{
    private const int Block = 128, Threads = TransposedQuantizeKernel.Threads, RowsOfThread = 4, ColumnsOfThread = 8, LanesOfRow = Block / ColumnsOfThread;

    /// <summary>Matrices that lie one behind the other, one for each expert.</summary>
    public int Experts { get; init; } = 1;

    public override string Name => $"quantize_weights_n{N}_k{K}_{Io.Text()}{KernelNames.Quantized(Scale)}{KernelNames.If(Transposes, "both")}" + (Experts > 1 ? $"_e{Experts}" : "");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("w", Io),
        QuantizedParameters.Q,
        QuantizedParameters.Scales,
        .. Transposes ? new[] { KernelParameter.Out("qt", DType.E4M3), KernelParameter.Out("t_scales", DType.F32) } : [],
    ];

    public override LaunchGeometry Geometry => new(ColumnBlocks, RowBlocks, Experts, Threads);

    private int RowBlocks => (N + Block - 1) / Block;

    private int ColumnBlocks => (K + Block - 1) / Block;

    /// <summary>Whether Wᵀ can be written.</summary>
    public static bool FitsTransposed(int n) => n % TransposedTile.ChunkBytes == 0;

    protected override void Write(KernelBuilder k)
    {
        if (Transposes && !FitsTransposed(N)) throw new PtxException($"{Name}: rows of {N} bytes are no multiple of {TransposedTile.ChunkBytes}");
        var vector = VectorWidth.Of(Io, K);
        // Elements that are read one by one have an address and a condition each: too many registers for two blocks.
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: vector > 1 ? 2 : 1);
        var w = ActivationPtr.Param(k, "w", Io);
        var (q, scales) = (k.GlobalPtrParam<U8>("q"), k.GlobalPtrParam<F32>("scales"));
        var (qt, tScales) = Transposes ? (k.GlobalPtrParam<U8>("qt"), k.GlobalPtrParam<F32>("t_scales")) : (null, null);
        if (Experts > 1)
        {
            (w, q, scales) = (w.Row(k.BlockIdZ, N * K), q.Row(k.BlockIdZ, N * K), scales.Row(k.BlockIdZ, RowBlocks * ColumnBlocks));
            (qt, tScales) = (qt?.Row(k.BlockIdZ, N * K), tScales?.Row(k.BlockIdZ, RowBlocks * ColumnBlocks));
        }

        k.Comment("4 rows of 8 columns");
        var (firstRow, firstColumn) = (k.BlockIdY * Block, k.BlockIdX * Block);
        var quad = k.ThreadIdX / LanesOfRow;
        var column = k.ThreadIdX % LanesOfRow * vector;
        var pieces = Enumerable.Range(0, ColumnsOfThread / vector).Select(j => j * LanesOfRow * vector)
            .Select(offset => new RowPiece(offset, K % Block == 0 ? true : firstColumn + column < K - offset)).ToArray();
        var rows = Enumerable.Range(0, RowsOfThread).Select(i => firstRow + (quad * RowsOfThread + i)).ToArray();
        var inside = rows.Select(row => N % Block == 0 ? (Pred)true : row < N).ToArray();
        var values = rows.Select((row, i) => pieces.Select(piece => w.Row(row, K).Plus(firstColumn + column).Load(piece.Offset, vector, inside[i] & piece.Inside)).ToArray()).ToArray();

        k.Comment("their scale");
        var amax = values.SelectMany(row => row).SelectMany(piece => piece).Select(k.Abs).Aggregate(k.Max);
        var scale = GroupScale.Of(k, Scale, k.BlockReduceMax(amax, Threads, k.Shared<F32>("warp_amax", Threads / 32)));
        scales.Row(k.BlockIdY, ColumnBlocks).StoreIf(k.ThreadIdX == 0, scale.Scale, k.BlockIdX);
        tScales?.Row(k.BlockIdX, RowBlocks).StoreIf(k.ThreadIdX == 0, scale.Scale, k.BlockIdY);

        k.Comment("codes");
        for (var i = 0; i < rows.Length; i++)
            for (var j = 0; j < pieces.Length; j++)
                CodeStore.Write(k, (q.Row(rows[i], K) + (firstColumn + column)).AddBytes(pieces[j].Offset), [.. values[i][j].Select(scale.Quotient)], inside[i] & pieces[j].Inside);
        if (qt is null) return;
        var tile = new TransposedTile(k, quad, column, vector, pieces);
        tile.Store(values, _ => [.. Enumerable.Repeat(scale, vector)]);
        tile.Write(qt, firstColumn, K, firstRow, N, N % Block == 0 ? null : N);
    }
}
