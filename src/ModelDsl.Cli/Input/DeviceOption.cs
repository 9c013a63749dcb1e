using System.CommandLine;
using ModelDsl.Runtime.Cuda;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Profiling;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Input;

/// <summary><c>--device virtual|cuda[:N]</c>.</summary>
public sealed class DeviceOption
{
    private readonly Option<string> _device = new("--device")
    {
        Description = "virtual (the GPU in software), cuda or cuda:N.",
        DefaultValueFactory = _ => "virtual",
    };

    public void AddTo(Command verb) => verb.Options.Add(_device);

    /// <param name="profile">Gets every launch on the device.</param>
    /// <exception cref="TroubleException">There is no such device here.</exception>
    public IDevice Open(ParseResult parsed, RunProfile? profile = null)
    {
        var device = Open(parsed.GetValue(_device)!);
        return profile?.Watch(device) ?? device;
    }

    private static IDevice Open(string name)
    {
        if (name == "virtual") return new VirtualDevice();
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], out _)))
            throw TroubleException.Usage($"--device {name}: there are virtual, cuda and cuda:N");
        if (!CudaDriver.IsAvailable(out var reason)) throw TroubleException.Failed($"--device {name}: {reason}");
        return CudaDevice.Open(name == "cuda" ? 0 : int.Parse(name[5..]));
    }
}
