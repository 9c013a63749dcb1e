using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>The factor on attention logits: <c>qk_dim^-0.5</c>, times YaRN's temperature squared where there is one.</summary>
public static class SoftmaxScale
{
    public static double Of(MlaSpec mla)
    {
        var mscale = mla.Rope.Yarn is { MscaleAllDim: not 0 } yarn ? Mscale(yarn.Factor, yarn.MscaleAllDim) : 1;
        return mscale * mscale / Math.Sqrt(mla.QkDim);
    }

    /// <summary><c>0.1 * mscale * ln(factor) + 1</c> for a context that is really extended (YaRN's <c>sqrt(1/t)</c>).</summary>
    internal static double Mscale(double factor, double mscale) => factor > 1 ? 0.1 * mscale * Math.Log(factor) + 1 : 1;
}
