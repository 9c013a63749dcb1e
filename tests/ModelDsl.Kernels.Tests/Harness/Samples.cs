using ModelDsl.Compiler.Graph;

namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>Test data: the same from run to run.</summary>
public static class Samples
{
    /// <summary>Normally distributed numbers, as the activation type holds them.</summary>
    public static float[] Normal(int seed, int count, DType type = DType.F32, double deviation = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            values[i] = Round((float)(deviation * normal), type);
        }

        return values;
    }

    public static float Round(float value, DType type) => type == DType.BF16 ? Formats.RoundBF16(value) : value;

    /// <summary>The numbers from 0 to <paramref name="count"/> - 1 in a random order.</summary>
    public static int[] Permutation(int seed, int count)
    {
        var ids = Enumerable.Range(0, count).ToArray();
        new Random(seed).Shuffle(ids);
        return ids;
    }

    /// <summary>Cosines and sines of position times frequency, as the runtime's tables have them.</summary>
    public static (float[] Cos, float[] Sin) Rotary(int context, int ropeDim)
    {
        var angles = Enumerable.Range(0, context)
            .SelectMany(position => Enumerable.Range(0, ropeDim / 2).Select(i => position * Math.Pow(10000, -2.0 * i / ropeDim))).ToArray();
        return ([.. angles.Select(a => (float)Math.Cos(a))], [.. angles.Select(a => (float)Math.Sin(a))]);
    }
}
