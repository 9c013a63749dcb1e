using ModelDsl.Simulation.Overlap;

namespace ModelDsl.Simulation.Tests;

/// <summary>The pair of DeepSeek's training profile: four layers forward beside four backward.</summary>
public class OverlapTests
{
    private const double Microsecond = 1e-6;

    /// <summary>Means of the trace. Of the weight gradients of the experts, 3540 us run on the main stream and 2839 us on another; together they take 5070.</summary>
    private static LayerTimes Published(double mlpWeight) => new(
        4370 * Microsecond, 4604 * Microsecond, 5306 * Microsecond, mlpWeight * Microsecond, 9341 * Microsecond, 2389 * Microsecond,
        6690 * Microsecond, 7487 * Microsecond, 8684 * Microsecond, 5769 * Microsecond);

    private static ChunkPair Pair(LayerTimes layer, int count) =>
        ChunkPair.Of(Enumerable.Repeat(layer, count).ToArray(), Enumerable.Repeat(layer, count).ToArray());

    [Theory]
    [InlineData(5070)]
    [InlineData(3540 + 2839)]
    public void The_published_layers_take_as_long_as_the_trace_and_hide_as_much(double mlpWeight)
    {
        var pair = Pair(Published(mlpWeight), 4);
        Assert.Equal(129.0e-3, pair.Span, 129.0e-3 * 0.03);
        Assert.InRange(pair.HiddenFraction, 0.96, 1);
        Assert.Equal(114.5e-3, pair.Communication, 0.1e-3);
    }

    /// <summary>Compute and communication of the trace, both as unions of its kernels.</summary>
    [Fact]
    public void Compute_is_that_of_the_trace() => Assert.Equal(124.3e-3, Pair(Published(5070), 4).Compute, 0.1e-3);

    [Fact]
    public void Lanes_issue_in_the_order_of_the_trace()
    {
        var pair = Pair(Published(5070), 2);
        string Of(Lane lane) => string.Join(", ", pair.Segments.Where(segment => segment.Lane == lane).Select(segment => $"{segment.Name} {segment.Layer}"));
        Assert.Equal(
            "attn F 0, mlp B 0, mlp W 0, mlp F 0, attn B 0, attn W 0, attn F 1, mlp B 1, mlp W 1, mlp F 1, attn B 1, attn W 1", Of(Lane.Compute));
        Assert.Equal("combine B 0, dispatch F 0, dispatch B 0, combine F 0, combine B 1, dispatch F 1, dispatch B 1, combine F 1", Of(Lane.Communication));
    }

    /// <summary>Who waits for whom, and that no lane does two things at a time.</summary>
    [Fact]
    public void Every_op_starts_behind_what_it_reads()
    {
        var pair = Pair(Published(5070), 3);
        Segment At(string name, int layer) => pair.Segments.Single(segment => segment.Name == name && segment.Layer == layer);
        for (var layer = 0; layer < 3; layer++)
        {
            foreach (var (first, then) in new[]
                     {
                         ("combine B", "mlp B"), ("attn F", "dispatch F"), ("dispatch F", "mlp F"), ("mlp F", "combine F"), ("mlp B", "dispatch B"),
                         ("dispatch B", "attn B"), ("mlp B", "mlp W"), ("attn B", "attn W"),
                     })
                Assert.True(At(first, layer).End <= At(then, layer).Start, $"{then} {layer} starts before {first}");
            if (layer == 0) continue;
            Assert.True(At("combine F", layer - 1).End <= At("attn F", layer).Start);
            Assert.True(At("attn B", layer - 1).End <= At("combine B", layer).Start);
        }
        foreach (var lane in pair.Segments.GroupBy(segment => segment.Lane))
            Assert.All(lane.Zip(lane.Skip(1)), both => Assert.True(both.First.End <= both.Second.Start));
    }

    /// <summary>By hand: combine B 4 beside attn F 1; mlp B 2, beside it dispatch F 2 from 4; dispatch B 3 from 6; mlp W 1, mlp F 1 till 8; attn B from 9.</summary>
    [Fact]
    public void Waits_are_those_found_by_hand()
    {
        var layer = new LayerTimes(1, 1, 2, 1, 2, 1, DispatchForward: 2, DispatchBackward: 3, CombineForward: 1, CombineBackward: 4);
        var pair = Pair(layer, 1);
        Assert.Equal((12.0, 8.0, 10.0), (pair.Span, pair.Compute, pair.Communication));
        Assert.Equal(3, pair.Segments.Single(segment => segment.Name == "mlp B").Waited);
        Assert.Equal(1, pair.Segments.Single(segment => segment.Name == "attn B").Waited);

        // One of four of combine B, both of dispatch F, two of dispatch B, combine F.
        Assert.Equal(6, pair.Hidden);
    }

    [Fact]
    public void Without_multiprocessors_of_its_own_communication_hides_nowhere()
    {
        var layers = Enumerable.Repeat(Published(5070), 4).ToArray();
        var pair = ChunkPair.Of(layers, layers, sideBySide: false);
        Assert.Equal(pair.Compute + pair.Communication, pair.Span, 1e-9);
        Assert.Equal(0, pair.HiddenFraction);
    }

    [Fact]
    public void A_longer_half_runs_on_alone()
    {
        var layer = new LayerTimes(1, 1, 1, 1, 1, 1, 0, 0, 0, 0);
        Assert.Equal((10.0, 1.0), (ChunkPair.Of([layer, layer, layer], [layer]).Span, ChunkPair.Of([layer], [layer]).HiddenFraction));
    }
}
