using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>A kernel on a shape, and the least that it could take.</summary>
/// <param name="Operation">What is computed: <c>fp8 gemm</c>.</param>
/// <param name="Shape">On what, for people: <c>M 4096 N 7168 K 2048</c>.</param>
/// <param name="Bytes">Of global memory that have to be read or written, each once.</param>
internal sealed record BenchCase(string Operation, string Shape, Kernel Kernel, double Bytes)
{
    /// <summary>Values of the symbols that geometry and tensor maps depend on; <see cref="DimSymbol.Rows"/> is also what parameters for numbers get.</summary>
    public required IReadOnlyDictionary<DimSymbol, long> Sizes { get; init; }

    /// <summary>What is behind addresses, by parameter; a tensor map that is not listed has as much as it covers.</summary>
    public IReadOnlyDictionary<string, BenchBuffer> Buffers { get; init; } = new Dictionary<string, BenchBuffer>();

    /// <summary>Parameters that are numbers, where they are not the rows.</summary>
    public IReadOnlyDictionary<string, int> Numbers { get; init; } = new Dictionary<string, int>();

    /// <summary>Of the tensor cores; 0 where there is nothing for them.</summary>
    public double Flops { get; init; }

    /// <summary>The type that the tensor cores multiply.</summary>
    public DType Multiplies { get; init; } = DType.F32;

    public static IReadOnlyDictionary<DimSymbol, long> Rows(long rows) => new Dictionary<DimSymbol, long> { [DimSymbol.Rows] = rows };
}
