using System.CommandLine;
using ModelDsl.Cli.Hosting;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Input;

/// <summary><c>--device virtual|cuda[:N]</c>.</summary>
/// <param name="usual">Where none is named.</param>
public sealed class DeviceOption(string usual = "virtual")
{
    private readonly Option<string> _device = new("--device")
    {
        Description = "virtual (the GPU in software), cuda or cuda:N.",
        DefaultValueFactory = _ => usual,
    };

    public void AddTo(Command verb) => verb.Options.Add(_device);

    /// <param name="checks">What the virtual GPU looks for.</param>
    /// <param name="countsClasses">The virtual GPU counts instructions by class, for a profile.</param>
    /// <exception cref="TroubleException">There is no such device here, or it cannot check.</exception>
    public IDevice Open(ParseResult parsed, VirtualGpuChecks checks = VirtualGpuChecks.None, bool countsClasses = false)
    {
        var name = parsed.GetValue(_device)!;
        if (name == "virtual") return new VirtualDevice(new VirtualDeviceOptions { Checks = checks, CountsClasses = countsClasses });
        if (checks != VirtualGpuChecks.None) throw TroubleException.Usage($"--check is done by the virtual GPU, not by --device {name}");
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], out _)))
            throw TroubleException.Usage($"--device {name}: there are virtual, cuda and cuda:N");
        if (!CudaBinding.IsAvailable(out var reason)) throw TroubleException.Failed($"--device {name}: {reason}");
        return CudaBinding.Open(name == "cuda" ? 0 : int.Parse(name[5..]));
    }
}
