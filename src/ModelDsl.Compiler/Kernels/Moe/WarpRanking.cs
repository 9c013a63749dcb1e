using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>
/// Items spread over a warp, slot i of a lane being item <c>32 i + lane</c>, and the choice of the best of them. Keys are unsigned:
/// <c>redux</c> finds the largest one of a warp in one instruction.
/// </summary>
internal sealed class WarpRanking(KernelBuilder k, int items)
{
    private const uint Out = 0;

    /// <summary>The key of minus infinity: below that of every number, above that of what is not there.</summary>
    public static U32 LowestKey => 0x007FFFFFu;

    public int Slots { get; } = (items + 31) / 32;

    public S32 Item(int slot) => k.LaneId + 32 * slot;

    /// <summary>False in the lanes that have no item in the last slot.</summary>
    public Pred Exists(int slot) => 32 * (slot + 1) <= items ? true : k.LaneId < items - 32 * slot;

    /// <summary>The order of floats as that of unsigned integers: positive ones get the sign bit, negative ones are inverted.</summary>
    public U32 Key(F32 value)
    {
        var bits = value.As<S32>();
        return (bits ^ ((bits >> 31) | int.MinValue)).As<U32>();
    }

    /// <summary>The items with the largest keys, <paramref name="count"/> of them; of equal ones the lowest.</summary>
    /// <param name="keys">One per slot; those of slots without an item do not matter.</param>
    /// <returns>Per slot, whether its item is chosen.</returns>
    public Pred[] Best(IEnumerable<U32> keys, int count)
    {
        var left = keys.Select((key, slot) => k.Var(k.Select(Exists(slot), key, (U32)Out))).ToArray();
        k.For(0, count, _ =>
        {
            var now = left.Select(key => key.Value).ToArray();
            var largest = k.WarpMax(now.Aggregate(k.Max));
            S32 first = int.MaxValue;
            for (var slot = Slots - 1; slot >= 0; slot--) first = k.Select(now[slot] == largest, Item(slot), first);
            var winner = k.WarpMin(first);
            for (var slot = 0; slot < Slots; slot++) left[slot].SetIf(Item(slot) == winner, Out);
        });
        return [.. left.Select((key, slot) => (key.Value == Out) & Exists(slot))];
    }
}
