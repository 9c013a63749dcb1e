using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ModelDsl.Benchmarks;
using ModelDsl.Testing;

if (args is ["generation", .. var choice])
{
    var golden = Repository.Shared is null ? GoldenModel.Micro : GoldenModel.TinyAligned;
    var checkpoint = choice.Length > 0 ? choice[0] : golden.Checkpoint;
    foreach (var precision in choice.Length > 1 ? choice[1..] : ["fp32", "bf16", "fp8"])
    {
        Console.WriteLine($"{checkpoint}, {precision}");
        GenerationProfile.Print(checkpoint, precision, Console.Out);
    }

    return 0;
}

// In this process: what is measured compiles itself at its first use, and a process per case would measure that.
var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
var config = DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Repository.PathTo("artifacts", "benchmarks"));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
return 0;
