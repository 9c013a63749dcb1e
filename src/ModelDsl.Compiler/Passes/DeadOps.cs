using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes;

/// <summary>What passes leave behind when they replace ops: removed at the end of each.</summary>
internal static class DeadOps
{
    /// <summary>The graph without ops whose results nobody reads. Writes to the cache and to the state of weights count as read: the next step reads them.</summary>
    public static ModelGraph Removed(ModelGraph graph)
    {
        var live = new HashSet<int>(graph.Wanted.Select(value => value.Id));

        var kept = new Stack<Op>();
        for (var i = graph.Ops.Length - 1; i >= 0; i--)
        {
            var op = graph.Ops[i];
            if (!op.ChangesState && !WritesCache(op) && op.Results.All(result => !live.Contains(((Temporary)result).Id))) continue;
            kept.Push(op);
            foreach (var operand in op.Operands) Mark(operand, live);
        }

        return kept.Count == graph.Ops.Length ? graph : graph with { Ops = [.. kept] };
    }

    private static bool WritesCache(Op op) => op.Operands.Any(operand => operand is CacheValue);

    private static void Mark(Value value, HashSet<int> live)
    {
        if (value is Temporary temporary) live.Add(temporary.Id);
    }
}
