using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>
/// How to fill the cos and sin tables: entry <c>[p, i]</c> is <c>cos(p * InverseFrequencies[i]) * Factor</c>, product, cosine
/// and factor in float32.
/// </summary>
/// <param name="InverseFrequencies">Radians per position for each rotated pair; <c>rope_dim / 2</c> of them.</param>
/// <param name="Factor">YaRN's factor on cos and sin; 1 without.</param>
/// <param name="Positions">Rows of the tables.</param>
public sealed record RopeTable(EquatableArray<float> InverseFrequencies, float Factor, int Positions)
{
    /// <summary>
    /// The rotary frequencies of a model, in the float32 arithmetic of the models' reference code, so that angles at far positions
    /// agree to the last bit (checkpoint conventions: "RoPE layout and YaRN").
    /// </summary>
    public static RopeTable Of(MlaSpec mla, int positions)
    {
        var rope = mla.Rope;
        var frequencies = new float[mla.RopeDim / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var power = (float)Math.Pow(rope.Theta, 2 * i / (float)mla.RopeDim);
            frequencies[i] = rope.Yarn is { } yarn ? Extended(power, i, mla.RopeDim, rope.Theta, yarn) : 1f / power;
        }

        return new RopeTable([.. frequencies], (float)TableFactor(rope.Yarn), positions);
    }

    /// <summary>
    /// YaRN's frequency of one pair: as it was for fast pairs, divided by the factor for slow ones, mixed along a ramp between.
    /// </summary>
    private static float Extended(float power, int pair, int dim, double theta, YarnSpec yarn)
    {
        var low = Math.Max(Math.Floor(CorrectionDim(yarn.BetaFast, dim, theta, yarn)), 0);
        var high = Math.Min(Math.Ceiling(CorrectionDim(yarn.BetaSlow, dim, theta, yarn)), dim - 1);
        if (low == high) high += 0.001;
        var ramp = Math.Min(Math.Max((pair - (float)low) / (float)(high - low), 0f), 1f);
        var keep = 1f - ramp;
        return 1f / ((float)yarn.Factor * power) * (1f - keep) + 1f / power * keep;
    }

    /// <summary>The pair that turns <paramref name="rotations"/> times over the original context.</summary>
    private static double CorrectionDim(double rotations, int dim, double theta, YarnSpec yarn) =>
        dim * Math.Log(yarn.OriginalTokens / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));

    /// <summary>The ratio of the two temperatures where both are given (a zero is not), else the plain one.</summary>
    private static double TableFactor(YarnSpec? yarn) => yarn switch
    {
        null => 1,
        { Mscale: not 0, MscaleAllDim: not 0 } =>
            SoftmaxScale.Mscale(yarn.Factor, yarn.Mscale) / SoftmaxScale.Mscale(yarn.Factor, yarn.MscaleAllDim),
        _ => SoftmaxScale.Mscale(yarn.Factor, 1),
    };
}

