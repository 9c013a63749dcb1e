using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.Differentiate.Rules;

namespace ModelDsl.Compiler.Passes.Differentiate;

/// <summary>Adds the backward pass behind the forward pass: reverse mode, one rule per kind of op.</summary>
public static class DifferentiatePass
{
    public static Pass Declaration { get; } = new(
        "differentiate",
        "Adds the backward pass, in two halves that can run apart",
        "Walks the forward pass backwards from the loss. Each op's rule reads the gradients of its results and adds to those of its "
        + "operands; where a value was read twice, both are summed. Gradients of weights are added to those of the sequences before. "
        + "What the layer before waits for is the input half, what only the optimizer waits for the weight half; the latter reads what "
        + "the forward pass saved and what the former made, and nothing the other way round. Choices of experts have no gradient.",
        [],
        (graph, _) => Run(graph));

    /// <exception cref="PassException">There is no loss to start from.</exception>
    public static ModelGraph Run(ModelGraph graph)
    {
        // A stage of a pipeline may have none, and gets its gradients from the stage behind.
        var loss = graph.Outputs.FirstOrDefault(output => output.Output == StepOutput.Loss)?.Value;
        if (loss is null && !graph.Ops.Any(op => op is SendOp))
            throw new PassException($"The {graph.Phase.Text()} graph has no loss.", $"differentiate works on the {Phase.Train.Text()} graph.");
        var tape = new GradientTape(graph);
        if (loss is not null) tape.Give(loss, new InputValue(StepInput.LossGradient, loss.Type));
        for (var i = graph.Ops.Length - 1; i >= 0; i--)
        {
            tape.MoveTo(graph.Ops[i]);
            Apply(graph.Ops[i], tape);
        }

        return tape.Build();
    }

    private static void Apply(Op op, GradientTape tape)
    {
        switch (op)
        {
            case LinearOp linear: LinearRules.Apply(linear, tape); break;
            case GroupedLinearOp grouped: LinearRules.Apply(grouped, tape); break;
            case RmsNormOp norm: RmsNormRule.Apply(norm, tape); break;
            case SwiGluOp swiglu: SwiGluRule.Apply(swiglu, tape); break;
            case AddOp add: StreamRules.Apply(add, tape); break;
            case SumOp sum: StreamRules.Apply(sum, tape); break;
            case SplitColumnsOp split: StreamRules.Apply(split, tape); break;
            case ConcatColumnsOp concat: StreamRules.Apply(concat, tape); break;
            case EmbeddingOp embedding: StreamRules.Apply(embedding, tape); break;
            case RopeQueryOp rope: AttentionRules.Apply(rope, tape); break;
            case RopeKeyOp rope: AttentionRules.Apply(rope, tape); break;
            case MlaPrefillOp attention: AttentionRules.Apply(attention, tape); break;
            case ScoreOp score: RouterRules.Apply(score, tape); break;
            case SelectExpertsOp select: RouterRules.Apply(select, tape); break;
            case BalanceLossOp balance: RouterRules.Apply(balance, tape); break;
            case PermuteOp permute: ExpertRowRules.Apply(permute, tape); break;
            case SortGatesOp sort: ExpertRowRules.Apply(sort, tape); break;
            case ScaleRowsOp scale: ExpertRowRules.Apply(scale, tape); break;
            case UnpermuteOp unpermute: ExpertRowRules.Apply(unpermute, tape); break;
            case AllGatherOp gather: CollectiveRules.Apply(gather, tape); break;
            case ReduceScatterOp scatter: CollectiveRules.Apply(scatter, tape); break;
            case AllToAllOp travel: CollectiveRules.Apply(travel, tape); break;
            case SendOp send: CollectiveRules.Apply(send, tape); break;
            case RecvOp receive: CollectiveRules.Apply(receive, tape); break;
            case CrossEntropyOp loss: CrossEntropyRule.Apply(loss, tape); break;

            // Integers: nothing to derive.
            case DispatchOp or ShiftRowsOp or AccumulateLoadOp or OwnRowsOp or ExchangeCountsOp: break;
            default: throw new PassException($"{op.Mnemonic} has no derivative.", "differentiate runs before passes that fuse or place ops.");
        }
    }
}
