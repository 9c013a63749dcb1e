using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

public sealed partial class KernelBuilder
{
    private const uint AllLanes = 0xFFFFFFFF;

    /// <summary>The value of the lane whose number differs by the bits of <paramref name="laneMask"/>.</summary>
    public T ShuffleXor<T>(T value, S32 laneMask) where T : Value => Shuffle("bfly", value, laneMask, 31);

    /// <summary>The value of the lane <paramref name="delta"/> further; the own one beyond the end.</summary>
    public T ShuffleDown<T>(T value, S32 delta) where T : Value => Shuffle("down", value, delta, 31);

    /// <summary>The value of the lane <paramref name="delta"/> before; the own one before the start.</summary>
    public T ShuffleUp<T>(T value, S32 delta) where T : Value => Shuffle("up", value, delta, 0);

    /// <summary>The value of one lane.</summary>
    public T Shuffle<T>(T value, S32 lane) where T : Value => Shuffle("idx", value, lane, 31);

    /// <summary>A bit for each lane where the predicate holds.</summary>
    public U32 Ballot(Pred predicate) => Collective<U32>("vote.sync.ballot.b32", predicate.Plain().Operand);

    /// <summary>True if it holds in any lane.</summary>
    public Pred Any(Pred predicate) => Collective<Pred>("vote.sync.any.pred", predicate.Plain().Operand);

    /// <summary>True if it holds in every lane.</summary>
    public Pred All(Pred predicate) => Collective<Pred>("vote.sync.all.pred", predicate.Plain().Operand);

    /// <summary>The lanes that hold the same value as this one, as bits.</summary>
    public U32 MatchAny(S32 value) => Collective<U32>("match.any.sync.b32", InRegister(value));

    /// <summary>The lanes that are here.</summary>
    public U32 ActiveMask() => new(this, EmitOne("activemask.b32", Effect.Reads, RegisterClass.B32, []));

    /// <summary>The lanes before this one, as bits.</summary>
    public U32 LanesBefore => new(this, Prologue("mov.u32", RegisterClass.B32, new SpecialOperand("%lanemask_lt")));

    /// <summary>Sum over the warp, in one instruction.</summary>
    public S32 WarpSum(S32 value) => Redux<S32>("add.s32", value);

    /// <summary>Largest over the warp, in one instruction.</summary>
    public S32 WarpMax(S32 value) => Redux<S32>("max.s32", value);

    /// <summary>Smallest over the warp, in one instruction.</summary>
    public S32 WarpMin(S32 value) => Redux<S32>("min.s32", value);

    public U32 WarpMax(U32 value) => Redux<U32>("max.u32", value);

    public U32 WarpMin(U32 value) => Redux<U32>("min.u32", value);

    /// <summary>Sum over groups of <paramref name="width"/> neighbouring lanes; every lane gets it.</summary>
    public F32 WarpReduceSum(F32 value, int width = 32) => Butterfly(value, width, (a, b) => a + b);

    /// <summary>Largest over groups of <paramref name="width"/> neighbouring lanes; every lane gets it.</summary>
    public F32 WarpReduceMax(F32 value, int width = 32) => Butterfly(value, width, Max);

    /// <summary>Any reduction over groups of <paramref name="width"/> neighbouring lanes, in a fixed order; every lane gets it.</summary>
    public T Butterfly<T>(T value, int width, Func<T, T, T> combine) where T : Value
    {
        for (var step = width / 2; step > 0; step /= 2) value = combine(value, ShuffleXor(value, step));
        return value;
    }

    /// <summary>
    /// Sum over a block of <paramref name="threads"/> threads (a multiple of 32); every thread gets it. Two block barriers.
    /// </summary>
    /// <param name="scratch">Room for one value per warp; may be used again after the next barrier.</param>
    public F32 BlockReduceSum(F32 value, int threads, SharedPtr<F32> scratch) => BlockReduce(value, threads, scratch, 0f, (a, b) => a + b);

    /// <summary>Largest over a block; see <see cref="BlockReduceSum"/>.</summary>
    public F32 BlockReduceMax(F32 value, int threads, SharedPtr<F32> scratch) =>
        BlockReduce(value, threads, scratch, float.NegativeInfinity, Max);

    private F32 BlockReduce(F32 value, int threads, SharedPtr<F32> scratch, float neutral, Func<F32, F32, F32> combine)
    {
        if (threads % 32 != 0 || threads > 1024) throw new PtxException($"a block of {threads} threads is not a whole number of warps");
        var sum = Butterfly(value, 32, combine);
        var warps = threads / 32;
        if (warps == 1) return sum;
        SyncThreads();
        scratch.StoreIf(LaneId == 0, sum, WarpId);
        SyncThreads();
        var width = 1;
        while (width < warps) width *= 2;
        var mine = scratch.LoadOr(LaneId < warps, neutral, LaneId);
        return Shuffle(Butterfly(mine, width, combine), 0);
    }

    private T Shuffle<T>(string mode, T value, S32 operand, int clamp) where T : Value
    {
        if (value.Type.Bits != 32) throw new PtxException($"shfl moves 32-bit values, not {value.Type}");
        var cls = value.Operand is RegisterOperand r ? r.Register.Class : value.Type.Class;
        var result = EmitOne(
            $"shfl.sync.{mode}.b32", Effect.Reads, cls,
            [InRegister(value), operand.Operand, ((S32)clamp).Operand, ((B32)AllLanes).Operand]);
        return Element<T>.Value.Wrap(this, result);
    }

    private T Redux<T>(string operation, Value value) where T : Value
    {
        Require(Feature.WarpReduce, "redux.sync");
        return Collective<T>($"redux.sync.{operation}", InRegister(value));
    }

    private T Collective<T>(string name, Operand source) where T : Value
    {
        var element = Element<T>.Value;
        return element.Wrap(this, EmitOne(name, Effect.Reads, element.Register.Class, [source, ((B32)AllLanes).Operand]));
    }
}
