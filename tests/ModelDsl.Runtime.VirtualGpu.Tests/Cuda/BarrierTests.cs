using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Barriers that are objects in shared memory, and copies that go on while threads compute.</summary>
public sealed class BarrierTests
{
    /// <summary>On a newer GPU the same source waits in hardware and copies in bulk.</summary>
    public static TheoryData<string> Files => ["barriers", "barriers.sm_90"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Phases_follow_each_other(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = Sample.Integers(128, 1, -100, 100);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<int>(128);
        program.Run("phases", 1, 128, input, output);
        Assert.Equal(Enumerable.Range(0, 128).Select(t => Enumerable.Range(0, 6).Sum(s => x[(t + 1 + s * 37) % 128] * (s + 1))), program.Read<int>(output));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Copies_run_ahead_in_a_pipeline(string file)
    {
        using var program = new CudaProgram(file);
        float[] x = Sample.Floats(128 * 9, 2);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<float>(128);
        program.Run("pipelined", 1, 128, input, output, 9);
        Sample.Close(Enumerable.Range(0, 128).Select(t => Enumerable.Range(0, 9).Sum(s => (double)x[128 * s + 127 - t])), program.Read<float>(output), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_group_copies_together(string file)
    {
        using var program = new CudaProgram(file);
        float[] x = Sample.Floats(64 * 4 * 3, 3);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<float>(192);
        program.Run("group_copy", 3, 64, input, output);
        Sample.Close(
            from b in Enumerable.Range(0, 3) from t in Enumerable.Range(0, 64) select Enumerable.Range(0, 4).Sum(c => (c + 1.0) * x[(b * 64 + 63 - t) * 4 + c]),
            program.Read<float>(output), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_barrier_waits_for_copies(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = Sample.Integers(768, 4, -1000, 1000);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<int>(768);
        program.Run("barrier_copy", 1, 256, input, output);
        Assert.Equal(from k in Enumerable.Range(0, 3) from t in Enumerable.Range(0, 256) select x[256 * k + (t ^ 5)] + x[256 * k + 255 - t], program.Read<int>(output));
    }
}
