using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Attention of many queries over keys and values per head, for Hopper: out = softmax(scale · q · [k_nope, k_rope]ᵀ) · v. Query i of a sequence stands at
/// position S - T + i and, where the kernel is causal, sees keys up to there. Operands as <see cref="Attention.MlaPrefillKernel"/> has them.
/// </summary>
/// <remarks>
/// <para>
/// Tiling. A block takes 128 queries of one head and walks over the keys it needs, 128 at a time and from the last to the first: the masked ones come first,
/// in a loop of their own. 128 columns of 64 elements are what a tensor map copies at once: nope parts, values, and the k_rope that all heads share
/// each have their own. Per 128 keys (nope + rope + v) · 256 bytes come from L2 and 2 · 128 · 128 · (nope + rope + v) FLOPs are done, 128 FLOP per byte.
/// </para>
/// <para>
/// Roles. One thread of warpgroup 0 copies; warpgroups 1 and 2 multiply, 64 queries each. Registers go from the one to the others by setmaxnreg.
/// </para>
/// <para>
/// Pipeline. Keys and values have rings of two stages of their own. A math warpgroup starts S = Q·Kᵀ of one step and O += P·V of the one before, and makes
/// probabilities of S while P·V is under way. The two take turns in starting products, so that one's softmax runs beside the other's products.
/// S and P stay in registers; P is, as it lies, the A operand of P·V, and V is taken transposed.
/// </para>
/// <para>Order. Tiles of a sequence come from its end on: long ones first. Neighbouring blocks share a head, whose keys and values then lie in L2.</para>
/// </remarks>
/// <param name="Scale">Factor on the products before the softmax.</param>
public sealed record MlaPrefill(int Heads, int NopeDim, int RopeDim, int VDim, double Scale) : Kernel
{
    internal const int Rows = 128, Keys = 128, Stages = 2, RowBytes = 128, Columns = 64;

    private const int Warpgroups = 2, Threads = (1 + Warpgroups) * 128, ProducerRegisters = 24, MathRegisters = 240;

    /// <summary>Whether queries see later keys.</summary>
    public bool Causal { get; init; } = true;

    /// <summary>Whether the logarithm of each row's sum of exponentials is wanted: lse f32[h,T], +inf where a query sees no key (its output is zero).</summary>
    public bool WriteLse { get; init; }

    /// <summary>Sequences that lie one behind the other, with tables of where each starts; null for one. Keys of all of them have to be finite.</summary>
    public int? Sequences { get; init; }

    public override string Name =>
        $"mla_prefill_wgmma_h{Heads}_n{NopeDim}_r{RopeDim}_v{VDim}_s{KernelNames.Of(Scale)}{(Causal ? "" : "_full")}{(WriteLse ? "_lse" : "")}{(Sequences is { } n ? $"_b{n}" : "")}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    /// <summary>Columns of a query or a key.</summary>
    public int Depth => NopeDim + RopeDim;

    /// <summary>Columns of kv for each head.</summary>
    public int PerKey => NopeDim + VDim;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("q", DType.BF16) with { Map = new TileMap(Dim.Tokens, Heads * Depth, Rows, Columns) },
        KernelParameter.In("kv", DType.BF16) with { Map = new TileMap(Dim.Context, Heads * PerKey, Keys, Columns) },
        KernelParameter.In("k_rope", DType.BF16) with { Map = new TileMap(Dim.Context, RopeDim, Keys, Columns) },
        KernelParameter.Out("out", DType.BF16),
        .. WriteLse ? [KernelParameter.Out("lse", DType.F32)] : (KernelParameter[])[],
        .. Sequences is null ? [] : (KernelParameter[])[KernelParameter.In("q_starts", DType.I32), KernelParameter.In("k_starts", DType.I32)],
        KernelParameter.Int("tokens"),
        KernelParameter.Int("context"),
    ];

    public override LaunchGeometry Geometry => new(Dim.CeilDiv(Dim.Tokens, Rows) + (Sequences ?? 0), Heads, 1, Threads, MlaPrefillMemory.Bytes(this));

    /// <summary>Whether there is such a kernel: rows are cut into columns of 128 bytes.</summary>
    public static bool Fits(int nope, int rope, int v) => nope % Columns == 0 && rope % Columns == 0 && v % Columns == 0 && nope + rope <= 192 && v <= 128;

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: 1);
        var memory = new MlaPrefillMemory(k, this);
        var (q, kv, kRope) = (k.TensorMapParam("q"), k.TensorMapParam("kv"), k.TensorMapParam("k_rope"));
        var output = k.GlobalPtrParam<BF16>("out");
        var lse = WriteLse ? k.GlobalPtrParam<F32>("lse") : null;
        var place = SequenceTiles.Of(k, Sequences, Rows, byKeys: false, reverse: Causal);

        var head = k.BlockIdY;
        // A block without a visible key still has one step, in which everything is masked.
        var visible = Causal ? k.Min(place.Keys, place.Keys - place.Queries + (place.Tile + 1) * Rows) : place.Keys;
        var steps = k.Max(1, k.CeilDivide(visible, Keys));
        WarpRoles.Split(
            k,
            initialise: () =>
            {
                q.Prefetch();
                kv.Prefetch();
                kRope.Prefetch();
                memory.Initialise();
            },
            ProducerRegisters,
            copyTiles: () => k.If(k.Elect(), Copy),
            multiply: warp =>
            {
                k.SetMaxRegisters(MathRegisters, increases: true);
                new MlaPrefillMath(k, this, memory, place, (warp >> 2) - 1).Emit(steps, head, output, lse);
            });

        void Copy()
        {
            var (keys, values) = (memory.Keys.Start(), memory.Values.Start());
            memory.QueriesFull.ArriveExpecting(Rows * Depth * 2);
            for (var c = 0; c < Depth / Columns; c++)
                q.Load(memory.Q.AddBytes(c * Rows * RowBytes), memory.QueriesFull, head * Depth + c * Columns, place.FirstQuery + place.Tile * Rows);
            k.For(0, steps, step =>
            {
                var row = place.FirstKey + (steps - 1 - step) * Keys;
                keys.AwaitEmpty();
                keys.Full.ArriveExpecting(Keys * Depth * 2);
                for (var c = 0; c < Depth / Columns; c++)
                {
                    var (map, column) = c * Columns < NopeDim ? (kv, head * PerKey + c * Columns) : (kRope, (S32)(c * Columns - NopeDim));
                    map.Load(memory.K(keys.Stage).AddBytes(c * Keys * RowBytes), keys.Full, column, row);
                }
                keys.Advance();
                values.AwaitEmpty();
                values.Full.ArriveExpecting(Keys * VDim * 2);
                for (var c = 0; c < VDim / Columns; c++)
                    kv.Load(memory.V(values.Stage).AddBytes(c * Keys * RowBytes), values.Full, head * PerKey + NopeDim + c * Columns, row);
                values.Advance();
            }, nounroll: true);
        }
    }
}
