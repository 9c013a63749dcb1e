using System.Text.RegularExpressions;
using ModelDsl.Runtime.Models;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests.Hosting;

/// <summary>What PyTorch computes, computed by emitted PTX under generated C#. Limits are those of the goldens' README.</summary>
public class GoldenRunTests
{
    private const double Fp32Limit = 2e-5;

    public static TheoryData<string> Models => new(["micro", .. GoldenModel.Variants.Where(name => name != "fp8-ragged")]);

    [Theory]
    [MemberData(nameof(Models))]
    public void Under_fp32_logits_and_greedy_tokens_are_those_of_PyTorch(string name) => AgreesUnderFp32(Golden(name));

    [Theory]
    [MemberData(nameof(Models))]
    public void Under_fp32_every_intermediate_tensor_is_that_of_PyTorch(string name) => TapsAgree(Golden(name));

    [SharedFact]
    public void Tiny_aligned_agrees_under_fp32()
    {
        AgreesUnderFp32(GoldenModel.TinyAligned);
        TapsAgree(GoldenModel.TinyAligned);
    }

    [Fact]
    public void Prefill_in_chunks_and_token_by_token_gives_the_same_logits()
    {
        var golden = GoldenModel.Micro;
        var expected = GoldenRun.FloatRow(golden.Tensors["logits"], 0);
        using var host = new GoldenHost(golden, "fp32");
        var chunks = host.Play(0, change: request => request with { ChunkTokens = 17 });
        var oneByOne = host.Play(0, change: request => request with { OneByOne = true });
        Assert.InRange(Numbers.RelativeL2(chunks.Logits, expected), 0, Fp32Limit);
        Assert.InRange(Numbers.RelativeL2(oneByOne.Logits, expected), 0, Fp32Limit);
    }

    [Fact]
    public void Sequences_that_decode_together_give_what_each_gives_alone()
    {
        var golden = GoldenModel.Micro;
        using var host = new GoldenHost(golden, "fp32", sequences: 3);
        var model = host.Model;
        using var first = model.CreateSession();
        using var second = model.CreateSession();
        using var shorter = model.CreateSession();
        var prompt = GoldenRun.Row(golden.Tensors["input_ids"], 0);
        model.Prefill(first, prompt);
        model.Prefill(second, GoldenRun.Row(golden.Tensors["input_ids"], 1));
        model.Prefill(shorter, prompt.AsSpan(0, 20));

        var (one, two) = (GoldenRun.Row(golden.Tensors["greedy.tokens"], 0), GoldenRun.Row(golden.Tensors["greedy.tokens"], 1));
        Span<int> chosen = stackalloc int[3];
        for (var i = 0; i + 1 < one.Length; i++)
        {
            model.Decode([first, shorter, second], [one[i], prompt[20 + i % 20], two[i]]);
            model.Sample(Sampling.Greedy, [], chosen);
            Assert.Equal((one[i + 1], two[i + 1]), (chosen[0], chosen[2]));
        }
    }

    [Fact]
    public void Drawn_tokens_follow_the_probabilities_of_the_logits()
    {
        using var host = new GoldenHost(GoldenModel.Micro, "fp32");
        var model = host.Model;
        using var session = model.CreateSession();
        model.Prefill(session, GoldenRun.Row(GoldenModel.Micro.Tensors["input_ids"], 0));
        var logits = new float[model.Layout.Vocabulary];
        model.ReadLogits(logits);
        var weights = logits.Select(logit => Math.Exp(logit / 0.5)).ToArray();
        var best = Array.IndexOf(logits, logits.Max());
        var expected = weights[best] / weights.Sum();

        const int draws = 400;
        var hits = 0;
        for (var seed = 0ul; seed < draws; seed++)
            if (model.SampleNext(session, new Sampling(0.5f, 1, seed)) == best) hits++;
        // Four standard deviations of a binomial.
        var deviation = Math.Sqrt(expected * (1 - expected) / draws);
        Assert.InRange(hits / (double)draws, expected - 4 * deviation, expected + 4 * deviation);
        Assert.Equal(best, model.SampleNext(session, new Sampling(1, 1e-6f, 5)));
    }

    [Fact]
    public void Under_bf16_logits_are_as_near_as_bf16_is() => AgreesUnderBf16(GoldenModel.Micro);

    [SharedFact]
    public void Tiny_aligned_agrees_under_bf16() => AgreesUnderBf16(GoldenModel.TinyAligned);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Under_fp8_logits_are_as_far_as_quantisation_takes_them(bool fromFp8Checkpoint) =>
        AgreesUnderFp8(GoldenModel.Micro, fromFp8Checkpoint);

