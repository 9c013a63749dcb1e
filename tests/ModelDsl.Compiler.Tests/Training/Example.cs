using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Training.Evaluation;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>A training graph with numbers: weights, a sequence, and what the caller of a step supplies.</summary>
internal sealed record Example(ModelSpec Model, ModelGraph Graph, Dictionary<string, Tensor> Weights, Dictionary<StepInput, Tensor> Inputs)
{
    /// <summary>Three layers, the first dense, with everything that V3 has: query latents, groups, bias, a shared expert, two MTP modules.</summary>
    public static ModelSpec Tiny { get; } = Model3(
        qRank: 8, mtp: 2, new MoeSpec(
            8, 1, 3, 5, new GateSpec(ScoreFunction.Sigmoid, 2.5, true, Origin.None), new GroupSpec(2, 4, GroupScore.TopTwoSum, Origin.None),
            new BalanceSpec(0.001, 0.3, Origin.None), Origin.None));

    /// <summary>As V2-Lite: queries are not compressed, softmax scores weigh as they are, no bias, no groups, no MTP, two shared experts.</summary>
    public static ModelSpec TinyLite { get; } = Model3(
        qRank: null, mtp: 0, new MoeSpec(
            6, 2, 2, 4, new GateSpec(ScoreFunction.Softmax, 1, false, Origin.None), null, new BalanceSpec(null, 0.2, Origin.None), Origin.None));

    /// <summary>What may be missing is: no shared expert, no balance of any kind; the last layer is dense, and so is the module behind it.</summary>
    public static ModelSpec TinyPlain { get; } = Plain();

    /// <summary>Random weights of a size at which every op matters, random tokens.</summary>
    public static Example Random(ModelSpec model, ModelGraph graph, int tokens = 7, int seed = 5)
    {
        var random = new Random(seed);
        var weights = graph.Weights.ToDictionary(
            entry => entry.Weight.Key,
            entry => entry.Weight.IsVector && !entry.Weight.Key.EndsWith("bias", StringComparison.Ordinal)
                ? Tensor.Random(random, 0.2, 1, entry.Weight.Columns)
                : Tensor.Random(random, 0.4, 0, Shape(entry.Weight)));
        var ids = Enumerable.Range(0, tokens + 1).Select(_ => (double)random.Next(model.Vocabulary)).ToArray();
        return new Example(model, graph, weights, Step(ids[..tokens], [.. ids[1..tokens], -1], tokens - 1, 0.3, sequences: 1));
    }

    /// <param name="targets">Labels of all sequences of the step.</param>
    public static Dictionary<StepInput, Tensor> Step(double[] ids, double[] labels, int targets, double mtp, int sequences) => new()
    {
        [StepInput.Ids] = new Tensor([ids.Length], ids),
        [StepInput.Labels] = new Tensor([ids.Length], labels),
        [StepInput.Positions] = new Tensor([ids.Length], [.. Enumerable.Range(0, ids.Length).Select(t => (double)t)]),
        [StepInput.TokenWeight] = Tensor.Number(1.0 / targets),
        [StepInput.MtpWeight] = Tensor.Number(mtp / targets),
        [StepInput.SequenceWeight] = Tensor.Number(1.0 / sequences),
        [StepInput.LossGradient] = Tensor.Number(1),
    };

    /// <summary>Ready to run, with the cos and sin tables of the model.</summary>
    /// <param name="state">Of weights, which ops change; null: all 0.</param>
    public GraphEvaluator Evaluator(Dictionary<(WeightState, string), Tensor>? state = null)
    {
        var rope = RopeTable.Of(Model.Attention, 64);
        Tensor Table(Func<double, double> function) => new(
            [rope.Positions, rope.InverseFrequencies.Count],
            [.. Enumerable.Range(0, rope.Positions).SelectMany(p => rope.InverseFrequencies.Select(f => function(p * f) * rope.Factor))]);
        return new GraphEvaluator(Weights, Inputs, Table(Math.Cos), Table(Math.Sin)) { State = state ?? [] };
    }

    /// <summary>The loss of the forward pass.</summary>
    public double Loss()
    {
        var evaluator = Evaluator();
        evaluator.Run(Graph.Ops.Where(op => op.Work == Work.Forward));
        return evaluator.Number(Graph, StepOutput.Loss);
    }

    /// <summary>Gradients of all weights after the ops in this order.</summary>
    public Dictionary<string, Tensor> Gradients(IEnumerable<Op>? ops = null)
    {
        var evaluator = Evaluator();
        evaluator.Run(ops ?? Graph.Ops);
        return evaluator.State.Where(entry => entry.Key.State == WeightState.Gradient).ToDictionary(entry => entry.Key.Key, entry => entry.Value);
    }

    /// <summary>Holds a few elements of every weight's gradient against central differences of the loss.</summary>
    public void CheckGradients(int elements = 4)
    {
        const double step = 1e-5;
        var gradients = Gradients();
        var random = new Random(11);
        foreach (var (key, weight) in Weights)
        {
            // Nothing flows into the bias: it selects, and has a rule of its own.
            Assert.Equal(key.EndsWith("router_bias", StringComparison.Ordinal), !gradients.TryGetValue(key, out var gradient));
            if (gradient is null) continue;
            Assert.Equal(weight.Shape, gradient.Shape);
            for (var n = 0; n < elements; n++)
            {
                var at = random.Next(weight.Data.Length);
                var before = weight.Data[at];
                weight.Data[at] = before + step;
                var above = Loss();
                weight.Data[at] = before - step;
                var difference = (above - Loss()) / (2 * step);
                weight.Data[at] = before;
                Assert.True(
                    Math.Abs(difference - gradient.Data[at]) <= 1e-8 + 1e-6 * Math.Abs(difference),
                    $"{key}[{at}]: {gradient.Data[at]:R} by the graph, {difference:R} by differences");
            }
        }
    }

    private static int[] Shape(WeightTensor weight) => [.. weight.TensorType.Shape.Select(size => (int)size.Constant!.Value)];

    private static ModelSpec Plain()
    {
        var moe = new MoeSpec(4, 0, 1, 3, new GateSpec(ScoreFunction.Sigmoid, 1, false, Origin.None), null, BalanceSpec.None, Origin.None);
        var model = Model3(qRank: 3, mtp: 1, moe);
        return model with { Layers = [model.Layers[1], model.Layers[0]] };
    }

    private static ModelSpec Model3(int? qRank, int mtp, MoeSpec moe) => new(
        "Tiny", 17, 12, 1e-6, 0.006,
        new MlaSpec(2, qRank, 6, 4, 2, 4, new RopeSpec(10000, new YarnSpec(40, 4, 32, 1, 1, 1, Origin.None), Origin.None), Origin.None),
        [new LayerSpec(new DenseSpec(7, Origin.None), Origin.None), new LayerSpec(moe, Origin.None), new LayerSpec(moe, Origin.None)],
        mtp, 64, Origin.None);
}
