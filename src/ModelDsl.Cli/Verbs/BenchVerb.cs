using System.CommandLine;
using ModelDsl.Cli.Benchmarking;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc bench</c>: times the kernels for Hopper on the shapes of DeepSeek-V3.</summary>
internal static class BenchVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("bench", "Times the kernels on the shapes of DeepSeek-V3, beside what the GPU's memory and tensor cores reach in the same run.");
        var filter = new Option<string?>("--filter") { Description = "Only lines that contain this text in operation, shape or kernel.", HelpName = "TEXT" };
        var runs = new Option<int>("--runs") { Description = "Timed runs of each kernel; the median counts.", DefaultValueFactory = _ => 30 };
        var rows = new Option<int?>("--rows") { Description = "M of products and tokens of the others, in place of those that peers publish." };
        var every = new Option<bool>("--every-tile") { Description = "All kernels that a product could be made with, not only the one that is chosen." };
        var contents = new L2Option();
        var json = new Option<bool>("--json") { Description = "One JSON object a line." };
        var device = new DeviceOption("cuda");
        foreach (var option in new Option[] { filter, runs, rows, every, json }) verb.Options.Add(option);
        contents.AddTo(verb);
        device.AddTo(verb);
        verb.SetAction(parsed =>
        {
            if (parsed.GetValue(runs) is < 1 or > 10_000) throw TroubleException.Usage($"--runs {parsed.GetValue(runs)}: 1 to 10000 are possible");
            if (parsed.GetValue(rows) is < 1 or > 1 << 17) throw TroubleException.Usage($"--rows {parsed.GetValue(rows)}: 1 to {1 << 17} are possible");
            var text = parsed.GetValue(filter) ?? "";
            var tokens = parsed.GetValue(rows);
            var left = contents.Of(parsed);
            BenchCase[] cases =
            [
                .. GemmCases.All(tokens, parsed.GetValue(every)).Concat(AttentionCases.All(tokens)).Concat(StreamingCases.All(tokens))
                    .Where(work => $"{work.Operation} {work.Shape} {work.Kernel.Name}".Contains(text, StringComparison.OrdinalIgnoreCase)),
            ];
            if (cases.Length == 0) throw TroubleException.Usage($"--filter {text}: no kernel, shape or operation has that in its name");
            using var gpu = device.Open(parsed);
            if (gpu is VirtualDevice && tokens is null) throw TroubleException.Usage("--device virtual: in software these shapes take hours; say how many --rows instead, such as 8");
            return Run(io, gpu, cases, parsed.GetValue(runs), left, parsed.GetValue(json));
        });
        return verb;
    }

    private static int Run(IoContext io, IDevice gpu, BenchCase[] cases, int runs, L2Contents contents, bool json)
    {
        using var timer = new KernelTimer(gpu, contents);
        // In software there is nothing that a kernel could be held against.
        var report = new BenchReport(io.Out, json, gpu is VirtualDevice ? null : Ceilings.Measure(gpu, timer, runs));
        report.Start(gpu.Name);
        foreach (var work in cases)
        {
            try
            {
                var copy = Ceilings.CopyOf(work, gpu, timer, runs);
                using var launch = new BenchLaunch(gpu, timer.Stream, work);
                report.Add(work, timer.Measure(launch.Launch, runs), copy);
            }
            catch (DeviceException trouble)
            {
                // After a fault a GPU refuses everything until the process ends.
                report.Fail(work, trouble.Message.Split('\n')[0]);
                return ExitCode.Trouble;
            }
        }
        return ExitCode.Success;
    }
}
