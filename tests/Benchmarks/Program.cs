using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ModelDsl.Benchmarks;

switch (args)
{
    case ["instructions", .. var rest]:
        // In this process: what is measured compiles itself at its first use, and a process per case would measure that.
        var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
        BenchmarkRunner.Run<InstructionBenchmarks>(DefaultConfig.Instance.AddJob(job), rest);
        return 0;
    case ["generation", var checkpoint, .. var rest]:
        GenerationProfile.Print(checkpoint, rest.Length > 0 ? rest[0] : "bf16", Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("usage: instructions [BenchmarkDotNet options] | generation CHECKPOINT [fp32|bf16|fp8]");
        return 2;
}
