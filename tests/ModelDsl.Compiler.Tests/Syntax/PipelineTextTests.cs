using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Tests.Syntax;

public class PipelineTextTests
{
    [Fact]
    public void PassesWithOptions()
    {
        var passes = PipelineText.TryParse("fuse, place-precision(policy=fp8, tile=128) ,select-kernels()", out var error);
        Assert.Null(error);
        Assert.Equal(["fuse", "place-precision", "select-kernels"], passes!.Value.Select(p => p.Name));
        Assert.Equal([new PassOption("policy", "fp8"), new PassOption("tile", "128")], passes.Value[1].Options.AsEnumerable());
        Assert.Empty(passes.Value[2].Options);
    }

    [Fact]
    public void NothingIsNoPass() => Assert.Empty(PipelineText.TryParse("  ", out _)!.Value);

    [Theory]
    [InlineData("fuse,", 5)]
    [InlineData("fuse(policy)", 5)]
    [InlineData("fuse place", 6)]
    public void SaysWhereItStops(string text, int column)
    {
        Assert.Null(PipelineText.TryParse(text, out var error));
        Assert.StartsWith($"character {column} of", error);
    }
}
