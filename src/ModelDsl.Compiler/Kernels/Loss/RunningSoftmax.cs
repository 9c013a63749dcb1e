using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Loss;

/// <summary>The largest of some numbers and the sum of their exponentials relative to it; minus infinity and 0 for none.</summary>
internal sealed record RunningSoftmax(KernelBuilder K, F32 Largest, F32 Sum)
{
    public const float Log2E = 1.44269504f, Ln2 = 0.693147181f;

    /// <summary>Of all of both.</summary>
    public RunningSoftmax With(RunningSoftmax other)
    {
        var largest = K.Max(Largest, other.Largest);
        return new RunningSoftmax(K, largest, Scaled(largest) + other.Scaled(largest));
    }

    /// <summary>Of these and some numbers more.</summary>
    public RunningSoftmax With(IReadOnlyList<F32> values)
    {
        var largest = K.Max(Largest, values.Aggregate(K.Max));
        var shift = K.Rounded(Finite(largest) * Log2E);
        return new RunningSoftmax(K, largest, values.Select(value => K.Exp2(K.Fma(value, Log2E, -shift))).Aggregate(Scaled(largest), (sum, e) => sum + e));
    }

    /// <summary>Of all lanes, in each of them.</summary>
    public RunningSoftmax OfWarp()
    {
        var all = this;
        for (var distance = 16; distance > 0; distance /= 2) all = all.With(new RunningSoftmax(K, K.ShuffleXor(all.Largest, distance), K.ShuffleXor(all.Sum, distance)));
        return all;
    }

    /// <summary>Of all warps of the block, in its first.</summary>
    public RunningSoftmax OfBlock(int warps)
    {
        var warp = OfWarp();
        if (warps == 1) return warp;
        SharedPtr<F32> largest = K.Shared<F32>("largest", warps), sums = K.Shared<F32>("sums", warps);
        largest.StoreIf(K.LaneId == 0, warp.Largest, K.WarpId);
        sums.StoreIf(K.LaneId == 0, warp.Sum, K.WarpId);
        K.SyncThreads();
        var inside = K.LaneId < warps;
        return new RunningSoftmax(K, largest.LoadOr(inside, float.NegativeInfinity, K.LaneId), sums.LoadOr(inside, 0f, K.LaneId)).OfWarp();
    }

    /// <summary>The logarithm of the sum of exponentials; minus infinity for none.</summary>
    public F32 Lse => Largest + K.Log2(Sum) * Ln2;

    private F32 Scaled(F32 largest) => Sum * K.Exp2((Largest - Finite(largest)) * Log2E);

    /// <summary>Minus infinity less itself is no number.</summary>
    private F32 Finite(F32 largest) => K.Select(largest == float.NegativeInfinity, 0f, largest);
}
