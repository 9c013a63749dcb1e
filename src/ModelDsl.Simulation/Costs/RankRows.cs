using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Simulation.Costs;

/// <summary>How large a training graph's values are on one of the ranks that share a sequence, and which of them are rows of experts.</summary>
internal sealed class RankRows
{
    private readonly HashSet<int> _routed = [];

    /// <param name="sequence">Tokens that attend to each other.</param>
    /// <param name="tensor">Ranks that share them.</param>
    public RankRows(ModelGraph graph, int sequence, int tensor)
    {
        (Sequence, Own) = (sequence, (sequence + tensor - 1) / tensor);
        // Sizes do not tell: with eight experts a token and eight ranks, gathered rows are as many as routed ones.
        foreach (var op in graph.Ops)
            foreach (var result in op.Results.OfType<Temporary>())
                if (op is not (UnpermuteOp or UnsortGatesOp) && result.Type is { Rank: > 0, Rows.Constant: null } && (Starts(op) || op.Operands.Any(value => Continues(value, result))))
                    _routed.Add(result.Id);
    }

    public int Sequence { get; }

    /// <summary>Of the sequence, on this rank.</summary>
    public int Own { get; }

    /// <summary>Grows with the load of the rank's experts.</summary>
    public bool IsRouted(Value value) => value is Temporary temporary && _routed.Contains(temporary.Id);

    public double Of(Value value) => value.Type.Rank == 0 ? 1 : value.Type.Rows.Evaluate(_ => Own);

    public double Elements(Value value) => value.Type.Elements.Evaluate(_ => Own);

    private static bool Starts(Op op) => op is PermuteOp or SortGatesOp or GroupedLinearOp or GroupedLinearGradOp;

    private bool Continues(Value operand, Temporary result) => IsRouted(operand) && operand.Type.Rows.Equals(result.Type.Rows);
}
