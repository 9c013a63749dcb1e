using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a GPU of the Hopper kind gives.</summary>
/// <param name="MemoryBytesPerMicrosecond">Of the data sheet; see <see cref="MemoryShare"/>.</param>
public sealed record HopperGpu(string Name, double MemoryBytesPerMicrosecond)
{
    public static readonly HopperGpu H800 = new("H800 SXM", 3.35e6), GH200 = new("GH200", 4.0e6), H200 = new("H200 SXM", 4.8e6);

    /// <summary>The one that kernels are chosen for.</summary>
    public static HopperGpu Assumed => H200;

    /// <summary>Streaming multiprocessors. On a GPU with fewer, a grid of so many blocks is right, too, only not as even.</summary>
    public const int Multiprocessors = 132;

    /// <summary>Shared memory that a block can have, in bytes.</summary>
    public const int SharedBytesOfBlock = 227 * 1024;

    /// <summary>As <see cref="SharedBytesOfBlock"/>, of one of so many that are on a multiprocessor together; each takes 1 KB more for itself.</summary>
    public static int SharedBytesOfEach(int blocks) => (SharedBytesOfBlock + 1024) / blocks - 1024;

    /// <summary>Under load, not the boost of the data sheet.</summary>
    public const double ClocksPerMicrosecond = 1500;

    /// <summary>Of the data sheet's bandwidth, for reads that a kernel has under way all the time.</summary>
    public const double MemoryShare = 0.8;

    /// <summary>What one multiprocessor reads from memory at most, however much it has under way. An assumption: no published time is bound by it.</summary>
    public const double MemoryBytesPerMicrosecondEach = 5e4;

    /// <summary>From L2 to all multiprocessors.</summary>
    public const double L2BytesPerMicrosecond = 7.5e6;

    /// <summary>The same for tiles of 128 x 128 and more, or of what all blocks read: at least what the BF16 product of 128 x 256 reads on an H200.</summary>
    public const double WideL2BytesPerMicrosecond = 10e6;

    /// <summary>Start, first bytes, last stores.</summary>
    public const double LaunchMicroseconds = 5;
}

/// <summary>What a product is expected to take, and why.</summary>
/// <param name="Math">Microseconds of the busiest block's tensor cores and promotion.</param>
/// <param name="L2">Microseconds of what all blocks read from L2.</param>
/// <param name="Memory">Microseconds of what is read and written once.</param>
public sealed record GemmCost(double Math, double L2, double Memory)
{
    public double Microseconds => HopperGpu.LaunchMicroseconds + System.Math.Max(Math, System.Math.Max(L2, Memory));

    /// <summary>What the time is of: <c>math</c>, <c>L2</c> or <c>memory</c>.</summary>
    public string Bound => Math >= L2 && Math >= Memory ? "math" : L2 >= Memory ? "L2" : "memory";
}

/// <summary>
/// Time of a product by its tiles: the largest of three times that overlap. Constants are set once, so that published times of DeepGEMM with its own
/// tiles come out, and ours as an H200 takes them (see the tests): no kernel is ever timed to choose one.
/// </summary>
public static class HopperCosts
{
    /// <summary>Instructions of a warp beside the promotion, per step of 64 rows.</summary>
    private const int OtherInstructions = 34;

    /// <summary>Clocks in which a lone warpgroup waits for its own products.</summary>
    private const int ProductLatency = 60;

    /// <summary>Until a tile's first step and from its last one until it is stored.</summary>
    private const double TileMicroseconds = 1.5;

    /// <summary>The same where a block goes on to the next tile while the one before is stored, for each 128 of its rows; as measured on an H200.</summary>
    private const double BetweenTiles = 0.65;

    /// <summary>Until other blocks' sums are there and added.</summary>
    private const double ExchangeMicroseconds = 1.5;

    private const int Step = Fp8GemmTile.Step;

    /// <summary>Tiles one after the other, each by one block.</summary>
    /// <param name="rows">M.</param>
    /// <param name="tileRows">Of A, a multiple of 64.</param>
    /// <param name="tileColumns">Rows of W.</param>
    /// <param name="shared">Bytes that blocks read of 1 that their tiles have: below 1 where pairs share a copy.</param>
    /// <param name="all">Blocks read the same rows of A, all of them.</param>
    public static GemmCost Tiles(long rows, int n, int k, DType output, int tileRows, int tileColumns, HopperGpu gpu, double shared = 1, bool all = false)
    {
        var (tiles, steps) = (CeilDiv(rows, tileRows) * CeilDiv(n, tileColumns), CeilDiv(k, Step));
        var turns = CeilDiv(tiles, HopperGpu.Multiprocessors);
        var l2 = all || tileRows * tileColumns >= 128 * 128 ? HopperGpu.WideL2BytesPerMicrosecond : HopperGpu.L2BytesPerMicrosecond;
        var math = turns * (steps * StepClocks(tileRows / 64, tileColumns, tileColumns / 2 + OtherInstructions) / HopperGpu.ClocksPerMicrosecond + Math.Max(1, tileRows / 128) * BetweenTiles) + TileMicroseconds - BetweenTiles;
        return new GemmCost(math, tiles * steps * (double)(tileRows + tileColumns) * Step * shared / l2, Memory(rows, n, k, output, tiles, gpu));
    }

