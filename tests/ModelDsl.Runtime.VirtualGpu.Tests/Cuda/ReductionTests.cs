using System.Numerics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Sums over blocks and warps: shuffles, <c>redux</c>, votes, counting barriers.</summary>
public sealed class ReductionTests : IDisposable
{
    private readonly CudaProgram _program = new("reductions");

    public void Dispose() => _program.Dispose();

    [Theory]
    [InlineData(10_000, 7, 256)]
    [InlineData(100, 3, 64)]
    [InlineData(1, 1, 1024)]
    public void Sums_by_shuffles(int count, int blocks, int threads)
    {
        float[] x = Sample.Floats(count, count);
        using DeviceMemory input = _program.Upload(x), sum = _program.Zeros<float>(1);
        _program.Run("sum_shuffle", blocks, threads, input, sum, count);
        Sample.Close([x.Sum(v => (double)v)], _program.Read<float>(sum), 1e-5);
    }

    [Fact]
    public void Reduces_a_warp_in_one_instruction()
    {
        int[] x = Sample.Integers(5 * 32, 1, -1_000_000, 1_000_000);
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<int>(20);
        _program.Run("redux", 5, 32, input, output);
        Assert.Equal(x.Chunk(32).SelectMany(w => new[] { w.Sum(), w.Min(), w.Max(), w.Aggregate((a, b) => a ^ b) }), _program.Read<int>(output));
    }

    [Fact]
    public void Counts_votes()
    {
        const int Threads = 160;
        int[] x = Sample.Integers(Threads, 2, -500, 500);
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<int>(8 * Threads);
        _program.Run("votes", 1, Threads, input, output);
        static int Mask(IEnumerable<bool> lanes) => (int)lanes.Select((held, lane) => held ? 1u << lane : 0).Aggregate(0u, (a, b) => a | b);
        var expected = Enumerable.Range(0, Threads).SelectMany(t =>
        {
            int[] warp = x[(t / 32 * 32)..(t / 32 * 32 + 32)];
            return new[] { x.Count(v => v > 0), 1, x.Contains(77) ? 1 : 0, Mask(warp.Select(v => (v & 1) != 0)), Mask(warp.Select(v => v % 5 == x[t] % 5)) };
        });
        int[] got = _program.Read<int>(output);
        Assert.Equal(expected, got.Chunk(8).SelectMany(o => o[..5]));
        Assert.All(got.Chunk(8), o =>
        {
            Assert.Equal(32, o[7]);
            // All lanes compare the same truth value, which holds for every one of them.
            Assert.Equal((-1, 1), (o[5], o[6]));
        });
        Assert.Equal(x.Count(v => (v & 1) != 0), got.Chunk(8).Where((_, t) => t % 32 == 0).Sum(o => BitOperations.PopCount((uint)o[3])));
    }
}
