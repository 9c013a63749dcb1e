namespace ModelDsl.Compiler.Specs;

/// <summary>
/// What an FP8 cache holds of a token: latents as E4M3, a FP32 scale for each 128 of them, and the rotated key as BF16, for which FP8 is too coarse: 512 + 16 + 128 = 656 bytes instead of 1152. FlashMLA's layout.
/// </summary>
/// <param name="KvRank">A multiple of 128.</param>
/// <param name="RopeDim">A multiple of 8, so that rows start at multiples of 16 bytes.</param>
public readonly record struct Fp8CacheRow(int KvRank, int RopeDim)
{
    private const int Group = 128;

    public int Groups => KvRank / Group;

    /// <summary>Where the rotated key starts.</summary>
    public int RopeOffset => KvRank + Groups * sizeof(float);

    public int Bytes => RopeOffset + RopeDim * 2;

    public static bool Fits(int kvRank, int ropeDim) => kvRank % (4 * Group) == 0 && ropeDim % 8 == 0;
}
