using System.Numerics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Textbook kernels: sorting network, transposition, Fourier transform, sparse product, locks, random numbers, structures by value, asserts.</summary>
public sealed class AlgorithmTests : IDisposable
{
    private readonly CudaProgram _program = new("algorithms");

    public void Dispose() => _program.Dispose();

    [Fact]
    public void Bitonic_sort()
    {
        int[] x = Sample.Integers(3 * 256, 1);
        using DeviceMemory data = _program.Upload(x);
        _program.RunShared("bitonic_sort", 3, 256, 1024, data);
        Assert.Equal(x.Chunk(256).SelectMany(block => block.Order()), _program.Read<int>(data));
    }

    [Fact]
    public void Transposition()
    {
        const int Width = 70, Height = 50;
        float[] x = Sample.Floats(Width * Height, 2);
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<float>(x.Length);
        _program.Run("transpose", new Dim3(3, 2), new Dim3(32, 8), input, output, Width, Height);
        Assert.Equal(from c in Enumerable.Range(0, Width) from r in Enumerable.Range(0, Height) select x[r * Width + c], _program.Read<float>(output));
    }

    [Fact]
    public void Fourier_transform()
    {
        float[] x = Sample.Floats(512, 3);
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<float>(512);
        _program.Run("fft256", 1, 256, input, output);
        var expected = Enumerable.Range(0, 256).SelectMany(k =>
        {
            Complex sum = Enumerable.Range(0, 256).Aggregate(Complex.Zero, (s, n) => s + new Complex(x[2 * n], x[2 * n + 1]) * Complex.FromPolarCoordinates(1, -2 * Math.PI * k * n / 256));
            return new[] { sum.Real, sum.Imaginary };
        });
        Sample.Close(expected, _program.Read<float>(output), 1e-4);
    }

    [Fact]
    public void Sparse_product()
    {
        const int Rows = 50;
        var random = new Random(4);
        int[] starts = new int[Rows + 1];
        for (int i = 0; i < Rows; i++) starts[i + 1] = starts[i] + random.Next(80);
        int[] columns = [.. Enumerable.Range(0, starts[Rows]).Select(_ => random.Next(Rows))];
        float[] values = Sample.Floats(columns.Length, 5), x = Sample.Floats(Rows, 6);
        using DeviceMemory ds = _program.Upload(starts), dc = _program.Upload(columns), dv = _program.Upload(values), dx = _program.Upload(x), dy = _program.Zeros<float>(Rows);
        _program.Run("sparse_product", 13, 128, ds, dc, dv, dx, dy, Rows);
        Sample.Close(Enumerable.Range(0, Rows).Select(i => Enumerable.Range(starts[i], starts[i + 1] - starts[i]).Sum(j => (double)values[j] * x[columns[j]])), _program.Read<float>(dy), 1e-5);
    }

    [Fact]
    public void Threads_of_a_warp_take_a_lock_in_turn()
    {
        using DeviceMemory held = _program.Zeros<int>(1), counter = _program.Zeros<int>(1);
        _program.Run("locks", 4, 96, held, counter);
        Assert.Equal((0, 4 * 96 * 3), (_program.Read<int>(held)[0], _program.Read<int>(counter)[0]));
    }

    [Fact]
    public void Random_numbers_of_Philox()
    {
        using DeviceMemory output = _program.Zeros<uint>(256);
        _program.Run("philox", 2, 32, output, 1234u);
        Assert.Equal(Enumerable.Range(0, 64).SelectMany(i => Philox((uint)i % 32, (uint)i / 32, 1234, 77)), _program.Read<uint>(output));
    }

    [Fact]
    public void Structures_by_value()
    {
        float[] c = Sample.Floats(7, 7), x = Sample.Floats(32, 8), d = Sample.Floats(9, 9);
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<float>(32);
        static KernelArgument Pack(float[] values) => KernelArgument.OfBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
        _program.Run("by_value", 1, 32, Pack(c), input, output, 3);
        Sample.Close(x.Select((v, i) => c.Select((w, k) => w * Math.Pow(v, k)).Sum() + c[(i + 3) % 7]), _program.Read<float>(output), 1e-6);
        _program.Run("grid_constant", 1, 32, Pack(d), output);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => d[i % 9]), _program.Read<float>(output));
    }

    [Fact]
    public void A_failed_assertion_is_told_with_its_text_and_place()
    {
        using DeviceMemory good = _program.Upload(Enumerable.Range(0, 32).Select(i => i % 5).ToArray()), bad = _program.Upload(Enumerable.Range(0, 32).Select(i => i == 19 ? 5 : 0).ToArray());
        _program.Run("asserts", 1, 32, good);
        string message = Assert.Throws<DeviceException>(() => _program.Run("asserts", 1, 32, bad)).Message;
        Assert.Contains("thread (19, 0, 0): assertion 'x[threadIdx.x] < 5 && \"small numbers only\"' failed at algorithms.cu:", message);
        Assert.Contains("in void asserts(const int *)", message);
    }

    private static uint[] Philox(uint c0, uint c1, uint k0, uint k1)
    {
        uint[] c = [c0, c1, 0, 0];
        for (int round = 0; round < 10; round++)
        {
            ulong first = 0xD2511F53UL * c[0], second = 0xCD9E8D57UL * c[2];
            c = [(uint)(second >> 32) ^ c[1] ^ k0, (uint)second, (uint)(first >> 32) ^ c[3] ^ k1, (uint)first];
            (k0, k1) = (k0 + 0x9E3779B9, k1 + 0xBB67AE85);
        }
        return c;
    }
}
