using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Transposed;

/// <summary>
/// Activations as <see cref="Hopper.Fp8WeightGradient"/> wants them: E4M3 features by tokens, a scale for each feature and 128 tokens. In the same pass, on request, also as products with weights want them: by rows.
/// </summary>
/// <remarks>
/// A block takes 128 tokens of 128 features: a thread 4 neighbouring tokens of 8 features, whose codes are words of the transposed tile, which goes through shared memory. Moves the source in and a byte
/// per element, or two, and 4 per group out.
/// </remarks>
/// <param name="Width">Features.</param>
public sealed record TransposedQuantizeKernel(TransposedSource Source, int Width, ScaleRounding Scale) : Kernel
{
    internal const int Tokens = 128, Features = 128, Threads = 512;

    private const int TokensOfThread = 4, FeaturesOfThread = 8, LanesOfToken = Features / FeaturesOfThread;

    /// <summary>Also writes <c>q</c> and <c>scales</c>, 1 x 128 groups of each row.</summary>
    public bool WriteRows { get; init; }

    /// <summary>
    /// Rows are grouped by expert, as <see cref="Moe.DispatchKernel"/> with 128 rows to a tile says: tile i becomes tokens 128 i to 128 i + 127, filled up with zeros, so that experts start at multiples of 128. Null for one group.
    /// </summary>
    public int? Experts { get; init; }

    public override string Name =>
        $"quantize_t_{Source.Name}_w{Width}{KernelNames.Quantized(Scale)}{KernelNames.If(WriteRows, "rows")}" + (Experts is { } experts ? $"_e{experts}" : "");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        .. Source.Parameters,
        KernelParameter.Out("qt", DType.E4M3),
        KernelParameter.Out("t_scales", DType.F32),
        .. WriteRows ? new[] { QuantizedParameters.Q, QuantizedParameters.Scales } : [],
        .. Experts is null ? [] : new[] { KernelParameter.In("offsets", DType.I32), KernelParameter.In("tile_expert", DType.I32), KernelParameter.In("tile_row", DType.I32) },
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new((Width + Features - 1) / Features, Tiles, 1, Threads);

    /// <summary>Of 128 tokens; some of experts' may stay unused.</summary>
    private Dim Tiles => Experts is { } experts ? ExpertTiles.Count(Tokens, experts) : Dim.CeilDiv(Dim.Rows, Tokens);

    protected override void Write(KernelBuilder k)
    {
        var vector = Source.Vector(Width);
        // Elements that are read one by one have an address and a condition each: too many registers for two blocks.
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: vector > 1 ? 2 : 1);
        var read = Source.Open(k, Width);
        var (qt, tScales) = (k.GlobalPtrParam<U8>("qt"), k.GlobalPtrParam<F32>("t_scales"));
        var (q, scales) = WriteRows ? (k.GlobalPtrParam<U8>("q"), k.GlobalPtrParam<F32>("scales")) : (null, null);
        (S32 First, S32 End)? ofExpert = Experts is null ? null : TokensOfExpert(k);
        var rows = k.S32Param("rows");
        var (first, end) = ofExpert ?? (k.BlockIdY * Tokens, rows);

        k.Comment("4 tokens of 8 features");
        var (start, quad) = (k.BlockIdX * Features, k.ThreadIdX / LanesOfToken);
        var column = start + k.ThreadIdX % LanesOfToken * vector;
        var pieces = Enumerable.Range(0, FeaturesOfThread / vector).Select(j => j * LanesOfToken * vector)
            .Select(offset => new RowPiece(offset, Width % Features == 0 ? true : column < Width - offset)).ToArray();
        var tokens = Enumerable.Range(0, TokensOfThread).Select(i => first + (quad * TokensOfThread + i)).Select(row => new SourceToken(row, row < end)).ToArray();
        var values = read(tokens, column, pieces, rows);
        if (WriteRows) new BlockRowQuantizer(k, q!, scales!, Width, rows, Scale).Store(tokens, column, pieces, values);

        k.Comment("a scale for each feature");
        var ofFeatures = new FeatureScales(k, column - start, vector, pieces);
        ofFeatures.Find(values, Scale, (feature, scale) =>
            tScales.Row(k.BlockIdY, ScaleColumns.Stride(Width)).StoreIf(start + feature < Width, scale, start + feature));

        k.Comment("codes, the other way round");
        var tile = new TransposedTile(k, quad, column - start, vector, pieces);
        tile.Store(values, piece => ofFeatures.Of(piece, Scale));
        tile.Write(qt, start, Width, k.BlockIdY * Tokens, k.GridDimY * Tokens);
    }

    /// <summary>The first row of the block's tile and the one behind its last; blocks without a tile end.</summary>
    private static (S32 First, S32 End) TokensOfExpert(KernelBuilder k)
    {
        var (offsets, experts, tileRows) = (k.GlobalPtrParam<S32>("offsets"), k.GlobalPtrParam<S32>("tile_expert"), k.GlobalPtrParam<S32>("tile_row"));
        var expert = experts.Load(k.BlockIdY);
        k.ReturnIf(expert < 0);
        return (tileRows.Load(k.BlockIdY), offsets.Load(expert + 1));
    }
}
