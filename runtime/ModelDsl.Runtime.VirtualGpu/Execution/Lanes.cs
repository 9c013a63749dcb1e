using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Rows as vectors: load, store under a lane mask, lane bits to vector masks.</summary>
internal static unsafe class Lanes
{
    public const uint All = uint.MaxValue;

    /// <summary>0 to 15. <see cref="Vector512{T}.Indices"/> is made by a loop where vectors have no 512 bits.</summary>
    public static Vector512<uint> Numbers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0u, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }

    private static Vector512<uint> LowBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(1u, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000);
    }

    private static Vector512<ulong> OctetBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(1ul, 2, 4, 8, 0x10, 0x20, 0x40, 0x80);
    }

    /// <summary>All ones in the lanes 16·half… whose bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Mask32(uint lanes, int half) =>
        Vector512.Equals(Vector512.Create(lanes >> (16 * half)) & LowBits, LowBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Mask64(uint lanes, int quarter) =>
        Vector512.Equals(Vector512.Create((ulong)(lanes >> (8 * quarter))) & OctetBits, OctetBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Load(byte* row, int half) => Vector512.Load((uint*)row + 16 * half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Load64(byte* row, int quarter) => Vector512.Load((ulong*)row + 8 * quarter);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* row, Vector512<uint> low, Vector512<uint> high, uint mask)
    {
        if (mask != All)
        {
            low = Vector512.ConditionalSelect(Mask32(mask, 0), low, Load(row, 0));
            high = Vector512.ConditionalSelect(Mask32(mask, 1), high, Load(row, 1));
        }
        low.Store((uint*)row);
        high.Store((uint*)row + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store64(byte* row, Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c, Vector512<ulong> d, uint mask)
    {
        if (mask != All)
        {
            a = Vector512.ConditionalSelect(Mask64(mask, 0), a, Load64(row, 0));
            b = Vector512.ConditionalSelect(Mask64(mask, 1), b, Load64(row, 1));
            c = Vector512.ConditionalSelect(Mask64(mask, 2), c, Load64(row, 2));
            d = Vector512.ConditionalSelect(Mask64(mask, 3), d, Load64(row, 3));
        }
        a.Store((ulong*)row);
        b.Store((ulong*)row + 8);
        c.Store((ulong*)row + 16);
        d.Store((ulong*)row + 24);
    }

    /// <summary>Writes predicate bits of the lanes that take part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePredicate(byte* slot, uint value, uint mask) =>
        *(uint*)slot = (*(uint*)slot & ~mask) | (value & mask);
}
