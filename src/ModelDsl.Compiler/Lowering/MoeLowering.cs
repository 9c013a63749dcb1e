using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>DeepSeekMoE (V3 report, section 2.1.2): route, group rows by expert, two grouped products, weigh and add up.</summary>
internal static class MoeLowering
{
    /// <summary>x: the normalised stream <c>[T,H]</c>; result: what the block adds to the stream, <c>[T,H]</c>.</summary>
    public static Value Lower(LoweringContext context, WeightNames weights, int layer, MoeSpec moe, Value x)
    {
        var (indices, gates) = Route(context, weights, layer, moe, x);

        var rows = Dim.Tokens * moe.Active;
        var offsets = Integers(context, moe.Routed + 1);
        var rowOf = Integers(context, Dim.Tokens, moe.Active);
        var source = Integers(context, rows);
        var tileExpert = Integers(context, rows);
        var tileRow = Integers(context, rows);
        context.Graph.Add(new DispatchOp(indices, moe.Routed, offsets, rowOf, source, tileExpert, tileRow));
        var sorted = context.New(rows, context.Model.Hidden);
        context.Graph.Add(new PermuteOp(x, source, sorted));

        var both = context.New(rows, 2 * moe.Width);
        context.Graph.Add(new GroupedLinearOp(
            sorted, new WeightValue(weights.ExpertsGateUp(layer, moe)), offsets, tileExpert, tileRow, moe.Active, both));
        Value inner = context.New(rows, moe.Width);
        context.Graph.Add(new SwiGluOp(both, moe.Width, inner));
        if (context.IsTraining)
        {
            AddLoad(context, weights, layer, moe, offsets);
            inner = Weigh(context, inner, gates, rowOf);
        }

        var results = context.New(rows, context.Model.Hidden);
        context.Graph.Add(new GroupedLinearOp(
            inner, new WeightValue(weights.ExpertsDown(layer, moe)), offsets, tileExpert, tileRow, moe.Active, results));

        var shared = Shared(context, weights, layer, moe, x);
        if (context.IsTraining) return Gather(context, x, results, rowOf, shared);
        var sum = context.Graph.New(x.Type);
        context.Graph.Add(new CombineOp(results, rowOf, gates, shared, sum));
        return sum;
    }

    /// <summary>
    /// In training a row is weighed before its expert's second product, so that the gradient of its weight needs nothing that is as
    /// wide as the stream.
    /// </summary>
    private static Temporary Weigh(LoweringContext context, Value inner, Value gates, Value rowOf)
    {
        var factors = context.New(inner.Type.Rows, 1);
        context.Graph.Add(new SortGatesOp(gates, rowOf, factors));
        var weighed = context.Graph.New(inner.Type);
        context.Graph.Add(new ScaleRowsOp(inner, factors, weighed));
        return weighed;
    }

    private static Value Gather(LoweringContext context, Value x, Value results, Value rowOf, Value? shared)
    {
        var sum = context.Graph.New(x.Type);
        context.Graph.Add(new UnpermuteOp(results, rowOf, sum));
        return shared is null ? sum : context.Add(sum, shared);
    }

    /// <summary>Counts for the bias of the next step (V3 report, section 2.1.2).</summary>
    private static void AddLoad(LoweringContext context, WeightNames weights, int layer, MoeSpec moe, Value offsets)
    {
        if (!moe.HasSelectionBias) return;
        var before = new StateValue(weights.RouterBias(layer, moe), WeightState.Load, new TensorType(DType.I32, moe.Routed));
        context.Graph.Add(new AccumulateLoadOp(before, offsets, context.Graph.New(before.Type)));
    }

    private static void AddBalanceLoss(LoweringContext context, MoeSpec moe, Value scores, Value indices)
    {
        if (moe.Balance.SequenceLoss is null or 0) return;
        var loss = context.New();
        context.Graph.Add(new BalanceLossOp(
            scores, context.Options.BalanceOnChosen ? indices : null, LoweringContext.Number(StepInput.SequenceWeight), moe, context.Tail, loss));
        context.BalanceLosses.Add(loss);
    }

    private static (Value Indices, Value Weights) Route(LoweringContext context, WeightNames weights, int layer, MoeSpec moe, Value x)
    {
        var logits = context.Linear(x, weights.Router(layer, moe), ModelPart.Router);
        var scores = context.Graph.New(logits.Type);
        context.Graph.Add(new ScoreOp(logits, moe.Gate.Score, scores));
        var indices = Integers(context, Dim.Tokens, moe.Active);
        var gates = context.New(Dim.Tokens, moe.Active);
        var bias = moe.HasSelectionBias ? new WeightValue(weights.RouterBias(layer, moe)) : null;
        context.Graph.Add(new SelectExpertsOp(scores, bias, moe, indices, gates));
        if (context.IsTraining) AddBalanceLoss(context, moe, scores, indices);
        context.Tap($"router.{layer}.indices", indices);
        context.Tap($"router.{layer}.weights", gates);
        context.Tap($"router.{layer}.scores", scores);
        return (indices, gates);
    }

    private static Value? Shared(LoweringContext context, WeightNames weights, int layer, MoeSpec moe, Value x)
    {
        if (moe.Shared == 0) return null;
        const string name = "shared";
        const string path = "mlp.shared_experts";
        var width = moe.Shared * moe.Width;
        return DenseLowering.SwiGlu(
            context, x, weights.GateUp(layer, name, path, width), weights.Down(layer, name, path, width), ModelPart.Experts);
    }

    private static Temporary Integers(LoweringContext context, params Dim[] shape) => context.Graph.New(new TensorType(DType.I32, shape));
}
