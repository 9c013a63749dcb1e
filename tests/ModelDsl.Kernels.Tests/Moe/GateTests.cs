using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Moe;

public sealed class GateTests
{
    public static TheoryData<GateKernel> Gates => new(
        new GateKernel(8, 2, ScoreFunction.Sigmoid, 2.5, true, true, Groups(2, 4, GroupScore.TopTwoSum), true),
        new GateKernel(16, 4, ScoreFunction.Sigmoid, 2.5, true, true, Groups(2, 4, GroupScore.TopTwoSum), true),
        new GateKernel(256, 8, ScoreFunction.Sigmoid, 2.5, true, true, Groups(4, 8, GroupScore.TopTwoSum), true),
        new GateKernel(160, 6, ScoreFunction.Softmax, 16, false, false, Groups(3, 8, GroupScore.Max), true),
        new GateKernel(64, 6, ScoreFunction.Softmax, 1, false, false, null, true),
        new GateKernel(7, 7, ScoreFunction.Sigmoid, 1, true, true, null, true),
        new GateKernel(1, 1, ScoreFunction.Softmax, 1, true, false, null, true),
        new GateKernel(9, 1, ScoreFunction.Sigmoid, 1, false, true, Groups(1, 9, GroupScore.TopTwoSum), true),
        new GateKernel(120, 5, ScoreFunction.Sigmoid, 1.5, true, true, Groups(7, 40, GroupScore.TopTwoSum), true));

    [Theory]
    [MemberData(nameof(Gates))]
    public void ChoosesAndWeighs(GateKernel gate)
    {
        const int Tokens = 13;
        var (logits, bias) = (Samples.Normal(1, Tokens * gate.Experts), Samples.Normal(2, gate.Experts, deviation: 0.2));
        using var run = Run(gate, logits, bias);
        var rows = logits.Chunk(gate.Experts).Select(row => Scores(gate, row)).ToArray();
        Close.To([.. rows.SelectMany(row => row)], run.Floats("scores"), default, absolute: 3e-7);
        var chosen = rows.Select(scores => Choose(gate, scores, gate.Bias ? bias : null)).ToArray();
        Assert.Equal(chosen.SelectMany(ids => ids), run.Ints("indices"));
        Close.To([.. rows.Zip(chosen, (scores, ids) => Weights(gate, scores, ids)).SelectMany(w => w)], run.Floats("weights"), default, absolute: 1e-6);
    }

    [Fact]
    public void TheLowestIdWinsTies()
    {
        var gate = new GateKernel(64, 4, ScoreFunction.Sigmoid, 1, true, false, Groups(2, 8, GroupScore.TopTwoSum), true);
        using var run = Run(gate, new float[64], null);
        Assert.Equal([0, 1, 2, 3], run.Ints("indices"));
        Assert.Equal([0.25f, 0.25f, 0.25f, 0.25f], run.Floats("weights"));
    }

    [Fact]
    public void ExpertsOfRejectedGroupsFillUpByIdWhenTheOthersAreTooFew()
    {
        var gate = new GateKernel(8, 4, ScoreFunction.Sigmoid, 1, false, false, Groups(1, 4, GroupScore.Max), true);
        using var run = Run(gate, [0, 0, 0, 0, 3, 3, 0, 0], null);
        Assert.Equal([0, 1, 4, 5], run.Ints("indices"));
    }

    [Fact]
    public void ANegativeBiasDoesNotBringBackRejectedGroups()
    {
        var gate = new GateKernel(4, 2, ScoreFunction.Sigmoid, 1, false, true, Groups(1, 2, GroupScore.TopTwoSum), true);
        using var run = Run(gate, [0, 0, 0, 0], [-5, -6, -7, -8]);
        Assert.Equal([0, 1], run.Ints("indices"));
    }

    [Fact]
    public void NotANumberStillGivesDifferentExperts()
    {
        var gate = new GateKernel(40, 3, ScoreFunction.Sigmoid, 1, true, false, null, true);
        using var run = Run(gate, [.. Enumerable.Repeat(float.NaN, 40)], null);
        Assert.Equal([0, 1, 2], run.Ints("indices"));
        Assert.All(run.Floats("weights"), weight => Assert.True(float.IsNaN(weight)));
    }

    [Fact]
    public void AgreesWithTheMicroModel()
    {
        var goldens = Safetensors.Load(Path.Combine(GoldenModel.Micro.Folder, "goldens.safetensors"));
        var bias = Safetensors.LoadFolder(Path.Combine(GoldenModel.Micro.Folder, "checkpoint"))["model.layers.1.mlp.gate.e_score_correction_bias"].Floats();
        var scores = goldens["router.1.scores"].Floats();
        var gate = new GateKernel(8, 2, ScoreFunction.Sigmoid, 2.5, true, true, Groups(2, 4, GroupScore.TopTwoSum), true);
        using var run = Run(gate, [.. scores.Select(s => (float)Math.Log(s / (1.0 - s)))], bias);
        Assert.Equal(goldens["router.1.indices"].Ints(), run.Ints("indices"));
        Assert.True(Numbers.MaxAbs(run.Floats("scores"), scores) < 1e-6);
        Assert.True(Numbers.MaxAbs(run.Floats("weights"), goldens["router.1.weights"].Floats()) < 1e-5);
    }

    private static GroupSpec Groups(int kept, int count, GroupScore score) => new(kept, count, score, Origin.None);

    private static KernelRun Run(GateKernel gate, float[] logits, float[]? bias)
    {
        var tokens = logits.Length / gate.Experts;
        var run = new KernelRun(gate).Set("logits", logits).Output("indices", tokens * gate.Active).Output("weights", tokens * gate.Active)
            .Output("scores", logits.Length).Number("tokens", tokens);
        if (gate.Bias) run.Set("bias", bias!);
        return run.Launch(tokens);
    }

    private static double[] Scores(GateKernel gate, float[] logits)
    {
        if (gate.Score == ScoreFunction.Sigmoid) return [.. logits.Select(x => 1 / (1 + Math.Exp(-x)))];
        var sum = logits.Sum(x => Math.Exp(x));
        return [.. logits.Select(x => Math.Exp(x) / sum)];
    }

    private static int[] Choose(GateKernel gate, double[] scores, float[]? bias)
    {
        var biased = scores.Select((s, i) => s + (bias?[i] ?? 0)).ToArray();
        if (gate.Groups is { } groups)
        {
            var size = gate.Experts / groups.Count;
            var kept = Enumerable.Range(0, groups.Count)
                .OrderByDescending(g => biased[(g * size)..((g + 1) * size)].OrderDescending().Take(groups.Score == GroupScore.Max ? 1 : 2).Sum())
                .Take(groups.Kept).ToHashSet();
            for (var i = 0; i < biased.Length; i++)
                if (!kept.Contains(i / size)) biased[i] = double.NegativeInfinity;
        }

        return [.. Enumerable.Range(0, gate.Experts).OrderByDescending(i => biased[i]).Take(gate.Active).Order()];
    }

    private static IEnumerable<double> Weights(GateKernel gate, double[] scores, int[] chosen)
    {
        var sum = gate.Normalize ? chosen.Sum(i => scores[i]) + 1e-20 : 1;
        return chosen.Select(i => scores[i] / sum * gate.Scale);
    }
}
