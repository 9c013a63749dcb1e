using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Histograms, compare-and-swap loops, every atomic operation.</summary>
public sealed class AtomicTests : IDisposable
{
    private readonly CudaProgram _program = new("atomics");

    public void Dispose() => _program.Dispose();

    [Fact]
    public void Histogram_in_shared_and_global_memory()
    {
        byte[] data = new byte[10_000];
        new Random(1).NextBytes(data);
        for (int i = 0; i < data.Length; i += 3) data[i] = 7;
        using DeviceMemory input = _program.Upload(data), bins = _program.Zeros<uint>(256);
        _program.Run("histogram", 6, 128, input, bins, data.Length);
        Assert.Equal(Enumerable.Range(0, 256).Select(v => (uint)data.Count(d => d == v)), _program.Read<uint>(bins));
    }

    [Fact]
    public void Maximum_by_compare_and_swap()
    {
        float[] x = Sample.Floats(1000, 2);
        using DeviceMemory input = _program.Upload(x), high = _program.Upload(-5f);
        _program.Run("max_by_cas", 8, 128, input, high, x.Length);
        Assert.Equal(x.Max(), _program.Read<float>(high)[0]);
    }

    [Fact]
    public void Every_operation()
    {
        const int Threads = 64;
        ulong[] longs = [0, ulong.MaxValue, 0, ulong.MaxValue, 0, 0, 0, 5, 0, unchecked((ulong)-1000L), 0, 0, 0, 0, 0, 0];
        int[] words = [0, 0, 100, 0, -1, 0, 0, 3, 3, 0, 1000, 0];
        using DeviceMemory l = _program.Upload(longs), w = _program.Upload(words), f = _program.Upload(1f), d = _program.Upload(2.0);
        _program.Run("all_atomics", 1, Threads, l, w, f, d);
        var (inc, dec) = (3u, 3u);
        for (int t = 0; t < Threads; t++) (inc, dec) = (inc >= 9 ? 0 : inc + 1, dec == 0 || dec > 9 ? 9 : dec - 1);
        Assert.Equal([64, -128, -5, 189, 0, -1, 0, (int)inc, (int)dec, 42, 7, 70], _program.Read<int>(w));
        ulong xor = Enumerable.Range(0, Threads).Aggregate(0UL, (a, t) => a ^ ((ulong)t << 32));
        ulong[] expected = [64UL << 33, 1UL << 40, 63UL << 34, 0, ulong.MaxValue, xor, 77, 6, unchecked((ulong)-63L), 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(expected, _program.Read<ulong>(l));
        Assert.Equal((33f, 18.0), (_program.Read<float>(f)[0], _program.Read<double>(d)[0]));
    }

    [Fact]
    public void One_lane_adds_for_all_with_its_key()
    {
        int[] keys = Sample.Integers(1000, 3, 0, 9);
        using DeviceMemory input = _program.Upload(keys), counts = _program.Zeros<int>(10);
        _program.Run("aggregated", 8, 128, input, counts, keys.Length);
        Assert.Equal(Enumerable.Range(0, 10).Select(v => keys.Count(k => k == v)), _program.Read<int>(counts));
    }
}
