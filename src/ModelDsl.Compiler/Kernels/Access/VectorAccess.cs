using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>Accesses to neighbours that are wider than one instruction, or whose type does not matter.</summary>
internal static class VectorAccess
{
    /// <summary>Reads <paramref name="count"/> neighbours with the fewest instructions that <paramref name="aligned"/> allows.</summary>
    /// <param name="aligned">Elements that the address is known to be a multiple of.</param>
    public static T[] LoadMany<T>(this Pointer<T> pointer, int count, int aligned, S32? index = null, LoadHint hint = LoadHint.Default)
        where T : Value
    {
        var width = Math.Min(16 / Element<T>.Value.Bytes, 4);
        while (aligned % width != 0 || count % width != 0) width /= 2;
        return [.. Enumerable.Range(0, count / width).SelectMany(i => pointer.LoadVector(width, (index ?? 0) + i * width, hint))];
    }

    /// <summary>As <c>LoadMany</c> for a power of two of FP32; zeros where the predicate does not hold.</summary>
    public static F32[] LoadManyOr(this GlobalPtr<F32> pointer, Pred inside, int count, LoadHint hint = LoadHint.Default)
    {
        var width = Math.Min(count, 4);
        return [.. Enumerable.Range(0, count / width).SelectMany(i => pointer.AddBytes(16L * i).LoadVectorOr(inside, 0f, width, hint: hint))];
    }

    /// <summary>Writes a power of two of neighbours, where the predicate holds.</summary>
    public static void StoreMany(this SharedPtr<F32> pointer, F32[] values, Pred inside)
    {
        var width = Math.Min(values.Length, 4);
        for (var i = 0; i < values.Length; i += width) pointer.StoreVector([.. values.Skip(i).Take(width)], i, inside);
    }

    /// <summary>Reads 1 to 16 bytes as they are; zeros where the predicate does not hold.</summary>
    public static IReadOnlyList<Value> LoadBytes(this GlobalPtr<U8> pointer, int bytes, Pred inside, LoadHint hint = LoadHint.Default) => bytes switch
    {
        1 => [pointer.LoadOr(inside, U8.Low(0u), hint: hint)],
        2 => [pointer.As<B16>().LoadOr(inside, (B16)(ushort)0, hint: hint)],
        _ => pointer.As<B32>().LoadVectorOr(inside, (B32)0u, bytes / 4, hint: hint),
    };

    /// <summary>Writes what <see cref="LoadBytes"/> read, where the predicate holds.</summary>
    public static void StoreBytes(this GlobalPtr<U8> pointer, IReadOnlyList<Value> values, Pred inside)
    {
        switch (values[0])
        {
            case U8 one: pointer.StoreIf(inside, one); break;
            case B16 one: pointer.As<B16>().StoreIf(inside, one); break;
            default: pointer.As<B32>().StoreVector([.. values.Cast<B32>()], predicate: inside); break;
        }
    }
}
