using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// What a training graph keeps, block by block: what the forward leaves in the formats of the policy's cache, what gradients of inputs leave for
/// those of weights (FP8 where only FP8 products read it), and what lives within a half for a while.
/// </summary>
internal sealed class GraphMemory
{
    private const double Fp32 = 4;

    private readonly ModelSpec _model;
    private readonly RankRows _rows;
    private readonly double _wide;
    private readonly Dictionary<int, SavedValue> _saved;
    private readonly HashSet<int> _deferred;
    private readonly Dictionary<int, List<Op>> _readers = [];
    private readonly OpCosts _costs;

    public GraphMemory(TrainingGraph graph, RankRows rows)
    {
        (_model, _rows, _costs) = (graph.Model, rows, new OpCosts(graph.Precision, rows.Own));
        _wide = graph.Precision.Gemm.Format == NumberFormat.Fp32 ? Fp32 : 2;
        _saved = graph.Saved.ToDictionary(value => value.Value.Id);
        _deferred = [.. graph.Deferred.Select(value => value.Value.Id)];
        foreach (var op in graph.Graph.Ops)
            foreach (var operand in op.Operands)
                if (operand is Temporary read)
                {
                    if (!_readers.TryGetValue(read.Id, out var readers)) _readers.Add(read.Id, readers = []);
                    readers.Add(op);
                }
    }

    public BlockMemory Of(ImmutableArray<Op> ops)
    {
        var (saved, pinned, logits) = (default(RankBytes), default(RankBytes), default(RankBytes));
        foreach (var value in ops.SelectMany(op => op.Results).OfType<Temporary>())
            if (_saved.TryGetValue(value.Id, out var kept))
            {
                var bytes = Bytes(value, kept.Bytes(_rows.Own));
                if (IsLogits(value)) logits += bytes;
                else saved += bytes;
                if (kept.Last == Work.WeightGradient) pinned += bytes;
            }
            else if (_deferred.Contains(value.Id))
            {
                pinned += Bytes(value, Elements(value) * (IsForFp8(value) ? FormatBytes.Of(NumberFormat.E4M3) : Width(value)));
            }
        return new BlockMemory(
            saved, pinned, logits, Working([.. ops.Where(op => op.Work == Work.Forward)]), Working([.. ops.Where(op => op.Work != Work.Forward)]));
    }

    /// <summary>The most that lives between ops of a row, what is saved and logits apart.</summary>
    private RankBytes Working(ImmutableArray<Op> ops)
    {
        var last = new Dictionary<int, int>();
        for (var i = 0; i < ops.Length; i++)
            foreach (var operand in ops[i].Operands)
                if (operand is Temporary read)
                    last[read.Id] = i;
        var ends = new RankBytes[ops.Length];
        var (live, peak) = (default(RankBytes), default(RankBytes));
        for (var i = 0; i < ops.Length; i++)
        {
            foreach (var value in ops[i].Results.OfType<Temporary>())
            {
                // Gradients of weights are added to their sums where they are made.
                if (_saved.ContainsKey(value.Id) || IsLogits(value) || value.Type.Rank == 0 || value.Type.Rows.Constant is not null) continue;
                if (!last.TryGetValue(value.Id, out var end)) continue;
                var bytes = Bytes(value, Elements(value) * Width(value));
                live += bytes;
                ends[end] += bytes;
            }
            if (live.On(1) > peak.On(1)) peak = live;
            live -= ends[i];
        }
        return peak;
    }

    private bool IsForFp8(Temporary value) => _readers[value.Id].Where(op => op.Work == Work.WeightGradient).All(_costs.IsFp8);

    private bool IsLogits(Temporary value) => value.Type.Rank == 2 && value.Type.Rows.Constant is null && value.Type.Width == _model.Vocabulary;

    private RankBytes Bytes(Temporary value, double bytes) => _rows.IsRouted(value) ? new RankBytes(0, bytes) : new RankBytes(bytes, 0);

    private double Width(Temporary value) => value.Type.Type == DType.I32 || value.Type.Rank < 2 || IsLogits(value) ? Fp32 : _wide;

    private double Elements(Temporary value) => _rows.Elements(value);
}
