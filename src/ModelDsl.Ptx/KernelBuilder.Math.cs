using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

public sealed partial class KernelBuilder
{
    /// <summary><c>a * b + c</c>, rounded once.</summary>
    public F32 Fma(F32 a, F32 b, F32 c) => Emit<F32>("fma.rn.f32", a, b, c);

    public F64 Fma(F64 a, F64 b, F64 c) => Emit<F64>("fma.rn.f64", a, b, c);

    /// <summary>Two products and sums at once on packed BF16.</summary>
    public BF16x2 Fma(BF16x2 a, BF16x2 b, BF16x2 c) => Emit<BF16x2>("fma.rn.bf16x2", a, b, c);

    /// <summary>One of two values; both are evaluated.</summary>
    public T Select<T>(Pred predicate, T whenTrue, T whenFalse) where T : Value
    {
        if (predicate.Constant is { } known) return known ? whenTrue : whenFalse;
        if (ReferenceEquals(whenTrue, whenFalse)) return whenTrue;
        if (whenTrue is Pred p && whenFalse is Pred q) return (T)(Value)((predicate & p) | (!predicate & q));
        var (a, b) = predicate.Negated ? (whenFalse, whenTrue) : (whenTrue, whenFalse);
        var type = Element<T>.Value.Register;
        var name = type.Class is RegisterClass.F32 or RegisterClass.F64 ? type.Suffix : "b" + type.Bits;
        return EmitRaw<T>($"selp.{name}", a.Operand, b.Operand, predicate.Operand);
    }

    public S32 Min(S32 a, S32 b) => a.Constant is { } x && b.Constant is { } y ? Math.Min(x, y) : Emit<S32>("min.s32", a, b);

    public S32 Max(S32 a, S32 b) => a.Constant is { } x && b.Constant is { } y ? Math.Max(x, y) : Emit<S32>("max.s32", a, b);

    public U32 Min(U32 a, U32 b) => Emit<U32>("min.u32", a, b);

    public U32 Max(U32 a, U32 b) => Emit<U32>("max.u32", a, b);

    /// <summary>The smaller; the number if the other is none.</summary>
    public F32 Min(F32 a, F32 b) => Emit<F32>("min.f32", a, b);

    /// <summary>The larger; the number if the other is none.</summary>
    public F32 Max(F32 a, F32 b) => Emit<F32>("max.f32", a, b);

    public F32 Abs(F32 a) => Emit<F32>("abs.f32", a);

    /// <summary>2^a to about 2 units in the last place; denormals become zero.</summary>
    public F32 Exp2(F32 a) => Emit<F32>("ex2.approx.ftz.f32", a);

    /// <summary>e^a by way of <see cref="Exp2"/>: good to about 2 units plus the rounding of a·log2(e).</summary>
    public F32 Exp(F32 a) => Exp2(Rounded(a * 1.4426950408889634f));

    /// <summary>log2(a), approximately.</summary>
    public F32 Log2(F32 a) => Emit<F32>("lg2.approx.ftz.f32", a);

    /// <summary>1/a to 1 unit in the last place.</summary>
    public F32 Reciprocal(F32 a) => Emit<F32>("rcp.approx.ftz.f32", a);

    /// <summary>1/sqrt(a) to 2 units in the last place.</summary>
    public F32 ReciprocalSqrt(F32 a) => Emit<F32>("rsqrt.approx.ftz.f32", a);

    /// <summary>Square root, correctly rounded.</summary>
    public F32 Sqrt(F32 a) => Emit<F32>("sqrt.rn.f32", a);

    /// <summary>Hyperbolic tangent to about 2^-11.</summary>
    public F32 Tanh(F32 a) => Emit<F32>("tanh.approx.f32", a);

    /// <summary>Sine of an angle in radians, approximately; good near zero only.</summary>
    public F32 Sin(F32 a) => Emit<F32>("sin.approx.f32", a);

    /// <summary>Cosine of an angle in radians, approximately; good near zero only.</summary>
    public F32 Cos(F32 a) => Emit<F32>("cos.approx.f32", a);

    /// <summary>a / b to 2 units in the last place, in the middle of the range.</summary>
    public F32 DivideApproximately(F32 a, F32 b) => Emit<F32>("div.approx.ftz.f32", a, b);

    /// <summary>Number of one bits.</summary>
    public S32 PopCount(B32 a) => Emit<S32>("popc.b32", a);

    /// <summary>Position of the highest one bit; all ones for zero.</summary>
    public S32 FindHighestBit(U32 a) => Emit<S32>("bfind.u32", a);

    /// <summary>Bits in reverse order; with <see cref="FindHighestBit"/> the way to the lowest bit.</summary>
    public U32 ReverseBits(U32 a) => Emit<U32>("brev.b32", a);

    /// <summary>The high 32 bits of the 64-bit product.</summary>
    public U32 MultiplyHigh(U32 a, U32 b) => Emit<U32>("mul.hi.u32", a, b);

    /// <summary>The 64-bit product.</summary>
    public S64 MultiplyWide(S32 a, S32 b) => Emit<S64>("mul.wide.s32", a, b);

    /// <summary>The 64-bit product.</summary>
    public U64 MultiplyWide(U32 a, U32 b) => Emit<U64>("mul.wide.u32", a, b);

    /// <summary>Any function of three bits at once, given as its truth table.</summary>
    public B32 Lop3(B32 a, B32 b, B32 c, byte table) =>
        EmitRaw<B32>("lop3.b32", a.Operand, b.Operand, c.Operand, ((S32)(int)table).Operand);

    /// <summary>Four bytes picked out of eight.</summary>
    public B32 PermuteBytes(B32 a, B32 b, uint selector) => Emit<B32>("prmt.b32", a, b, (B32)selector);

    /// <summary>a / b rounded up, for counts.</summary>
    public S32 CeilDivide(S32 a, int b) => (a + (b - 1)) / b;
}
