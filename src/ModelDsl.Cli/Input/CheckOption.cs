using System.CommandLine;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Input;

/// <summary><c>--check memory,init,race,sync,all</c>: what the virtual GPU looks for while kernels run.</summary>
public sealed class CheckOption
{
    private readonly Option<string> _check = new("--check")
    {
        Description = "Looks for mistakes in kernels: memory, init, race, sync or all, with commas between them. Needs the virtual GPU.",
        DefaultValueFactory = _ => "none",
    };

    public void AddTo(Command verb) => verb.Options.Add(_check);

    /// <exception cref="TroubleException">A name is no check's.</exception>
    public VirtualGpuChecks Of(ParseResult parsed) => VirtualGpuCheckNames.TryParse(parsed.GetValue(_check)!, out var checks, out var unknown)
        ? checks
        : throw TroubleException.Usage($"--check: '{unknown}' is no check; there are memory, init, race, sync, all and none");

    /// <summary>
    /// Runs what uses a device, then prints its findings, one line each, to the error stream. The exit code is <see cref="ExitCode.Findings"/> if
    /// there are any, and what <paramref name="run"/> says otherwise.
    /// </summary>
    public static int Report(IDevice device, IoContext io, Func<int> run)
    {
        int code;
        try
        {
            code = run();
        }
        catch (DeviceException) when (Findings(device).Count > 0)
        {
            // The launch ended at a fault, which is the last of the findings.
            code = ExitCode.Findings;
        }
        var findings = Findings(device);
        foreach (var finding in findings) io.Error.WriteLine(finding);
        return findings.Count > 0 ? ExitCode.Findings : code;
    }

    private static IReadOnlyList<Finding> Findings(IDevice device) => (device as VirtualDevice)?.Findings ?? [];
}
