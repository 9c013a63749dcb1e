namespace ModelDsl.Runtime.Models;

/// <summary>
/// Philox 4x32-10 (Salmon et al., SC11): random numbers as a function of a key and a counter, the same on every platform.
/// </summary>
public static class Philox
{
    /// <summary>The four numbers of one counter.</summary>
    public static (uint A, uint B, uint C, uint D) Next(ulong key, ulong counterLow, ulong counterHigh = 0)
    {
        var (a, b, c, d) = ((uint)counterLow, (uint)(counterLow >> 32), (uint)counterHigh, (uint)(counterHigh >> 32));
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < 10; round++)
        {
            var (p, q) = ((ulong)a * 0xD2511F53, (ulong)c * 0xCD9E8D57);
            (a, b, c, d) = ((uint)(q >> 32) ^ b ^ k0, (uint)q, (uint)(p >> 32) ^ d ^ k1, (uint)p);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (a, b, c, d);
    }

    /// <summary>A number in [0, 1) with 24 random bits.</summary>
    public static float Uniform(ulong key, ulong counter) => (Next(key, counter).A >> 8) * (1f / (1 << 24));
}
