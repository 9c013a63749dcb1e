using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// Activations in global memory, FP32 or BF16 as the record of the kernel says, seen by the kernel as FP32: loads widen exactly, stores
/// round to nearest even.
/// </summary>
internal sealed record ActivationPtr(KernelBuilder K, DType Type, GlobalPtr<U8> Bytes)
{
    public static ActivationPtr Param(KernelBuilder k, string name, DType type) => new(k, type, k.GlobalPtrParam<U8>(name));

    /// <summary>The start of a row of <paramref name="stride"/> elements.</summary>
    public ActivationPtr Row(S32 row, int stride) => this with { Bytes = Bytes.Row(row, checked(stride * Type.Bytes())) };

    public ActivationPtr Plus(S32 elements) => this with { Bytes = Bytes.Row(elements, Type.Bytes()) };

    /// <summary>Reads <paramref name="count"/> neighbours (a power of two, 16 bytes at most); zeros where the predicate does not hold.</summary>
    public F32[] Load(int offset, int count, Pred inside, LoadHint hint = LoadHint.Default)
    {
        var at = Bytes.AddBytes((long)offset * Type.Bytes());
        if (Type == DType.F32) return at.As<F32>().LoadVectorOr(inside, 0f, count, hint: hint);
        if (count == 1) return [K.ToF32(at.As<B16>().LoadOr(inside, (B16)(ushort)0, hint: hint).As<BF16>())];
        var words = at.As<B32>().LoadVectorOr(inside, (B32)0u, count / 2, hint: hint);
        return Widen(K, words);
    }

    /// <summary>Pairs of BF16, exactly.</summary>
    public static F32[] Widen(KernelBuilder k, IEnumerable<B32> words) =>
        [.. words.SelectMany(word => { var (first, second) = k.ToF32(word.As<BF16x2>()); return new[] { first, second }; })];

    /// <summary>Writes as many neighbours as there are values, where the predicate holds.</summary>
    public void Store(int offset, F32[] values, Pred inside)
    {
        var at = Bytes.AddBytes((long)offset * Type.Bytes());
        if (Type == DType.F32) at.As<F32>().StoreVector(values, predicate: inside);
        else if (values.Length == 1) at.As<BF16>().StoreIf(inside, K.ToBF16(values[0]));
        else at.As<B32>().StoreVector([.. Pairs(values).Select(pair => (B32)pair)], predicate: inside);
    }

    /// <summary>What a reader of the stored values would see.</summary>
    public F32[] Rounded(F32[] values)
    {
        if (Type == DType.F32) return values;
        if (values.Length == 1) return [K.ToF32(K.ToBF16(values[0]))];
        return [.. Pairs(values).SelectMany(pair => { var (first, second) = K.ToF32(pair); return new[] { first, second }; })];
    }

    private IEnumerable<BF16x2> Pairs(F32[] values) =>
        Enumerable.Range(0, values.Length / 2).Select(i => K.ToBF16x2(values[2 * i], values[2 * i + 1]));
}
