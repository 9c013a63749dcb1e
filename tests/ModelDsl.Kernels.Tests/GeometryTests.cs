using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Kernels.Tests;

/// <summary>Grids in the sizes of a launch.</summary>
public sealed class GeometryTests
{
    [Fact]
    public void RowsAreWhateverTheLaunchPasses()
    {
        var geometry = new SwiGluKernel(2048, 2048, 4096, DType.BF16, ScaleRounding.Exact).Geometry;
        Assert.Equal("R x 2", $"{geometry.GridX} x {geometry.GridY}");
        Assert.Equal(Dim.Tokens * 8, geometry.For(Dim.Tokens * 8).GridX);
        Assert.Equal(1, geometry.For(Dim.Tokens - Dim.Tokens + 1).GridX.Constant);
    }

    [Fact]
    public void SymbolsOfTheStepStay() =>
        Assert.Equal(Dim.Context, new CacheGatherKernel(512, 64, 64, DType.BF16, null).Geometry.For(Dim.Tokens).GridX);

    [Fact]
    public void SubstitutionReachesEveryForm()
    {
        var size = Dim.Min(Dim.Rows * 3, Dim.CeilDiv(Dim.Rows, 4) + Dim.Splits);
        Assert.Equal("min(T*24,(ceil(T*8/4)+P))", size.Substitute(DimSymbol.Rows, Dim.Tokens * 8).ToString());
        Assert.Equal(7, size.Substitute(DimSymbol.Rows, 9).Evaluate(symbol => symbol == DimSymbol.Splits ? 4 : throw new InvalidOperationException()));
    }
}
