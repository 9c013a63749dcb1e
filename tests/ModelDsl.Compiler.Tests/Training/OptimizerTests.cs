using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Training;

public class OptimizerTests
{
    private static readonly OptimizerSpec AdamW = new("adamw", 0.9, 0.95, 1e-8, 0.1, 1.0, Origin.None);

    /// <summary>The first steps of a training run, loss and norm before every update, against PyTorch.</summary>
    [Fact]
    public void A_run_descends_as_PyTorchs()
    {
        var (golden, model) = (GoldenModel.Micro.Tensors, Models.Micro with { MtpDepth = 0 });
        var run = new TrainingRun(model, GoldenWeights.Load(DifferentiateTests.Differentiated(model)), AdamW);
        var ids = golden["train.input_ids"].Ints().Select(id => (double)id).ToArray();
        for (var step = 0; step < 4; step++)
        {
            var sequences = Enumerable.Range(2 * step, 2).Select(row => ids[(row * 48)..(row * 48 + 48)]).ToList();
            var (loss, norm) = run.Step(sequences, mtp: 0, rate: 1e-3, biasRate: 0);
            Assert.Equal(golden["train.loss"].Floats()[step], loss, 1e-5);
            Assert.Equal(1, norm / golden["train.grad_norm"].Floats()[step], 1e-5);
        }
    }

    /// <summary>The equations once more, by hand, for one weight that decays and one that does not.</summary>
    [Fact]
    public void Weights_move_by_the_equations()
    {
        var example = Example.Random(Example.Tiny, DifferentiateTests.Differentiated(Example.Tiny));
        var gradients = example.Gradients();
        var before = example.Weights.ToDictionary(entry => entry.Key, entry => entry.Value.Copy());
        var norm = Math.Sqrt(gradients.Values.Sum(gradient => gradient.Data.Sum(value => value * value)));
        var run = new TrainingRun(Example.Tiny, example.Weights, AdamW with { Clip = norm / 3 });
        var ids = example.Inputs[StepInput.Ids].Data;
        var (_, measured) = run.Step([ids], mtp: 0.3, rate: 0.01, biasRate: 0.002);
        Assert.Equal(norm, measured, 1e-12);

        // In the first step both moments are those of one gradient, and their corrections take the decays out again.
        foreach (var (key, decay) in new[] { ("layers.1.experts.down", 0.1), ("layers.2.input_norm", 0.0), ("embed", 0.1) })
            for (var i = 0; i < before[key].Data.Length; i++)
            {
                var g = gradients[key].Data[i] * (norm / 3) / (norm + 1e-6);
                Assert.Equal(before[key].Data[i] * (1 - 0.01 * decay) - 0.01 * g / (Math.Abs(g) + 1e-8), run.Weights[key].Data[i], 1e-12);
            }
    }

    [Fact]
    public void Overloaded_experts_lose_bias_and_idle_ones_gain_it()
    {
        var example = Example.Random(Example.Tiny, DifferentiateTests.Differentiated(Example.Tiny));
        var evaluator = example.Evaluator();
        evaluator.Run(example.Graph.Ops);
        var load = evaluator.State[(WeightState.Load, "layers.1.router_bias")].Data;
        Assert.Equal(7 * 3, load.Sum());
        Assert.True(load.Max() > load.Min());

        var before = example.Weights["layers.1.router_bias"].Copy().Data;
        var run = new TrainingRun(Example.Tiny, example.Weights, AdamW);
        run.Step([example.Inputs[StepInput.Ids].Data], mtp: 0.3, rate: 0, biasRate: 0.002);
        for (var expert = 0; expert < load.Length; expert++)
            Assert.Equal(before[expert] + 0.002 * Math.Sign(21.0 / 8 - load[expert]), run.Weights["layers.1.router_bias"].Data[expert], 1e-15);
    }

    [Fact]
    public void One_op_per_weight_in_the_formats_of_the_policy()
    {
        var training = DifferentiateTests.Differentiated(Models.V3);
        var graph = OptimizerLowering.Lower(training, AdamW, new StateSpec(NumberFormat.Fp32, NumberFormat.Fp32, NumberFormat.Bf16)).Verified("lower");
        var steps = graph.Ops.OfType<AdamWOp>().ToList();
        Assert.Equal(training.Weights.Count() - 59, steps.Count);
        Assert.Equal(59, graph.Ops.Count(op => op is UpdateBiasOp));
        Assert.Equal(682_636_487_424 - 59 * 256, steps.Sum(op => ((StateValue)op.Master).Weight.Parameters));
        Assert.All(steps, op => Assert.Equal((DType.F32, DType.BF16, DType.BF16), (op.Master.Type.Type, op.First.Type.Type, op.Second.Type.Type)));

        // Without clipping nobody asks for the norm.
        var unclipped = OptimizerLowering.Lower(training, AdamW with { Clip = null }, StateSpec.Default);
        Assert.DoesNotContain(unclipped.Ops, op => op is SquareSumOp);
    }
}
