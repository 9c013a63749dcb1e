using System.Collections.Immutable;

namespace ModelDsl.Simulation.Overlap;

public enum Lane
{
    Compute,
    Communication,
}

/// <summary>Something that ran on a lane, seconds from the pair's start.</summary>
/// <param name="Layer">Counted from the pair's first; the backward's run from its last layer.</param>
/// <param name="Waited">Seconds for which the lane stood still before it.</param>
public sealed record Segment(Lane Lane, string Name, int Layer, double Start, double End, double Waited);

/// <summary>
/// A chunk of layers forward beside a chunk backward, on two lanes: some multiprocessors compute, the others move tokens. Each lane works its
/// ops off in the order they are issued, and an op waits for what it reads.
/// </summary>
/// <param name="Span">Until both lanes are done.</param>
/// <param name="Hidden">Seconds of communication while the other lane computes.</param>
public sealed record ChunkPair(ImmutableArray<Segment> Segments, double Span, double Compute, double Communication, double Hidden)
{
    /// <summary>Of the communication; 1 where there is none.</summary>
    public double HiddenFraction => Communication == 0 ? 1 : Hidden / Communication;

    /// <summary>Combine(B), attn(F), mlp(B), dispatch(F), dispatch(B), mlp(W), mlp(F), attn(B), attn(W), combine(F): the order in DeepSeek's trace.</summary>
    /// <param name="forward">First layer first.</param>
    /// <param name="backward">First layer first, too; it is worked off from the last.</param>
    /// <param name="sideBySide">Communication has multiprocessors of its own; otherwise one lane waits for the other.</param>
    public static ChunkPair Of(IReadOnlyList<LayerTimes> forward, IReadOnlyList<LayerTimes> backward, bool sideBySide = true)
    {
        var lanes = new Lanes(sideBySide);
        double stream = 0, gradient = 0;
        for (var i = 0; i < Math.Max(forward.Count, backward.Count); i++)
        {
            var f = i < forward.Count ? forward[i] : null;
            var b = i < backward.Count ? backward[backward.Count - 1 - i] : null;
            double combined = gradient, attended = stream, mlpBackward = gradient, dispatched = stream, returned = gradient;
            if (b is not null) combined = lanes.Put(Lane.Communication, "combine B", i, b.CombineBackward, gradient);
            if (f is not null) attended = lanes.Put(Lane.Compute, "attn F", i, f.AttentionForward, stream);
            if (b is not null) mlpBackward = lanes.Put(Lane.Compute, "mlp B", i, b.MlpBackward, combined);
            if (f is not null) dispatched = lanes.Put(Lane.Communication, "dispatch F", i, f.DispatchForward, attended);
            if (b is not null) returned = lanes.Put(Lane.Communication, "dispatch B", i, b.DispatchBackward, mlpBackward);
            if (b is not null) lanes.Put(Lane.Compute, "mlp W", i, b.MlpWeight, mlpBackward);
            var fed = f is null ? stream : lanes.Put(Lane.Compute, "mlp F", i, f.MlpForward, dispatched);
            if (b is not null)
            {
                gradient = lanes.Put(Lane.Compute, "attn B", i, b.AttentionBackward, returned);
                lanes.Put(Lane.Compute, "attn W", i, b.AttentionWeight, gradient);
            }
            if (f is not null) stream = lanes.Put(Lane.Communication, "combine F", i, f.CombineForward, fed);
        }
        return lanes.Done();
    }

    private sealed class Lanes(bool sideBySide)
    {
        private readonly List<Segment> _segments = [];
        private readonly double[] _free = new double[2];
        private double _compute;
        private double _communication;

        /// <returns>When it ends, or when its input is there if it takes no time at all.</returns>
        public double Put(Lane lane, string name, int layer, double seconds, double ready)
        {
            if (seconds <= 0) return ready;
            var start = Math.Max(sideBySide ? _free[(int)lane] : Math.Max(_free[0], _free[1]), ready);
            var waited = start - _free[(int)lane];
            _free[(int)lane] = start + seconds;
            if (lane == Lane.Compute) _compute += seconds;
            else _communication += seconds;
            _segments.Add(new Segment(lane, name, layer, start, start + seconds, waited));
            return start + seconds;
        }

        public ChunkPair Done() => new([.. _segments], Math.Max(_free[0], _free[1]), _compute, _communication, Overlap());

        /// <summary>Both lists are sorted and have no overlaps of their own.</summary>
        private double Overlap()
        {
            var compute = _segments.Where(segment => segment.Lane == Lane.Compute).ToArray();
            var (hidden, next) = (0.0, 0);
            foreach (var transfer in _segments)
            {
                if (transfer.Lane == Lane.Compute) continue;
                while (next < compute.Length && compute[next].End <= transfer.Start) next++;
                for (var i = next; i < compute.Length && compute[i].Start < transfer.End; i++)
                    hidden += Math.Max(0, Math.Min(compute[i].End, transfer.End) - Math.Max(compute[i].Start, transfer.Start));
            }
            return hidden;
        }
    }
}
