using System.CommandLine;
using ModelDsl.Cli.Execution;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc exec FILE.ptx</c>: runs a kernel of any PTX text on made-up or stored data.</summary>
internal static class ExecVerb
{
    private const long LargestText = 256 << 20;

    public static Command Create(IoContext io)
    {
        var verb = new Command("exec", "Runs one kernel of a PTX file.");
        var file = new Argument<string>("FILE") { Description = "PTX text, from this tool, nvcc or any other." };
        var name = new Option<string?>("--kernel") { Description = "The kernel's name; needed where the file has several.", HelpName = "NAME" };
        var grid = new Option<string>("--grid") { Description = "Blocks: X, X,Y or X,Y,Z.", HelpName = "X,Y,Z", DefaultValueFactory = _ => "1" };
        var block = new Option<string>("--block") { Description = "Threads of a block.", HelpName = "X,Y,Z", DefaultValueFactory = _ => "1" };
        var cluster = new Option<string?>("--cluster") { Description = "Blocks of a cluster; without it what the kernel asks for.", HelpName = "X,Y,Z" };
        var shared = new Option<int>("--shared") { Description = "Bytes of dynamic shared memory for each block.", HelpName = "BYTES" };
        var arguments = new Option<string[]>("--arg")
        {
            Description = $"The next argument: {ArgumentParser.Forms}. Repeated in the order of the parameters.",
            HelpName = "ARG",
            AllowMultipleArgumentsPerToken = false,
            DefaultValueFactory = _ => [],
        };
        var output = new Option<string?>("--out") { Description = "Writes all buffers as they are afterwards: arg0, arg1, … by position.", HelpName = "OUT.safetensors" };
        var time = new Option<int?>("--time") { Description = "Runs the kernel so many times more, each with nothing of its own in L2, and tells the median.", HelpName = "RUNS" };
        var contents = new L2Option();
        var json = new Option<bool>("--json") { Description = "Ends with one JSON object instead of a line." };
        var (device, check) = (new DeviceOption(), new CheckOption());
        verb.Arguments.Add(file);
        foreach (var option in new Option[] { name, grid, block, cluster, shared, arguments, output, time, json }) verb.Options.Add(option);
        contents.AddTo(verb);
        check.AddTo(verb);
        device.AddTo(verb);
        verb.SetAction(parsed =>
        {
            var (blocks, threads) = (Dimensions.Parse("--grid", parsed.GetValue(grid)!), Dimensions.Parse("--block", parsed.GetValue(block)!));
            Dim3? together = parsed.GetValue(cluster) is { } asked ? Dimensions.Parse("--cluster", asked) : null;
            if (together is { } size) Dimensions.CheckCluster(blocks, size);
            if (parsed.GetValue(shared) < 0) throw TroubleException.Usage($"--shared {parsed.GetValue(shared)}: a number of bytes from 0 up is expected");
            if (parsed.GetValue(time) is < 1 or > 10_000) throw TroubleException.Usage($"--time {parsed.GetValue(time)}: 1 to 10000 runs are possible");
            var left = contents.Of(parsed);
            if (parsed.GetValue(output) is { } path) SafetensorsWriter.CheckFolder(path);
            using var parser = new ArgumentParser();
            ExecArgument[] given = [.. parsed.GetValue(arguments)!.Select(parser.Parse)];
            if (parsed.GetValue(output) is not null && given.OfType<BufferArgument>().FirstOrDefault(buffer => buffer.Bytes > Array.MaxLength) is { } large)
                throw TroubleException.Usage($"--arg {large.Text}: a buffer of more than {Array.MaxLength:N0} bytes cannot be written with --out");
            var text = Read(parsed.GetValue(file)!);
            var signature = Choose(KernelSignature.Read(text), parsed.GetValue(name), parsed.GetValue(file)!);
            using var gpu = device.Open(parsed, check.Of(parsed));
            using var module = gpu.LoadModule(text);
            var kernel = module.GetKernel(signature.Name);
            using var execution = KernelExecution.Prepare(gpu, signature, given);
            return CheckOption.Report(gpu, io, () =>
            {
                try
                {
                    var launch = new ExecLaunch(kernel, blocks, threads, together, parsed.GetValue(shared));
                    var first = execution.Run(launch);
                    var instructions = (kernel as ICountedKernel)?.WarpInstructions;
                    Save(execution, parsed.GetValue(output));
                    var median = parsed.GetValue(time) is { } runs ? execution.Measure(launch, runs, left) : null;
                    var report = new ExecReport(signature.Name, gpu, blocks, threads, first, median, instructions);
                    io.Out.WriteLine(parsed.GetValue(json) ? report.ToJson(execution.Buffers) : report.ToText());
                    return ExitCode.Success;
                }
                catch (DeviceException fault) when (fault.IsKernelFault && gpu is not VirtualDevice { Findings.Count: > 0 })
                {
                    io.Error.WriteLine($"dsmc: {OneLine(fault.Message)}");
                    return ExitCode.Findings;
                }
            });
        });
        return verb;
    }

    private static byte[] Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= LargestText ? File.ReadAllBytes(path) : throw TroubleException.Failed($"'{path}' has {length:N0} bytes; PTX text of at most {LargestText:N0} is read");
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw TroubleException.Failed($"cannot read '{path}': {trouble.Message}");
        }
    }

    private static KernelSignature Choose(IReadOnlyList<KernelSignature> kernels, string? name, string file)
    {
        if (kernels.Count == 0) throw TroubleException.Failed($"'{file}' has no kernel");
        if (name is null && kernels.Count == 1) return kernels[0];
        if (kernels.FirstOrDefault(kernel => kernel.Name == name) is { } chosen) return chosen;
        var known = string.Concat(kernels.Select(kernel => $"\n    {kernel}"));
        throw TroubleException.Usage(name is null ? $"'{file}' has several kernels; choose with --kernel:{known}" : $"'{file}' has no kernel '{name}'; it has:{known}");
    }

    private static void Save(KernelExecution execution, string? path)
    {
        if (path is null) return;
        var writer = new SafetensorsWriter();
        foreach (var buffer in execution.Buffers) writer.Add(buffer.Name, buffer.Argument.Type, buffer.Download(), buffer.Argument.Shape);
        writer.Write(path);
    }

    private static string OneLine(string message) => string.Join(" | ", message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
