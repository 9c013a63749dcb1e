using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Overlap;

namespace ModelDsl.Simulation.Time;

/// <summary>How long a block takes for a micro-batch.</summary>
/// <param name="Alone">Its exchanges have the network for themselves.</param>
/// <param name="Beside">They run while other multiprocessors compute.</param>
public sealed record BlockTimes(LayerTimes Alone, LayerTimes Beside);

/// <summary>
/// Times of blocks on a layout. Kernels are made for the multiprocessors that communication leaves (in DeepSeek's trace all products have
/// 112 blocks), so they take as long when nothing communicates.
/// </summary>
public sealed class BlockTimer
{
    private readonly TrainSpec _train;
    private readonly Roofline _roofline;
    private readonly RoutingLoad _routing;
    private readonly LayerTimes? _measured;
    private readonly Dictionary<BlockWork, BlockTimes> _known = new(ReferenceEqualityComparer.Instance);

    /// <param name="measured">Of an MoE layer beside another's backward; null: all of them are planned.</param>
    public BlockTimer(TrainSpec train, EfficiencyTable efficiencies, RoutingLoad routing, LayerTimes? measured)
    {
        (_train, _routing, _measured) = (train, routing, measured);
        _roofline = new Roofline(
            train.Cluster.Gpu, train.Parallel.Tensor <= train.Cluster.Node.Gpus ? train.Cluster.Node.NvlinkBytesPerSecond : AllToAll.NicRate(train.Cluster),
            Math.Max(1, train.Cluster.Gpu.Multiprocessors - train.Schedule.CommSms), efficiencies);
    }

    public Roofline Roofline => _roofline;

    /// <summary>Communication has multiprocessors of its own.</summary>
    public bool SideBySide => _train.Schedule.CommSms > 0;

    public BlockTimes Of(BlockWork block)
    {
        if (_known.TryGetValue(block, out var known)) return known;
        return _known[block] = Time(block);
    }

    /// <summary>Of all kernels of a layer, whatever else runs.</summary>
    public double Compute(BlockWork block) => Of(block).Alone.Compute;

    private BlockTimes Time(BlockWork block)
    {
        var exchange = AllToAll.Of(_train, block.Moe, _routing, _roofline.Efficiencies);
        var alone = Planned(block, exchange, beside: false);
        if (block.Kind != BlockKind.Moe || _measured is null) return new BlockTimes(alone, Planned(block, exchange, beside: true));
        // Measured beside compute: with the network for themselves, exchanges take no longer than planned.
        return new BlockTimes(
            _measured with
            {
                DispatchForward = Math.Min(_measured.DispatchForward, alone.DispatchForward),
                DispatchBackward = Math.Min(_measured.DispatchBackward, alone.DispatchBackward),
                CombineForward = Math.Min(_measured.CombineForward, alone.CombineForward),
                CombineBackward = Math.Min(_measured.CombineBackward, alone.CombineBackward),
            }, _measured);
    }

    private LayerTimes Planned(BlockWork block, AllToAll? exchange, bool beside)
    {
        var load = exchange?.RankLoad ?? 1;
        var (attention, feedForward) = (block.Attention, block.FeedForward);
        double Seconds(ImmutableArray<KernelWork> kernels) => _roofline.Seconds(kernels, _train.Schedule.MicroBatchSize, load, _train.Parallel.Expert);
        double Exchanged(Exchange? hop) => hop is null ? 0 : beside ? hop.SecondsBesideCompute : hop.Seconds;
        // What the forward dispatches comes back as gradients the way results do, and the other way round.
        var (dispatch, combine) = (Exchanged(exchange?.Dispatch), Exchanged(exchange?.Combine));
        return new LayerTimes(
            Seconds(attention.Forward), Seconds(feedForward.Forward), Seconds(feedForward.BackwardInput),
            Seconds(feedForward.BackwardWeight), Seconds(attention.BackwardInput), Seconds(attention.BackwardWeight),
            dispatch, combine, combine, dispatch);
    }
}
