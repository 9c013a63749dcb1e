using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Cooperative groups, optimised and not: without inlining every operation is a chain of calls.</summary>
public sealed class GroupTests
{
    [Theory]
    [InlineData("groups")]
    [InlineData("groups.O0")]
    public void Tiles_reduce_scan_and_shuffle(string file)
    {
        using var program = new CudaProgram(file);
        const int Count = 250, Threads = 256;
        int[] x = Sample.Integers(Count, 1, -100, 100);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<int>(4 * Threads);
        program.Run("group_sums", 2, 128, input, output, Count);
        int At(int i) => i < Count ? x[i] : 0;
        Assert.Equal(Enumerable.Range(0, Threads).SelectMany(i =>
        {
            int first = i / 16 * 16;
            int[] tile = [.. Enumerable.Range(first, 16).Select(At)];
            return new[] { tile.Sum(), tile.Max(), tile[..(i - first)].Sum(), At(i / 8 * 8) + (i / 8 & 1) };
        }), program.Read<int>(output));
    }

    [Theory]
    [InlineData("groups")]
    [InlineData("groups.O0")]
    public void Threads_that_are_together_take_places_at_once(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = Sample.Integers(128, 2, 0, 1000);
        using DeviceMemory input = program.Upload(x), counter = program.Zeros<int>(1), output = program.Zeros<int>(128);
        program.Run("coalesced", 1, 128, input, counter, output);
        int[] odd = [.. x.Where(v => (v & 1) != 0)];
        Assert.Equal(odd.Length, program.Read<int>(counter)[0]);
        Assert.Equal(odd.Order(), program.Read<int>(output)[..odd.Length].Order());
    }

    [Theory]
    [InlineData("groups")]
    [InlineData("groups.O0")]
    public void Tiles_of_a_warp_vote_each_for_itself(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = Sample.Integers(64, 4, -100, 100);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<int>(64);
        program.Run("tile_votes", 1, 64, input, output);
        Assert.Equal(x.Select((_, t) =>
        {
            int[] tile = x[(t / 4 * 4)..(t / 4 * 4 + 4)];
            return (tile.Any(v => v > 50) ? 1 : 0) + (tile.All(v => v > -90) ? 2 : 0) + 4 * tile.Select((v, k) => (v & 1) << k).Sum() + 1000 * tile.Min();
        }), program.Read<int>(output));
    }

    [Theory]
    [InlineData("groups")]
    [InlineData("groups.O0")]
    public void Tiles_of_two_warps(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = Sample.Integers(128, 5, -100, 100);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<int>(128);
        program.Run("wide_tile", 1, 128, input, output);
        Assert.Equal(x.Select((_, t) => x[(t / 64 * 64)..(t / 64 * 64 + 64)].Sum() + x[t / 64 * 64 + 40]), program.Read<int>(output));
    }

    [Theory]
    [InlineData("groups")]
    [InlineData("groups.O0")]
    public void A_tile_parts_in_two_by_a_predicate(string file)
    {
        using var program = new CudaProgram(file);
        float[] x = Sample.Floats(128, 3);
        using DeviceMemory input = program.Upload(x), output = program.Zeros<float>(256);
        program.Run("float_reduce", 2, 64, input, output);
        Sample.Close(Enumerable.Range(0, 128).SelectMany(i =>
        {
            var warp = Enumerable.Range(i / 32 * 32, 32);
            bool third = i % 64 % 3 == 0;
            return new[] { warp.Sum(j => (double)x[j]), warp.Where(j => j % 64 % 3 == 0 == third).Sum(j => (double)x[j]) };
        }), program.Read<float>(output), 1e-5);
    }
}
