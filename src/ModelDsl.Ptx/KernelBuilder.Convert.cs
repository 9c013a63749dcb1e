using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

public sealed partial class KernelBuilder
{
    /// <summary>Exact.</summary>
    public F32 ToF32(BF16 a) => EmitRaw<F32>("mov.b32", new VectorOperand([new ImmediateOperand(0, ScalarType.U16), InRegister(a)]));

    /// <summary>Exact.</summary>
    public F32 ToF32(F16 a) => Emit<F32>("cvt.f32.f16", a);

    /// <summary>Exact; first and second in memory.</summary>
    public (F32 First, F32 Second) ToF32(BF16x2 a) => (Emit<F32>("shl.b32", a, (S32)16), Emit<F32>("and.b32", a, (B32)0xFFFF0000u));

    /// <summary>Exact; first and second in memory.</summary>
    public (F32 First, F32 Second) ToF32(F16x2 a)
    {
        var (lo, hi) = Split(a.As<B32>());
        return (ToF32(lo.As<F16>()), ToF32(hi.As<F16>()));
    }

    /// <summary>Exact.</summary>
    public (F32 First, F32 Second) ToF32(E4M3x2 a) => ToF32(ToF16(a));

    /// <summary>Exact.</summary>
    public (F32 First, F32 Second) ToF32(E5M2x2 a) => ToF32(ToF16(a));

    /// <summary>Exact.</summary>
    public F32 ToF32(E4M3 a) => ToF32(ToF16(a.As<E4M3x2>())).First;

    /// <summary>Exact.</summary>
    public F32 ToF32(E5M2 a) => ToF32(ToF16(a.As<E5M2x2>())).First;

    /// <summary>Exact.</summary>
    public F16x2 ToF16(E4M3x2 a) => Fp8<F16x2>("cvt.rn.f16x2.e4m3x2", a);

    /// <summary>Exact.</summary>
    public F16x2 ToF16(E5M2x2 a) => Fp8<F16x2>("cvt.rn.f16x2.e5m2x2", a);

    /// <summary>Nearest, ties to even.</summary>
    public F32 ToF32(S32 a) => a.Constant is { } c ? c : Emit<F32>("cvt.rn.f32.s32", a);

    /// <summary>Nearest, ties to even.</summary>
    public F32 ToF32(U32 a) => Emit<F32>("cvt.rn.f32.u32", a);

    /// <summary>Nearest, ties to even.</summary>
    public F32 ToF32(F64 a) => Emit<F32>("cvt.rn.f32.f64", a);

    /// <summary>Exact.</summary>
    public F64 ToF64(F32 a) => Emit<F64>("cvt.f64.f32", a);

    /// <summary>Nearest, ties to even.</summary>
    public BF16 ToBF16(F32 a) => Emit<BF16>("cvt.rn.bf16.f32", a);

    /// <summary>Rounded to 10 bits of mantissa, ties away from zero: an operand of <see cref="MmaShape.TF32"/>.</summary>
    public B32 ToTF32(F32 a) => Emit<B32>("cvt.rna.tf32.f32", a);

    /// <summary>Nearest, ties to even; beyond 65504 is infinity.</summary>
    public F16 ToF16(F32 a) => Emit<F16>("cvt.rn.f16.f32", a);

    /// <summary>Both to nearest, ties to even.</summary>
    public BF16x2 ToBF16x2(F32 first, F32 second) => Emit<BF16x2>("cvt.rn.bf16x2.f32", second, first);

    /// <summary>Both to nearest, ties to even.</summary>
    public F16x2 ToF16x2(F32 first, F32 second) => Emit<F16x2>("cvt.rn.f16x2.f32", second, first);

    /// <summary>Both to nearest, ties to even; beyond ±448 is ±448.</summary>
    public E4M3x2 ToE4M3x2(F32 first, F32 second) => Fp8<E4M3x2>("cvt.rn.satfinite.e4m3x2.f32", second, first);

    /// <summary>Both to nearest, ties to even; beyond ±57344 is ±57344.</summary>
    public E5M2x2 ToE5M2x2(F32 first, F32 second) => Fp8<E5M2x2>("cvt.rn.satfinite.e5m2x2.f32", second, first);

    /// <summary>Nearest, ties to even; beyond ±448 is ±448.</summary>
    public E4M3 ToE4M3(F32 a) => ToE4M3x2(a, 0f).As<E4M3>();

    /// <summary>Four values, the first in the lowest byte.</summary>
    public E4M3x4 ToE4M3x4(F32 a, F32 b, F32 c, F32 d) =>
        Pack(ToE4M3x2(a, b).As<B16>(), ToE4M3x2(c, d).As<B16>()).As<E4M3x4>();

    /// <summary>The two halves of four values.</summary>
    public (E4M3x2 First, E4M3x2 Second) Split(E4M3x4 a)
    {
        var (lo, hi) = Split(a.As<B32>());
        return (lo.As<E4M3x2>(), hi.As<E4M3x2>());
    }

    /// <summary>Toward zero.</summary>
    public S32 TruncateToS32(F32 a) => Emit<S32>("cvt.rzi.s32.f32", a);

    /// <summary>To nearest, ties to even.</summary>
    public S32 RoundToS32(F32 a) => Emit<S32>("cvt.rni.s32.f32", a);

    /// <summary>Toward minus infinity.</summary>
    public S32 FloorToS32(F32 a) => Emit<S32>("cvt.rmi.s32.f32", a);

    /// <summary>Sign-extended.</summary>
    public S64 ToS64(S32 a) => a.Constant is { } c ? c : Emit<S64>("cvt.s64.s32", a);

    /// <summary>Zero-extended.</summary>
    public U64 ToU64(U32 a) => Emit<U64>("cvt.u64.u32", a);

    /// <summary>The low half.</summary>
    public U32 LowU32(U64 a) => Emit<U32>("cvt.u32.u64", a);

    /// <summary>The low half.</summary>
    public S32 LowS32(S64 a) => Emit<S32>("cvt.u32.u64", a);

    /// <summary>Zero-extended.</summary>
    public U32 ToU32(B16 a) => Emit<U32>("cvt.u32.u16", a);

    /// <summary>The low half.</summary>
    public B16 LowB16(B32 a) => Emit<B16>("cvt.u16.u32", a);

    /// <summary>One where the predicate holds, zero elsewhere.</summary>
    public S32 ToS32(Pred a) => Select<S32>(a, 1, 0);

    /// <summary>Two halves as one; <paramref name="low"/> is first in memory.</summary>
    public B32 Pack(B16 low, B16 high) => EmitRaw<B32>("mov.b32", new VectorOperand([InRegister(low), InRegister(high)]));

    /// <summary>Two halves as one; <paramref name="first"/> is first in memory.</summary>
    public BF16x2 Pack(BF16 first, BF16 second) => Pack(first.As<B16>(), second.As<B16>()).As<BF16x2>();

    /// <summary>Low and high half.</summary>
    public (B16 Low, B16 High) Split(B32 a)
    {
        var (low, high) = (NewRegister(RegisterClass.B16), NewRegister(RegisterClass.B16));
        EmitVoid("mov.b32", [new VectorOperand([low, high])], [InRegister(a)], Effect.None);
        return (new B16(this, low), new B16(this, high));
    }

    private T Fp8<T>(string name, params Value[] sources) where T : Value
    {
        Require(Feature.Fp8Convert, name);
        return Emit<T>(name, sources);
    }
}
