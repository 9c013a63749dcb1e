using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Conformance.Tests;

/// <summary>Every row of the table on the virtual GPU.</summary>
public sealed class RowTests(RowTests.Device device) : IClassFixture<RowTests.Device>
{
    private static readonly Dictionary<string, Row> Rows = Table.Rows.ToDictionary(row => row.Name);

    public static TheoryData<string> Names => new(Rows.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void TheVirtualGpuConforms(string row)
    {
        var data = Rows[row].Case();
        var outcome = Outcome.Of(data, Runner.Run(device.Virtual, Rows[row], data));
        Assert.True(outcome.Passed, outcome.Text(data.Bound));
        Assert.InRange(outcome.Worst, 0, 1);
    }

    public sealed class Device : IDisposable
    {
        public VirtualDevice Virtual { get; } = new();

        public void Dispose() => Virtual.Dispose();
    }
}
