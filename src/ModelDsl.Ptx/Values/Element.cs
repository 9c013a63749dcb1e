using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>What a builder must know of a value type: its register, its form in memory, and how to make one.</summary>
/// <param name="Register">Type in registers.</param>
/// <param name="Memory">Type after <c>ld</c> and <c>st</c>; its size is the element size in memory.</param>
public sealed record Element<T>(ScalarType Register, ScalarType Memory, Func<KernelBuilder?, Operand, T> Wrap) where T : Value
{
    /// <summary>The one description of <typeparamref name="T"/>.</summary>
    public static Element<T> Value { get; } = (Element<T>)Elements.Find(typeof(T));

    /// <summary>Size in memory.</summary>
    public int Bytes => Memory.Bits / 8;
}

internal static class Elements
{
    private static readonly Dictionary<Type, object> Known = new()
    {
        [typeof(Pred)] = new Element<Pred>(ScalarType.Pred, ScalarType.Pred, (k, o) => new Pred(k, o)),
        [typeof(S32)] = new Element<S32>(ScalarType.S32, ScalarType.B32, (k, o) => new S32(k, o)),
        [typeof(U32)] = new Element<U32>(ScalarType.U32, ScalarType.B32, (k, o) => new U32(k, o)),
        [typeof(S64)] = new Element<S64>(ScalarType.S64, ScalarType.B64, (k, o) => new S64(k, o)),
        [typeof(U64)] = new Element<U64>(ScalarType.U64, ScalarType.B64, (k, o) => new U64(k, o)),
        [typeof(F32)] = new Element<F32>(ScalarType.F32, ScalarType.F32, (k, o) => new F32(k, o)),
        [typeof(F64)] = new Element<F64>(ScalarType.F64, ScalarType.F64, (k, o) => new F64(k, o)),
        [typeof(B16)] = new Element<B16>(ScalarType.B16, ScalarType.B16, (k, o) => new B16(k, o)),
        [typeof(B32)] = new Element<B32>(ScalarType.B32, ScalarType.B32, (k, o) => new B32(k, o)),
        [typeof(B64)] = new Element<B64>(ScalarType.B64, ScalarType.B64, (k, o) => new B64(k, o)),
        [typeof(U8)] = new Element<U8>(ScalarType.U32, ScalarType.U8, (k, o) => new U8(k, o)),
        [typeof(F16)] = new Element<F16>(ScalarType.F16, ScalarType.B16, (k, o) => new F16(k, o)),
        [typeof(BF16)] = new Element<BF16>(ScalarType.BF16, ScalarType.B16, (k, o) => new BF16(k, o)),
        [typeof(F16x2)] = new Element<F16x2>(ScalarType.F16x2, ScalarType.B32, (k, o) => new F16x2(k, o)),
        [typeof(BF16x2)] = new Element<BF16x2>(ScalarType.BF16x2, ScalarType.B32, (k, o) => new BF16x2(k, o)),
        [typeof(E4M3)] = new Element<E4M3>(ScalarType.B16, ScalarType.B8, (k, o) => new E4M3(k, o)),
        [typeof(E5M2)] = new Element<E5M2>(ScalarType.B16, ScalarType.B8, (k, o) => new E5M2(k, o)),
        [typeof(E4M3x2)] = new Element<E4M3x2>(ScalarType.E4M3x2, ScalarType.B16, (k, o) => new E4M3x2(k, o)),
        [typeof(E5M2x2)] = new Element<E5M2x2>(ScalarType.E5M2x2, ScalarType.B16, (k, o) => new E5M2x2(k, o)),
        [typeof(E4M3x4)] = new Element<E4M3x4>(ScalarType.B32, ScalarType.B32, (k, o) => new E4M3x4(k, o)),
        [typeof(E5M2x4)] = new Element<E5M2x4>(ScalarType.B32, ScalarType.B32, (k, o) => new E5M2x4(k, o)),
    };

    public static object Find(Type type) =>
        Known.TryGetValue(type, out var element) ? element : throw new PtxException($"{type.Name} is not a PTX element type");
}
