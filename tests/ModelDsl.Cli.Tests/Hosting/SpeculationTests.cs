using ModelDsl.Runtime.Models;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests.Hosting;

/// <summary>The MTP module: PyTorch's numbers, and drafts that change nothing but the number of steps.</summary>
public class SpeculationTests
{
    private const double Fp32Limit = 2e-5;

    [Fact]
    public void Under_fp32_the_module_gives_the_logits_of_PyTorch() => Agrees(GoldenModel.Micro, layer: 3);

    [SharedFact]
    public void Tiny_aligned_agrees() => Agrees(GoldenModel.TinyAligned, layer: 4);

    [Fact]
    public void Prompts_in_chunks_give_the_same_drafts()
    {
        var golden = GoldenModel.Micro;
        var expected = GoldenRun.FloatRow(Mtp(golden)["logits"], 1);
        using var host = new GoldenHost(golden, "fp32", draftTokens: 1);
        foreach (var chunk in (int[])[1, 16, 17, 47])
            Assert.InRange(Numbers.RelativeL2(host.Play(1, change: r => r with { ChunkTokens = chunk }).MtpLogits, expected), 0, Fp32Limit);
    }

    [Fact]
    public void Under_bf16_and_fp8_the_module_is_as_near_as_its_numbers_are()
    {
        var expected = GoldenRun.FloatRow(Mtp(GoldenModel.Micro)["logits"], 0);
        using var bf16 = new GoldenHost(GoldenModel.Micro, "bf16", draftTokens: 1);
        Assert.InRange(Numbers.RelativeL2(bf16.Play(0).MtpLogits, expected), 1e-5, 2e-2);
        using var fp8 = new GoldenHost(GoldenModel.Micro, "fp8", draftTokens: 1);
        Assert.InRange(Numbers.RelativeL2(fp8.Play(0).MtpLogits, expected), 1e-3, 0.15);
    }

    [Theory]
    [InlineData("fp32", 1)]
    [InlineData("fp32", 3)]
    [InlineData("bf16", 2)]
    [InlineData("fp8", 1)]
    public void The_text_is_the_same_with_and_without_drafts(string precision, int drafts)
    {
        using var plain = new GoldenHost(GoldenModel.Micro, precision);
        using var drafting = new GoldenHost(GoldenModel.Micro, precision, draftTokens: drafts);
        foreach (var sampling in (Sampling[])[Sampling.Greedy, new(0.8f, 0.95f, Seed: 4)])
        {
            var expected = plain.Play(0, 32, request => request with { Sampling = sampling }).Result.Tokens;
            var run = drafting.Play(0, 32, request => request with { Sampling = sampling });
            Assert.Equal(expected, run.Result.Tokens);
            Assert.InRange(run.Result.Drafted, 20, 32 * drafts);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Drafts_that_hold_save_steps_and_change_neither_text_nor_logits(int drafts)
    {
        using var checkpoint = new PredictableCheckpoint();
        using var plain = new GoldenHost(GoldenModel.Micro, "fp32", checkpoint.Folder);
        using var drafting = new GoldenHost(GoldenModel.Micro, "fp32", checkpoint.Folder, draftTokens: drafts);
        var expected = plain.Play(0, 32);
        var run = drafting.Play(0, 32);
        Assert.Equal(expected.Result.Tokens, run.Result.Tokens);
        Assert.Equal(expected.LastLogits, run.LastLogits);

        // Some hold and some do not, so that both ways are gone.
        Assert.InRange(run.Result.Accepted, 8, run.Result.Drafted - 1);
    }

    /// <summary>What the module makes of rows as they come, with its cache, is what it makes of the whole text at once.</summary>
    [Fact]
    public void Every_row_of_the_module_is_that_of_the_finished_text()
    {
        using var checkpoint = new PredictableCheckpoint();
        using var host = new GoldenHost(GoldenModel.Micro, "fp32", checkpoint.Folder, draftTokens: 1);
        var model = host.Model;
        var vocabulary = model.Layout.Vocabulary;
        var prompt = GoldenRun.Row(GoldenModel.Micro.Tensors["input_ids"], 0);
        List<int> text = [.. prompt];
        var rows = new List<float>();
        using (var session = model.CreateSession())
        {
            var generator = new TokenGenerator(model, session, Sampling.Greedy, [], 1);
            generator.Prefill(prompt);
            while (text.Count < prompt.Length + 24)
            {
                text.AddRange(generator.Next(64));
                var logits = new float[model.DraftLogitRows * vocabulary];
                model.ReadDraftLogits(logits);
                rows.AddRange(logits);
            }
            Assert.InRange(generator.Accepted, 5, generator.Drafted - 1);
        }

        var whole = new List<float>();
        using var again = model.CreateSession();
        var reader = new TokenGenerator(model, again, Sampling.Greedy, [], 1)
        {
            OnPromptDraft = () =>
            {
                var logits = new float[model.DraftLogitRows * vocabulary];
                model.ReadDraftLogits(logits);
                whole.AddRange(logits);
            },
        };
        reader.Prefill([.. text], allLogits: true);
        Assert.InRange(Numbers.RelativeL2([.. rows], [.. whole.Skip((prompt.Length - 1) * vocabulary)]), 0, Fp32Limit);
    }

    private static void Agrees(GoldenModel golden, int layer)
    {
        var mtp = Mtp(golden);
        using var host = new GoldenHost(golden, "fp32", taps: true, draftTokens: 1);
        for (var row = 0; row < 2; row++)
        {
            var run = host.Play(row);
            Assert.InRange(Numbers.RelativeL2(run.MtpLogits, GoldenRun.FloatRow(mtp["logits"], row)), 0, Fp32Limit);
            Assert.InRange(Numbers.RelativeL2(run.Logits, GoldenRun.FloatRow(golden.Tensors["logits"], row)), 0, Fp32Limit);
            Assert.Equal(GoldenRun.Row(mtp["router.indices"], row), run.Taps[$"router.{layer}.indices"].Ints());
            Assert.InRange(Numbers.MaxAbs(run.Taps[$"router.{layer}.scores"].Floats(), GoldenRun.FloatRow(mtp["router.scores"], row)), 0, 1e-5);
            Assert.InRange(Numbers.RelativeL2(run.Taps[$"router.{layer}.weights"].Floats(), GoldenRun.FloatRow(mtp["router.weights"], row)), 0, Fp32Limit);
            if (row == 0) Assert.InRange(Numbers.RelativeL2(run.Taps[$"hidden.{layer + 1}"].Floats(), mtp["block_out"].Floats()), 0, Fp32Limit);
        }
    }

    private static Dictionary<string, StoredTensor> Mtp(GoldenModel golden) => Safetensors.Load(Path.Combine(golden.Folder, "mtp", "goldens.safetensors"));
}
