using ModelDsl.Compiler.Graph;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>What the device itself reaches in the same run: the floors that kernels are compared with.</summary>
/// <param name="CopyBytes">Bytes read and written per microsecond by a large copy.</param>
/// <param name="Fp8">FLOPs per microsecond.</param>
/// <param name="BF16">FLOPs per microsecond.</param>
/// <param name="Launch">Microseconds of a kernel that does nothing, which every time has in it.</param>
internal sealed record Ceilings(double CopyBytes, double Fp8, double BF16, double Launch)
{
    private const long LargeCopy = 1L << 30;

    private const int Turns = 4096;

    public static Ceilings Measure(IDevice device, KernelTimer timer, int runs)
    {
        using var from = device.Allocate(LargeCopy);
        using var to = device.Allocate(LargeCopy);
        timer.Stream.Fill(from.Address, 0x5A, LargeCopy);
        var copy = timer.Measure(() => timer.Stream.Copy(from.Address, to.Address, LargeCopy), runs);
        return new Ceilings(2.0 * LargeCopy / copy.Median, Rate(DType.E4M3), Rate(DType.BF16), Time(new BenchCase("", "", new EmptyKernel(), 0) { Sizes = BenchCase.Rows(device.MultiprocessorCount) }));

        double Time(BenchCase work)
        {
            using var launch = new BenchLaunch(device, timer.Stream, work);
            return timer.Measure(launch.Launch, runs).Median;
        }

        double Rate(DType type)
        {
            var kernel = new MatrixRate(type, Turns);
            var blocks = device.MultiprocessorCount;
            var work = new BenchCase("matrix rate", "", kernel, 0) { Sizes = BenchCase.Rows(blocks), Buffers = new Dictionary<string, BenchBuffer> { ["out"] = new BenchBuffer.Normal(blocks * 256L) } };
            return blocks * kernel.FlopsOfBlock / Time(work);
        }
    }

    /// <summary>Microseconds that a copy of as many bytes takes, half of them read and half written, as a kernel is timed; null where tensor cores have work, too.</summary>
    public static double? CopyOf(BenchCase work, IDevice device, KernelTimer timer, int runs)
    {
        if (work.Flops > 0 || work.Bytes == 0) return null;
        var blocks = (long)Math.Ceiling(work.Bytes / 2 / CopyKernel.BytesOfBlock);
        BenchBuffer words = new BenchBuffer.Normal(blocks * CopyKernel.BytesOfBlock / sizeof(float));
        var copy = new BenchCase("", "", new CopyKernel(), work.Bytes) { Sizes = BenchCase.Rows(blocks), Buffers = new Dictionary<string, BenchBuffer> { ["from"] = words, ["to"] = words } };
        using var launch = new BenchLaunch(device, timer.Stream, copy);
        return timer.Measure(launch.Launch, runs).Median;
    }

    /// <summary>Microseconds below which the case cannot be, and what bounds it.</summary>
    public (double Microseconds, string Bound) Floor(BenchCase work)
    {
        var memory = work.Bytes / CopyBytes;
        var math = work.Multiplies switch { DType.E4M3 => work.Flops / Fp8, DType.BF16 => work.Flops / BF16, _ => 0 };
        return math > memory ? (math, "math") : (memory, "memory");
    }
}
