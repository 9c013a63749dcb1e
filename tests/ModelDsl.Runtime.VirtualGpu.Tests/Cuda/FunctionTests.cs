using System.Numerics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Recursion, pointers to functions, virtual functions, structures by value, jump tables; optimised and not.</summary>
public sealed class FunctionTests
{
    public static TheoryData<string> Files => ["functions", "functions.O0"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Recursion(string file)
    {
        using var program = new CudaProgram(file);
        static long Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2);
        Assert.Equal(Enumerable.Range(0, 64).Select(t => Fib(t % 15)), Map<long>(program, "fibonacci", 64));
        static int Ackermann(int m, int n) => m == 0 ? n + 1 : n == 0 ? Ackermann(m - 1, 1) : Ackermann(m - 1, Ackermann(m, n - 1));
        Assert.Equal(Enumerable.Range(0, 32).Select(t => Ackermann(t % 3, t / 3)), Map<int>(program, "ack", 32));
        Assert.Equal(Enumerable.Range(0, 64).Select(t => t % 2 == 0 ? 1 : 2), Map<int>(program, "parity", 64));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Recursion_with_pointers_to_the_callers_variables(string file)
    {
        using var program = new CudaProgram(file);
        static int Digits(int n, int[] path, int depth, int sum)
        {
            int[] local = [.. path.Select(p => p * 10 + n % 10)];
            return depth == 0 ? sum + local.Select((l, i) => l * (i + 1)).Sum() : Digits(n / 10, local, depth - 1, sum) + local[depth & 3];
        }
        Assert.Equal(Enumerable.Range(0, 64).Select(t => Digits(t * 37, [1, 2, 3, 4], t % 5, 0)), Map<int>(program, "locals", 64));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Quicksort(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = Sample.Integers(64 * 50, 1);
        using DeviceMemory data = program.Upload(x);
        program.Run("quicksort", 1, 64, data, 50);
        Assert.Equal(x.Chunk(50).SelectMany(row => row.Order()), program.Read<int>(data));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Pointers_to_functions_and_virtual_functions(string file)
    {
        using var program = new CudaProgram(file);
        float[] a = Sample.Floats(64, 1), b = Sample.Floats(64, 2);
        using DeviceMemory da = program.Upload(a), db = program.Upload(b), output = program.Zeros<float>(64);
        program.Run("by_pointer", 1, 64, da, db, output);
        Assert.Equal(a.Select((x, i) => i % 3 == 0 ? x + b[i] : i % 3 == 1 ? x - b[i] : x * b[i]), program.Read<float>(output));
        program.Run("virtuals", 1, 64, da, output);
        Sample.Close(a.Select((x, i) => i % 2 != 0 ? 5.0 * x * x : 3 * 3.14159265 * x * x), program.Read<float>(output), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Structures_by_value(string file)
    {
        using var program = new CudaProgram(file);
        byte[] pair = [.. BitConverter.GetBytes(7), 0, 0, 0, 0, .. BitConverter.GetBytes(2.5), 1, 2, 3, 4, 5, 0, 0, 0];
        using DeviceMemory output = program.Zeros<double>(96);
        program.Run("structs", 1, 32, KernelArgument.OfBytes(pair), output);
        Assert.Equal(Enumerable.Range(0, 32).SelectMany(t => new[] { 7.0 + t, 2.5 * t * 0.5, (1 ^ 4) + 256.0 * (5 ^ t) }), program.Read<double>(output));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Jump_tables(string file)
    {
        using var program = new CudaProgram(file);
        int[] x = [.. Enumerable.Range(0, 64).Select(i => i % 16 - 2)];
        using DeviceMemory input = program.Upload(x), output = program.Zeros<int>(64);
        program.Run("table", 1, 64, input, output);
        static int Case(int v) => v switch
        {
            0 => 1, 1 => BitOperations.PopCount(12346u), 2 => 1024, 3 => ~3, 4 => 64, 5 => 29, 6 => 0x60000000, 7 => 101, 8 => -6,
            9 => BitOperations.TrailingZeroCount(9 * 1024) + 1, 10 => 0x00780000, 11 => -11, _ => 1000 + v,
        };
        Assert.Equal(x.Select(Case), program.Read<int>(output));
    }

    private static T[] Map<T>(CudaProgram program, string kernel, int threads)
        where T : unmanaged
    {
        using DeviceMemory output = program.Zeros<T>(threads);
        program.Run(kernel, 1, threads, output);
        return program.Read<T>(output);
    }
}
