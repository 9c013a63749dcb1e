using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>Running sums over the lanes of a warp. All lanes take part.</summary>
internal static class WarpScan
{
    /// <summary>Sum of this lane's value and those of all lanes before it.</summary>
    public static S32 Inclusive(KernelBuilder k, S32 value)
    {
        for (var step = 1; step < 32; step *= 2)
        {
            var before = k.ShuffleUp(value, step);
            value = k.Select(k.LaneId >= step, value + before, value);
        }

        return value;
    }

    /// <summary>Sum of this lane's value and those of all lanes after it.</summary>
    public static S32 InclusiveFromEnd(KernelBuilder k, S32 value)
    {
        for (var step = 1; step < 32; step *= 2)
        {
            var after = k.ShuffleDown(value, step);
            value = k.Select(k.LaneId < 32 - step, value + after, value);
        }

        return value;
    }

    /// <summary>Number of the lowest one bit; 32 for zero.</summary>
    public static S32 LowestLane(KernelBuilder k, U32 lanes) => (S32)31 - k.FindHighestBit(k.ReverseBits(lanes));
}
