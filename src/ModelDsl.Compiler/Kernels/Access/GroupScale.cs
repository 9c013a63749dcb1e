using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// The scale that a group of numbers shares as E4M3, <c>max(amax, 1e-4) / 448</c>, and their quotients by it, with true divisions, so that codes and scales agree with the reference bit by bit.
/// </summary>
internal sealed record GroupScale(KernelBuilder K, F32 Scale)
{
    private const float SmallestMagnitude = 1e-4f;
    private const float LargestCode = 448f;

    /// <summary>1 / <see cref="Scale"/>, rounded.</summary>
    public F32 Inverse { get; init; } = (F32)1f / Scale;

    public static GroupScale Of(KernelBuilder k, ScaleRounding rounding, F32 amax) => new(k, Round(rounding, k.Max(amax, SmallestMagnitude) / LargestCode));

    /// <summary>
    /// x / scale, rounded as the division is, by three instructions: from a reciprocal that is correctly rounded one step of correction leads to the correctly rounded quotient (Markstein). Signs are
    /// such that minus zero stays what it is.
    /// </summary>
    public F32 Quotient(F32 x)
    {
        var quotient = x * Inverse;
        return K.Fma(-K.Fma(quotient, Scale, -x), Inverse, quotient);
    }

    /// <summary>Up to a power of two: adding all ones to the mantissa carries into the exponent unless the mantissa is zero.</summary>
    private static F32 Round(ScaleRounding rounding, F32 scale) =>
        rounding == ScaleRounding.Exact ? scale : ((scale.As<U32>() + 0x7FFFFFu) & 0xFF800000u).As<F32>();
}
