using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>
/// What follows the last sequence of a training step: the norm of all gradients, AdamW on every weight that has one, running means
/// of the weights, new biases from the loads of the experts. The caller sets sums and loads back to 0 before the next step.
/// </summary>
public static class OptimizerLowering
{
    /// <param name="training">A graph with its backward pass.</param>
    /// <param name="averageDecay">Of the running mean of the weights; null: there is none.</param>
    public static ModelGraph Lower(ModelGraph training, OptimizerSpec optimizer, StateSpec state, double? averageDecay = null)
    {
        var graph = new GraphBuilder(Phase.Optimizer) { Origin = optimizer.Origin };
        var sums = States(training, WeightState.Gradient);
        Value? norm = null;
        if (optimizer.Clip is not null && sums.Count > 0)
        {
            var square = graph.New(new TensorType(DType.F32));
            graph.Add(new SquareSumOp(sums.Select(sum => (Value)sum.Value).ToEquatable(), square));
            norm = graph.New(square.Type);
            graph.Add(new SquareRootOp(square, norm));
            graph.Output(StepOutput.GradientNorm, norm);
        }

        var moments = state.Moments == NumberFormat.Bf16 ? DType.BF16 : DType.F32;
        var rate = new InputValue(StepInput.Rate, new TensorType(DType.F32));
        var step = new InputValue(StepInput.StepNumber, new TensorType(DType.I32));
        foreach (var (sum, layer) in sums)
        {
            graph.Layer = layer;
            var master = new StateValue(sum.Weight, WeightState.Master, sum.Type);
            var first = new StateValue(sum.Weight, WeightState.FirstMoment, sum.Type.As(moments));
            var second = first with { State = WeightState.SecondMoment };
            var after = graph.New(master.Type);
            graph.Add(new AdamWOp(
                sum, master, first, second, norm, rate, step, optimizer, !sum.Weight.IsVector,
                after, graph.New(first.Type), graph.New(second.Type)));
            if (averageDecay is { } decay)
                graph.Add(new AverageOp(master with { State = WeightState.Average }, after, decay, graph.New(master.Type)));
            var weight = new WeightValue(sum.Weight);
            graph.Add(new StoreWeightOp(weight, after, graph.New(weight.Type)));
        }

        foreach (var (load, layer) in States(training, WeightState.Load))
        {
            graph.Layer = layer;
            var bias = new WeightValue(load.Weight);
            var biasRate = new InputValue(StepInput.BiasRate, new TensorType(DType.F32));
            graph.Add(new UpdateBiasOp(bias, load, biasRate, graph.New(bias.Type)));
        }

        return graph.Build();
    }

    /// <summary>What the training step leaves in the state of weights, first layer first.</summary>
    private static List<(StateValue Value, int? Layer)> States(ModelGraph training, WeightState state) =>
    [
        .. training.Ops.SelectMany(op => op.Operands.OfType<StateValue>().Where(value => value.State == state).Select(value => (value, op.Layer)))
            .OrderBy(entry => entry.Layer ?? int.MaxValue),
    ];
}