    /// <summary>Of few rows all blocks read the same ones.</summary>
    public static GemmCost Of(Fp8Gemm kernel, long rows, HopperGpu gpu) => Tiles(
        rows, kernel.N, kernel.K, kernel.Out, kernel.Tile.Rows, kernel.Tile.Columns, gpu, all: rows <= FewRowsTile.MostRows);

    /// <summary>The forward form: no promotion, and products of one step run while those of the next are started.</summary>
    public static GemmCost Of(Bf16Gemm kernel, long rows, HopperGpu gpu)
    {
        var tile = kernel.Tile;
        var (tiles, steps) = (CeilDiv(rows, tile.Rows) * CeilDiv(kernel.N, tile.Columns), CeilDiv(kernel.K, Bf16GemmTile.Step));
        var clocks = steps * Math.Max(Tensor(tile.Warpgroups, tile.Columns), tile.Warpgroups * (double)OtherInstructions);
        var math = CeilDiv(tiles, HopperGpu.Multiprocessors) * (clocks / HopperGpu.ClocksPerMicrosecond + TileMicroseconds);
        var l2 = tiles * steps * (tile.Rows + tile.Columns) * 2.0 * Bf16GemmTile.Step / (tile.Rows < 128 ? HopperGpu.L2BytesPerMicrosecond : HopperGpu.WideL2BytesPerMicrosecond);
        return new GemmCost(math, l2, Memory(2 * (rows * kernel.K + (double)kernel.N * kernel.K) + (double)rows * kernel.N * kernel.Out.Bytes(), tiles, gpu));
    }

    /// <summary>Tiles whose depth is dealt out to the blocks of a cluster.</summary>
    public static GemmCost Of(Fp8GemmFewRows kernel, long rows, HopperGpu gpu)
    {
        var tile = kernel.Tile;
        var steps = CeilDiv(kernel.K, Step);
        var tiles = CeilDiv(rows, tile.Rows) * CeilDiv(kernel.N, tile.Outputs);
        var blocks = tiles * tile.Split;
        var turns = CeilDiv(blocks, HopperGpu.Multiprocessors * FewRowsTile.Residents);
        // A lone warpgroup waits for its products, and for the tiles. Scales of columns: a multiplication for each, half a load.
        var clocks = tile.Waves * (Tensor(1, tile.Rows) + tile.Rows / 2) + tile.Rows / 4 + tile.Rows / 8 + OtherInstructions + 2 * ProductLatency;
        var math = turns * (CeilDiv(steps, tile.Split) * clocks / HopperGpu.ClocksPerMicrosecond + tile.Waves * Math.Max(1, tile.Rows / 64) * TileMicroseconds);
        var exchange = tile.Split > 1 ? ExchangeMicroseconds : 0;
        var l2 = tiles * steps * (double)(tile.Rows + tile.Outputs) * Step / HopperGpu.WideL2BytesPerMicrosecond;
        var memory = Memory(rows, kernel.N, kernel.K, kernel.Out, Math.Min(blocks, HopperGpu.Multiprocessors), gpu);
        return new GemmCost(math + exchange, l2 + exchange, memory + exchange);
    }

    /// <summary>
    /// Clocks for 128 of the depth. A product of 64 x N x 32 takes the tensor cores N / 2, or as long as its operands take out of shared memory; where two warpgroups
    /// take turns, promotion runs beside that.
    /// </summary>
    private static double StepClocks(int waves, int columns, double instructions)
    {
        var (tensor, issue) = (Tensor(waves, columns), waves * instructions);
        return waves > 1 ? Math.Max(tensor, issue) : tensor + issue + ProductLatency;
    }

    /// <summary>Of four products of 64 rows for each wave: of 32 of the depth in FP8, of 16 in BF16.</summary>
    private static double Tensor(int waves, int columns) => waves * 4 * Math.Max(columns / 2.0, 16 + columns / 4.0);

    private static double Memory(long rows, int n, int k, DType output, long blocks, HopperGpu gpu) =>
        Memory(rows * k + (double)n * k + (double)rows * n * output.Bytes() + (double)sizeof(float) * rows * CeilDiv(k, Step), blocks, gpu);

    private static double Memory(double bytes, long blocks, HopperGpu gpu) =>
        bytes / Math.Min(gpu.MemoryBytesPerMicrosecond * HopperGpu.MemoryShare, blocks * HopperGpu.MemoryBytesPerMicrosecondEach);

    private static long CeilDiv(long value, long size) => (value + size - 1) / size;
}
