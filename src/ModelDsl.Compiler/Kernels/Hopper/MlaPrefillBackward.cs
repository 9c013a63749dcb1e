using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Whose gradient a launch of <see cref="MlaPrefillBackward"/> makes.</summary>
public enum MlaGradient
{
    /// <summary>d_q bf16[T,h,nope+rope].</summary>
    Queries,

    /// <summary>d_kv bf16[S,h,nope+v], and of k_rope each head's part, d_k_rope bf16[S,h,rope], for <see cref="HeadSum"/>.</summary>
    Keys,
}

/// <summary>
/// The gradients of <see cref="MlaPrefill"/>, from its operands, its lse, the gradient of its output and <see cref="MlaPrefillDelta"/>'s sums of rows:
/// P = exp(scale · q·kᵀ - lse), dS = P ∘ (dO·vᵀ - delta), d_v = Pᵀ·dO, d_k = scale · dSᵀ·q, d_q = scale · dS·k.
/// </summary>
/// <remarks>
/// <para>
/// Two launches, one for each side. A block owns 128 rows of its side, whose sums stay in registers, and walks over the other side's in steps of 64. So no sum is anybody else's
/// too: no atomics, and the same bits in each run. The price is that P and dS are made twice: (4 · depth + 3 · v) · 2 FLOPs for each pair of a query and a key in the place of
/// (3 · depth + 2 · v) · 2, which is 38 % more at 192 and 128; what is saved is sums of d_q in FP32 that go to memory and back.
/// </para>
/// <para>
/// Roles. Warpgroup 0 copies: a thread of its first warp tiles by tensor maps; for the keys' side its second warp lse and delta, which are by column there. Warpgroups 1 and 2
/// multiply, 64 rows each. Both sides are one program: S' = own · otherᵀ and dP' = own · otherᵀ from shared memory; P' and dS', as they lie in registers, are the A operands
/// of the sums, with the other side's tiles taken transposed.
/// </para>
/// <para>
/// Pipeline. A ring of three stages. For queries, P' is made while dP' is under way, and sums while the next step's products wait behind them. For keys, sums of both kinds take 160
/// registers, so S' has to be gone before dP' comes; dS' is made while the values' sums are under way. Otherwise one warpgroup's arithmetic runs beside the other's products.
/// </para>
/// </remarks>
/// <param name="Forward">What is differentiated: its shapes, scale, mask and sequences.</param>
public sealed record MlaPrefillBackward(MlaPrefill Forward, MlaGradient Of) : Kernel
{
    internal const int OwnRows = 128, OtherRows = 64, Stages = 3, RowBytes = 128, Columns = 64;

    private const int Threads = 3 * 128, ProducerRegisters = 24, MathRegisters = 240;

    public override string Name => $"{Forward.Name.Replace("mla_prefill_wgmma", "mla_prefill_wgmma_d" + (Of == MlaGradient.Queries ? "q" : "kv"))}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    internal bool OwnsKeys => Of == MlaGradient.Keys;

    private int QueryRows => OwnsKeys ? OtherRows : OwnRows;

    private int KeyRows => OwnsKeys ? OwnRows : OtherRows;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("q", DType.BF16) with { Map = new TileMap(Dim.Tokens, Forward.Heads * Forward.Depth, QueryRows, Columns) },
        KernelParameter.In("kv", DType.BF16) with { Map = new TileMap(Dim.Context, Forward.Heads * Forward.PerKey, KeyRows, Columns) },
        KernelParameter.In("k_rope", DType.BF16) with { Map = new TileMap(Dim.Context, Forward.RopeDim, KeyRows, Columns) },
        KernelParameter.In("d_out", DType.BF16) with { Map = new TileMap(Dim.Tokens, Forward.Heads * Forward.VDim, QueryRows, Columns) },
        KernelParameter.In("lse", DType.F32),
        KernelParameter.In("delta", DType.F32),
        .. OwnsKeys ? [KernelParameter.Out("d_kv", DType.BF16), KernelParameter.Out("d_k_rope", DType.BF16)] : (KernelParameter[])[KernelParameter.Out("d_q", DType.BF16)],
        .. Forward.Sequences is null ? [] : (KernelParameter[])[KernelParameter.In("q_starts", DType.I32), KernelParameter.In("k_starts", DType.I32)],
        KernelParameter.Int("tokens"),
        KernelParameter.Int("context"),
    ];

    public override LaunchGeometry Geometry =>
        new(Dim.CeilDiv(OwnsKeys ? Dim.Context : Dim.Tokens, OwnRows) + (Forward.Sequences ?? 0), Forward.Heads, 1, Threads, MlaBackwardMemory.Bytes(this));

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: 1);
        var memory = new MlaBackwardMemory(k, this);
        var copies = new MlaBackwardCopies(k, this, memory);
        var math = new MlaBackwardMath(k, this, memory);
        var (lse, delta) = (k.GlobalPtrParam<F32>("lse"), k.GlobalPtrParam<F32>("delta"));
        var outputs = (OwnsKeys ? new[] { "d_kv", "d_k_rope" } : ["d_q"]).Select(k.GlobalPtrParam<BF16>).ToArray();
        // The last queries and the first keys have most to do.
        var place = SequenceTiles.Of(k, Forward.Sequences, OwnRows, byKeys: OwnsKeys, reverse: !OwnsKeys && Forward.Causal);
        var steps = MlaBackwardSteps.Of(k, this, place);

        WarpRoles.Split(
            k,
            memory.Initialise,
            ProducerRegisters,
            copyTiles: () => k.If(k.Elect(), () => copies.CopyTiles(place, steps)),
            copyNumbers: OwnsKeys ? () => copies.CopyRowNumbers(place, steps, lse, delta) : null,
            multiply: warp =>
            {
                k.SetMaxRegisters(MathRegisters, increases: true);
                math.Emit(place, steps, (warp >> 2) - 1, lse, delta, outputs);
            });
    }
}
