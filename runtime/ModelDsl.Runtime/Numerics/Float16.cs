using System.Runtime.InteropServices;

namespace ModelDsl.Runtime.Numerics;

/// <summary>IEEE binary16 as it lies in a checkpoint.</summary>
public static class Float16
{
    /// <summary>Widens exactly; both spans have the same length.</summary>
    public static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        var halves = MemoryMarshal.Cast<ushort, Half>(source);
        destination = destination[..source.Length];
        for (var i = 0; i < halves.Length; i++) destination[i] = (float)halves[i];
    }
}