    [SharedTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tiny_aligned_agrees_under_fp8(bool fromFp8Checkpoint) => AgreesUnderFp8(GoldenModel.TinyAligned, fromFp8Checkpoint);

    [Fact]
    public void Under_fp8_ragged_blocks_and_groups_cost_what_they_cost_elsewhere()
    {
        var golden = GoldenModel.Variant("fp8-ragged");
        var exact = GoldenRun.FloatRow(golden.Tensors["logits"], 0);
        var distance = Numbers.RelativeL2(GoldenRun.FloatRow(golden.Tensors["w8a8.logits"], 0), exact);
        using var host = new GoldenHost(golden, "fp8");
        Assert.InRange(Numbers.RelativeL2(host.Play(0).Logits, exact), distance / 10, 1.5 * distance);
    }

    [Theory]
    [InlineData("micro")]
    [InlineData("fp8-ragged")]
    public void An_fp8_checkpoint_under_fp32_gives_the_logits_of_its_dequantised_weights(string name)
    {
        var golden = Golden(name);
        var micro = name == "micro";
        var expected = micro
            ? Safetensors.Load(Path.Combine(golden.Folder, "fp8", "goldens.safetensors"))["w8a16.logits"]
            : golden.Tensors["logits"];
        using var host = new GoldenHost(golden, "fp32", micro ? Path.Combine(golden.Folder, "fp8", "checkpoint") : null);
        var run = host.Play(1);
        Assert.InRange(Numbers.RelativeL2(run.Logits, GoldenRun.FloatRow(expected, 1)), 0, Fp32Limit);
    }

    private static GoldenModel Golden(string name) => name == "micro" ? GoldenModel.Micro : GoldenModel.Variant(name);

    private static void AgreesUnderFp32(GoldenModel golden)
    {
        var greedy = golden.Tensors["greedy.tokens"];
        using var host = new GoldenHost(golden, "fp32");
        for (var row = 0; row < greedy.Shape[0]; row++)
        {
            var run = host.Play(row, newTokens: greedy.Shape[1]);
            Assert.InRange(Numbers.RelativeL2(run.Logits, GoldenRun.FloatRow(golden.Tensors["logits"], row)), 0, Fp32Limit);
            Assert.Equal(GoldenRun.Row(greedy, row), run.Result.Tokens);
            Assert.InRange(Numbers.RelativeL2(run.LastLogits, GoldenRun.FloatRow(golden.Tensors["greedy.logits"], row)), 0, Fp32Limit);
        }
    }

    private static void AgreesUnderBf16(GoldenModel golden)
    {
        using var host = new GoldenHost(golden, "bf16");
        Assert.InRange(Numbers.RelativeL2(host.Play(0).Logits, GoldenRun.FloatRow(golden.Tensors["logits"], 0)), 1e-5, 2e-2);
    }

    // Two right W8A8 runs differ by about half of what quantisation does as a whole, so their distances are compared.
    private static void AgreesUnderFp8(GoldenModel golden, bool fromFp8Checkpoint)
    {
        var reference = Safetensors.Load(Path.Combine(golden.Folder, "fp8", "goldens.safetensors"));
        var exact = GoldenRun.FloatRow(golden.Tensors["logits"], 0);
        var distance = Numbers.RelativeL2(GoldenRun.FloatRow(reference["w8a8.logits"], 0), exact);
        using var host = new GoldenHost(golden, "fp8", fromFp8Checkpoint ? Path.Combine(golden.Folder, "fp8", "checkpoint") : null);
        Assert.InRange(Numbers.RelativeL2(host.Play(0).Logits, exact), distance / 10, 1.5 * distance);
    }

    private static void TapsAgree(GoldenModel golden)
    {
        using var host = new GoldenHost(golden, "fp32", taps: true);
        var run = host.Play(0);
        foreach (var (name, expected) in golden.Tensors)
        {
            if (name.EndsWith(".indices", StringComparison.Ordinal))
                Assert.Equal(GoldenRun.Row(expected, 0), run.Taps[name].Ints());
            else if (name.EndsWith(".scores", StringComparison.Ordinal))
                Assert.InRange(Numbers.MaxAbs(run.Taps[name].Floats(), GoldenRun.FloatRow(expected, 0)), 0, 1e-5);
            else if (Regex.IsMatch(name, @"^hidden\.|^attn_out\.|\.weights$"))
                Assert.InRange(Numbers.RelativeL2(run.Taps[name].Floats(), GoldenRun.FloatRow(expected, 0)), 0, Fp32Limit);
        }
    }
}
