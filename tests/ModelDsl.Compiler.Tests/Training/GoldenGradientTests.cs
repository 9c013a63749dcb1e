using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Training.Evaluation;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>The graph in float64 against PyTorch in float32, same checkpoint, same tokens.</summary>
public class GoldenGradientTests
{
    private const int Rows = 2;
    private const int Tokens = 48;

    private static readonly string Mtp = Repository.PathTo("tests", "goldens", "micro", "mtp", "goldens.safetensors");

    [Fact]
    public void Logits_loss_and_gradients_are_PyTorchs()
    {
        var model = Models.Micro with { MtpDepth = 0 };
        var (gradients, loss, logits) = Run(model, GoldenModel.Micro.Tensors, mtp: 0);
        Assert.Equal(6.30075637, loss, 2e-8);
        Assert.True(Distance(logits, GoldenModel.Micro.Tensors["logits"].Floats()) < 2e-6);
        CheckGradients(model, gradients, GoldenModel.Micro.Tensors, expected: 89);
    }

    /// <summary>The published mean is over the 46 positions of a row that have a token to predict, ours has the divisor of the main loss.</summary>
    [Fact]
    public void With_the_MTP_module_too()
    {
        var golden = Safetensors.Load(Mtp);
        var (gradients, loss, logits) = Run(Models.Micro, golden, 0.3 * (Tokens - 1) / (Tokens - 2));
        Assert.Equal(8.24368356, loss, 2e-8);
        var known = golden["logits"].Floats();
        Assert.True(Distance(Cut(logits), known) < 2e-6);
        CheckGradients(Models.Micro, gradients, golden, expected: 130);
    }

    private static (Dictionary<string, Tensor> Gradients, double Loss, double[] Logits) Run(
        ModelSpec model, IReadOnlyDictionary<string, StoredTensor> golden, double mtp)
    {
        var graph = DifferentiateTests.Differentiated(model);
        var weights = GoldenWeights.Load(graph);
        var ids = golden["input_ids"].Ints().Select(id => (double)id).ToArray();
        var total = new Dictionary<string, Tensor>();
        var (loss, logits) = (0.0, new List<double>());
        for (var row = 0; row < Rows; row++)
        {
            var tokens = ids[(row * Tokens)..((row + 1) * Tokens)];
            var inputs = Example.Step(tokens, [.. tokens[1..], -1], Rows * (Tokens - 1), mtp, Rows);
            var evaluator = new Example(model, graph, weights, inputs).Evaluator();
            evaluator.Run(graph.Ops);
            loss += evaluator.Number(graph, StepOutput.Loss);
            logits.AddRange(evaluator[graph.Ops.OfType<CrossEntropyOp>().Last().Logits].Data);
            foreach (var ((state, key), value) in evaluator.State)
                if (state == WeightState.Gradient)
                    total[key] = total.TryGetValue(key, out var before) ? before + value : value;
        }

        return (total, loss, [.. logits]);
    }

    private static void CheckGradients(
        ModelSpec model, Dictionary<string, Tensor> gradients, IReadOnlyDictionary<string, StoredTensor> golden, int expected)
    {
        var compared = 0;
        foreach (var (weight, _) in DifferentiateTests.Differentiated(model).Weights)
        {
            foreach (var part in weight.Parts)
            {
                if (!golden.TryGetValue($"grad.{part.Name}", out var known) && !golden.TryGetValue($"grad_sample.{part.Name}", out known)) continue;
                var ours = gradients[weight.Key].Data.AsSpan(part.Row * weight.Columns, (int)part.Elements).ToArray();
                var values = known.Floats();
                var stride = ours.Length / values.Length;
                var scale = Math.Sqrt(ours.Sum(value => value * value) / ours.Length);
                for (var i = 0; i < values.Length; i++)
                    Assert.True(Math.Abs(ours[i * stride] - values[i]) < 1e-4 * scale, $"{part.Name}[{i * stride}]: {ours[i * stride]} is not {values[i]}");
                compared++;
            }
        }

        Assert.Equal(expected, compared);
    }

    /// <summary>The golden has no row for the last token.</summary>
    private static double[] Cut(double[] logits)
    {
        var width = logits.Length / Rows / Tokens;
        return [.. logits.Where((_, at) => at / width % Tokens != Tokens - 1)];
    }

    private static double Distance(double[] ours, float[] known)
    {
        Assert.Equal(known.Length, ours.Length);
        return Math.Sqrt(ours.Zip(known, (a, b) => (a - b) * (a - b)).Sum() / known.Sum(value => (double)value * value));
    }
}
