namespace ModelDsl.Ptx.Hopper;

/// <summary>
/// A product that the four warps of a warpgroup make together, D[64,N] += A[64,K]·B[N,K], accumulated in F32, K being 32 bytes. Warp w has
/// rows 16w to 16w + 15; lane 4g + t has of each eight columns j the elements (g, 8j + 2t), (g, 8j + 2t + 1), (g + 8, 8j + 2t), (g + 8, 8j + 2t + 1).
/// </summary>
/// <param name="N">8 to 256, a multiple of 8.</param>
/// <param name="K">Elements in 32 bytes.</param>
/// <param name="A">Element type of A.</param>
/// <param name="B">Element type of B.</param>
public sealed record WgmmaShape(int N, int K, string A, string B)
{
    public static WgmmaShape E4M3(int n) => new(n, 32, "e4m3", "e4m3");

    public static WgmmaShape BF16(int n) => new(n, 16, "bf16", "bf16");

    /// <summary>A lies in shared memory with M fastest. Operands of 16 bits only.</summary>
    public bool TransposesA { get; init; }

    /// <summary>B lies in shared memory with N fastest. Operands of 16 bits only.</summary>
    public bool TransposesB { get; init; }

    /// <summary>Accumulators of each thread.</summary>
    public int Registers => N / 2;

    /// <summary>As in the opcode.</summary>
    public string Name => $"wgmma.mma_async.sync.aligned.m64n{N}k{K}.f32.{A}.{B}";

    /// <summary>Operands of 16 bits may lie transposed, and the instruction asks whether they do.</summary>
    internal bool IsTransposable => K == 16;
}

/// <summary>How a tile in shared memory is swizzled: rows of so many bytes, the 16-byte chunks of each exchanged by the row's number.</summary>
public enum TileSwizzle
{
    None = 0, Bytes32 = 32, Bytes64 = 64, Bytes128 = 128,
}
