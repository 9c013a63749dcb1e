using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests.Hosting;

/// <summary>What the compiler emits is clean: no check of the virtual GPU finds anything in any kernel, whichever way tokens go through a model.</summary>
public class CheckedRunTests
{
    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    [InlineData("fp8")]
    public void Nothing_is_found_in_the_kernels_of_a_model(string precision)
    {
        var golden = GoldenModel.Micro;
        using var host = new GoldenHost(golden, precision, sequences: 2, checks: VirtualGpuChecks.All);
        host.Play(0, newTokens: 3);
        host.Play(1, change: request => request with { ChunkTokens = 17 });
        host.Play(0, newTokens: 3, change: request => request with { Prompt = request.Prompt.Take(5).ToArray(), OneByOne = true, Sampling = new Sampling(0.8f, TopP: 0.9f, Seed: 7) });

        var model = host.Model;
        using var first = model.CreateSession();
        using var second = model.CreateSession();
        var prompt = GoldenRun.Row(golden.Tensors["input_ids"], 0);
        model.Prefill(first, prompt);
        model.Prefill(second, prompt.AsSpan(0, 20));
        Span<int> chosen = stackalloc int[2];
        for (var i = 0; i < 2; i++)
        {
            model.Decode([first, second], [prompt[i], prompt[20 + i]]);
            model.Sample(new Sampling(1, TopP: 0.5f), [0.3f, 0.7f], chosen);
        }
        Assert.Equal("", string.Join("\n", host.Findings));
    }

    [Fact]
    public void The_command_line_says_what_was_found_by_its_exit_code()
    {
        var golden = GoldenModel.Micro;
        using var folder = new TemporaryFolder();
        var program = folder.File("micro.dsm");
        Assert.Equal(ExitCode.Success, Dsmc.Run("import", Path.Combine(golden.Checkpoint, "config.json"), "-o", program).ExitCode);
        string[] run = ["run", program, "--weights", golden.Checkpoint, "--ids", "1,2,3", "--max-new", "1", "--json", "--check"];
        var clean = Dsmc.Run([.. run, "memory,race"]);
        Assert.Equal((ExitCode.Success, ""), (clean.ExitCode, clean.Error));
        var refused = Dsmc.Run([.. run, "leaks"]);
        Assert.Equal((ExitCode.Usage, "dsmc: --check: 'leaks' is no check; there are memory, init, race, sync, all and none\n"), (refused.ExitCode, refused.Error));
    }
}
