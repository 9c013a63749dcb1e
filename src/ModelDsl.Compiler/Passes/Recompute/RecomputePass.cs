using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.Recompute;

/// <summary>What is cheap to make again is not kept: the backward pass makes it from what it was made of.</summary>
public sealed class RecomputePass
{
    public static Pass Declaration { get; } = new(
        "recompute",
        "Makes again in the backward pass what the forward pass need not keep",
        "Follows the precision policy's cache.recompute: norm (all RMSNorms), mla_up (the projections from the latents of attention to "
        + "its heads, and their rotation), swiglu. Ops of the backward pass that read results of these read copies, made just before. "
        + "Each half makes its own, so that nothing but gradients waits for a weight half that runs later. Where the schedule never "
        + "separates the halves, the weight half takes the copies of the input half if there are any.",
        [],
        (graph, context) => Run(graph, Recomputation.Of(context.Precision), share: context.Layout is { SplitsBackward: false }));

    private readonly Recomputation _what;
    private readonly bool _share;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<int, Op> _makers = [];
    private readonly Dictionary<(int Id, Work Work), Value> _again = [];

    private RecomputePass(ModelGraph graph, Recomputation what, bool share)
    {
        _what = what;
        _share = share;
        _builder = new GraphBuilder(graph.Phase, graph.NextId);
    }

    internal static ModelGraph Run(ModelGraph graph, Recomputation what, bool share = false)
    {
        if (what.IsEmpty) return graph;
        var pass = new RecomputePass(graph, what, share);
        foreach (var op in graph.Ops) pass.Visit(op);
        foreach (var output in graph.Outputs) pass._builder.Output(output.Output, output.Value);
        foreach (var tap in graph.Taps) pass._builder.Tap(tap.Name, tap.Value);
        return pass._builder.Build();
    }

    private void Visit(Op op)
    {
        if (op.Work != Work.Forward)
        {
            _builder.Keep(op.Map(value => value is Temporary read ? Available(read, op) : value));
            return;
        }

        if (_what.Covers(op, _makers))
            foreach (var result in op.Results)
                _makers.Add(((Temporary)result).Id, op);
        _builder.Keep(op);
    }

    /// <summary>The value itself if it is kept, else a copy, made for this reader's half if it has none yet.</summary>
    private Value Available(Temporary value, Op reader)
    {
        if (!_makers.TryGetValue(value.Id, out var maker)) return value;
        if (_again.TryGetValue((value.Id, reader.Work), out var known)) return known;
        if (_share && _again.TryGetValue((value.Id, Work.InputGradient), out known)) return known;
        var copy = maker.Map(operand => operand switch
        {
            Temporary result when maker.Results.Contains(result) => Copy(result, reader.Work),
            Temporary read => Available(read, reader),
            _ => operand,
        });
        _builder.Keep(copy with { Layer = reader.Layer, Work = reader.Work, IsRecomputed = true });
        return _again[(value.Id, reader.Work)];
    }

    private Temporary Copy(Temporary result, Work work)
    {
        var copy = _builder.New(result.Type);
        _again.Add((result.Id, work), copy);
        return copy;
    }
}
