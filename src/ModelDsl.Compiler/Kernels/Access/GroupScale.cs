using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// The scale that a group of numbers shares as E4M3, <c>max(amax, 1e-4) / 448</c>, and their quotients by it, rounded as true divisions are, so that codes and scales agree with the reference
/// bit by bit. Scales are neither zero nor subnormal, so no quotient needs the assembler's division, which looks for such and jumps.
/// </summary>
internal sealed record GroupScale(KernelBuilder K, ScaleRounding Rounding, F32 Scale)
{
    private const float SmallestMagnitude = 1e-4f;
    private const float LargestCode = 448f;

    /// <summary>1 / <see cref="Scale"/>, rounded to nearest: from an approximation within an ulp by Newton's step, twice.</summary>
    private readonly F32 _inverse = Refined(K, Scale, Refined(K, Scale, K.Reciprocal(Scale)));

    public static GroupScale Of(KernelBuilder k, ScaleRounding rounding, F32 amax)
    {
        var scale = Divided(k, k.Max(amax, SmallestMagnitude), LargestCode, 1f / LargestCode);
        // Up to a power of two: adding all ones to the mantissa carries into the exponent unless the mantissa is zero.
        return new(k, rounding, rounding == ScaleRounding.Exact ? scale : ((scale.As<U32>() + 0x7FFFFFu) & 0xFF800000u).As<F32>());
    }

    /// <summary>x / scale. By a power of two it is exact at once.</summary>
    public F32 Quotient(F32 x) => Rounding == ScaleRounding.Exact ? Divided(K, x, Scale, _inverse) : x * _inverse;

    /// <summary>
    /// From a reciprocal that is correctly rounded one step of correction leads to the correctly rounded quotient (Markstein). Signs are such that minus zero stays what it is.
    /// </summary>
    private static F32 Divided(KernelBuilder k, F32 x, F32 by, F32 inverse)
    {
        var quotient = x * inverse;
        return k.Fma(-k.Fma(quotient, by, -x), inverse, quotient);
    }

    private static F32 Refined(KernelBuilder k, F32 x, F32 inverse) => k.Fma(inverse, k.Fma(-x, inverse, 1f), inverse);
}
