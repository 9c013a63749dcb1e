namespace ModelDsl.Compiler.Graph;

/// <summary>
/// What holds of every graph, after lowering and after every pass: a value is made once and before it is read, everybody who
/// reads it agrees on its type, weights of one key are one tensor, and each op's own type rule holds. Neither the forward pass nor the
/// input half of the backward pass reads what a later one makes.
/// </summary>
public static class GraphVerifier
{
    /// <summary>What is wrong, each with the op in question; empty if nothing is.</summary>
    public static IReadOnlyList<string> Violations(ModelGraph graph)
    {
        var violations = new List<string>();
        var made = new Dictionary<int, Temporary>();
        var weights = new Dictionary<string, WeightTensor>(StringComparer.Ordinal);
        var works = new Dictionary<int, Work>();
        for (var i = 0; i < graph.Ops.Length; i++)
        {
            var op = graph.Ops[i];
            void Report(string text) =>
                violations.Add($"op {i}{(op.Layer is { } layer ? $" of layer {layer}" : "")}, `{GraphPrinter.Print(op)}`: {text}");

            foreach (var operand in op.Operands)
            {
                CheckOperand(operand, made, weights, Report);
                if (op.Work != Work.WeightGradient && operand is Temporary read && works.TryGetValue(read.Id, out var work) && work > op.Work)
                    Report($"{read} is of the {work.Text()} and read by the {op.Work.Text()}");
            }

            var rule = new TypeRule();
            op.Check(rule);
            foreach (var violation in rule.Violations) Report(violation);
            foreach (var result in op.Results)
            {
                if (result is not Temporary temporary) Report($"{result} is a result and no temporary");
                else if (made.ContainsKey(temporary.Id)) Report($"{temporary} is made a second time");
                else made.Add(temporary.Id, temporary);
                if (op.Work != Work.Forward && result is Temporary { Id: var id }) works[id] = op.Work;
            }
        }

        foreach (var output in graph.Outputs)
            CheckOperand(output.Value, made, weights, text => violations.Add($"output {output.Output}: {text}"));
        foreach (var tap in graph.Taps)
            CheckOperand(tap.Value, made, weights, text => violations.Add($"tap {tap.Name}: {text}"));
        return violations;
    }

    /// <exception cref="InvalidGraphException">Something is wrong: a mistake in the pass, not in the model.</exception>
    public static ModelGraph Verified(this ModelGraph graph, string after)
    {
        var violations = Violations(graph);
        return violations.Count == 0 ? graph : throw new InvalidGraphException(after, graph.Phase, violations);
    }

    private static void CheckOperand(
        Value operand, Dictionary<int, Temporary> made, Dictionary<string, WeightTensor> weights, Action<string> report)
    {
        if (operand is Temporary temporary)
        {
            if (!made.TryGetValue(temporary.Id, out var source)) report($"{temporary} is read before it is made");
            else if (!ReferenceEquals(source, temporary) && source.Type != temporary.Type)
                report($"{temporary} is {source.Type} where it is made and {temporary.Type} where it is read");
        }
        else if (operand is WeightValue { Weight: var weight })
        {
            if (!weights.TryGetValue(weight.Key, out var other)) weights.Add(weight.Key, weight);
            else if (!ReferenceEquals(other, weight) && other != weight) report($"{operand} is declared in two ways");
        }
    }
}

/// <summary>A pass made a graph that breaks the rules. The message names the pass and every op in question.</summary>
public sealed class InvalidGraphException(string after, Phase phase, IReadOnlyList<string> violations)
    : Exception($"The {phase.Text()} graph is invalid after {after}:\n{string.Join("\n", violations)}")
{
    public string After { get; } = after;

    public IReadOnlyList<string> Violations { get; } = violations;
}
