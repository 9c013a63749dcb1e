using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Tests.Syntax;

public class QuantitiesTests
{
    [Theory]
    [InlineData("7168", 7168)]
    [InlineData("129_280", 129280)]
    [InlineData("1e-6", 1e-6)]
    [InlineData("2.2e-4", 2.2e-4)]
    [InlineData("14.8T", 14.8e12)]
    [InlineData("469B", 469e9)]
    [InlineData("64Ki", 65536)]
    [InlineData("95 %", 0.95)]
    [InlineData("95%", 0.95)]
    public void Numbers(string text, double value)
    {
        var quantity = Quantities.TryParse(text, out _);
        Assert.Equal(Dimension.None, quantity!.Value.Dimension);
        Assert.Equal(value, quantity.Value.Value, value * 1e-15);
    }

    public static TheoryData<string, double, Dimension> Measured { get; } = new()
    {
        { "160 GB/s", 160e9, Dimension.BytePerSecond },
        { "400 Gb/s", 50e9, Dimension.BytePerSecond },
        { "80 GB", 80e9, Dimension.Byte },
        { "80GB", 80e9, Dimension.Byte },
        { "80 GiB", 85899345920, Dimension.Byte },
        { "80 B", 80, Dimension.Byte },
        { "3.3 us", 3.3e-6, Dimension.Second },
        { "10 min", 600, Dimension.Second },
        { "4096 tokens", 4096, Dimension.Token },
        { "14.8T tokens", 14.8e12, Dimension.Token },
        { "2 $/gpu_hour", 2 / 3600.0, Dimension.DollarPerGpuSecond },
        { "40 nodes", 40, Dimension.Node },
    };

    [Theory]
    [MemberData(nameof(Measured))]
    public void Units(string text, double value, Dimension dimension)
    {
        var quantity = Quantities.TryParse(text, out _);
        Assert.Equal(dimension, quantity!.Value.Dimension);
        Assert.Equal(value, quantity.Value.Value, value * 1e-15);
    }

    [Theory]
    [InlineData("", QuantityFault.Malformed, "")]
    [InlineData("x", QuantityFault.Malformed, "x")]
    [InlineData("5 Gbit/s", QuantityFault.UnknownUnit, "Gbit/s")]
    [InlineData("5 GB/s/s", QuantityFault.UnknownUnit, "GB/s/s")]
    [InlineData("5X tokens", QuantityFault.UnknownSuffix, "X")]
    [InlineData("1e999", QuantityFault.TooLarge, "1e999")]
    public void Faults(string text, QuantityFault fault, string at)
    {
        Assert.Null(Quantities.TryParse(text, out var problem));
        Assert.Equal(new QuantityProblem(fault, at), problem);
    }
}
