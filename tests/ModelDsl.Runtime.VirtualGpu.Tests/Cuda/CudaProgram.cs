using ModelDsl.Runtime.Devices;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>PTX that nvcc 12.4 has made of the <c>.cu</c> file beside it, and a virtual GPU to run its kernels on, with all checks: what nvcc makes of sound programs is sound.</summary>
internal sealed class CudaProgram : IDisposable
{
    private readonly TestGpu _gpu = new(workers: 2, VirtualGpuChecks.All);
    private readonly IModule _module;

    /// <param name="name">The file's name without its ending.</param>
    public CudaProgram(string name) => _module = _gpu.Device.LoadModule(File.ReadAllBytes(PathTo(name + ".ptx")));

    public static string PathTo(string file) => Repository.PathTo("tests", "ModelDsl.Runtime.VirtualGpu.Tests", "Cuda", file);

    public DeviceMemory Upload<T>(params T[] values)
        where T : unmanaged => _gpu.Upload<T>(values);

    public DeviceMemory Zeros<T>(int count)
        where T : unmanaged => _gpu.Upload<T>(new T[count]);

    public T[] Read<T>(DeviceMemory memory)
        where T : unmanaged => _gpu.Download<T>(memory);

    public void Run(string kernel, Dim3 grid, Dim3 block, params KernelArgument[] arguments) => RunShared(kernel, grid, block, 0, arguments);

    public void RunShared(string kernel, Dim3 grid, Dim3 block, int sharedBytes, params KernelArgument[] arguments)
    {
        _gpu.Launch(_module.GetKernel(kernel), grid, block, sharedBytes, arguments);
        Assert.True(_gpu.Device.Findings.Count == 0, string.Join("\n", _gpu.Device.Findings));
    }

    public void Dispose() => _gpu.Dispose();
}

/// <summary>Inputs and comparisons.</summary>
internal static class Sample
{
    public static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }

    public static int[] Integers(int count, int seed, int low = int.MinValue, int high = int.MaxValue)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (int)random.NextInt64(low, (long)high + 1))];
    }

    public static uint[] Words(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (uint)random.NextInt64(1L << 32))];
    }

    /// <summary>All within a part of the expected value, or of one where that is smaller.</summary>
    public static void Close(IEnumerable<double> expected, IEnumerable<double> actual, double tolerance)
    {
        var (wanted, got) = (expected.ToArray(), actual.ToArray());
        Assert.Equal(wanted.Length, got.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            if (double.IsNaN(wanted[i]) && double.IsNaN(got[i])) continue;
            Assert.True(Math.Abs(wanted[i] - got[i]) <= tolerance * Math.Max(1, Math.Abs(wanted[i])), $"element {i}: {got[i]:R}, expected {wanted[i]:R}");
        }
    }

    public static void Close(IEnumerable<double> expected, IEnumerable<float> actual, double tolerance) => Close(expected, actual.Select(x => (double)x), tolerance);
}
