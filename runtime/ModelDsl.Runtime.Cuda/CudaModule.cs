using System.Text;
using System.Text.RegularExpressions;
using ModelDsl.Runtime.Cuda.Driver;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Cuda;

/// <summary>PTX translated by the driver.</summary>
internal sealed unsafe partial class CudaModule : IModule
{
    private const int LogBytes = 16 << 10;
    private readonly CudaDevice _device;
    private readonly byte[] _text;
    private nint _module;

    private CudaModule(CudaDevice device, nint module, byte[] text) => (_device, _module, _text) = (device, module, text);

    public static CudaModule Load(CudaDevice device, ReadOnlySpan<byte> ptx)
    {
        // The driver reads up to a zero byte.
        var text = new byte[ptx.Length + 1];
        ptx.CopyTo(text);
        var (info, error) = (new byte[LogBytes], new byte[LogBytes]);
        nint module;
        CudaResult result;
        fixed (byte* image = text, infoLog = info, errorLog = error)
        {
            var options = stackalloc CudaJitOption[4];
            var values = stackalloc nint[4];
            (options[0], values[0]) = (CudaJitOption.InfoLogBuffer, (nint)infoLog);
            (options[1], values[1]) = (CudaJitOption.InfoLogBufferSizeBytes, LogBytes);
            (options[2], values[2]) = (CudaJitOption.ErrorLogBuffer, (nint)errorLog);
            (options[3], values[3]) = (CudaJitOption.ErrorLogBufferSizeBytes, LogBytes);
            result = CudaApi.ModuleLoadDataEx(&module, image, 4, options, values);
        }
        if (result == CudaResult.Success) return new CudaModule(device, module, text);
        var log = string.Join("\n", new[] { Read(error), Read(info) }.Where(part => part.Length > 0));
        throw new DeviceException($"{device.Name} refuses the PTX: {CudaDriver.Describe(result)}.{(log.Length > 0 ? "\n" + log : "")}");
    }

    public IKernel GetKernel(string name)
    {
        _device.MakeCurrent();
        nint function;
        var result = CudaApi.ModuleGetFunction(&function, _module, name);
        if (result == CudaResult.NotFound)
        {
            var entries = Entries().Matches(Encoding.UTF8.GetString(_text)).Select(match => match.Groups[1].Value);
            throw new DeviceException($"The module has no kernel '{name}'; it has {string.Join(", ", entries.DefaultIfEmpty("none"))}.");
        }
        CudaDriver.Check(result, $"Looking up kernel '{name}'");
        return new CudaKernel(name, function);
    }

    public void Dispose()
    {
        if (_module == 0) return;
        if (_device.TryMakeCurrent()) CudaApi.ModuleUnload(_module);
        _module = 0;
    }

    private static string Read(byte[] log) => Encoding.UTF8.GetString(log, 0, Math.Max(0, Array.IndexOf(log, (byte)0))).Trim();

    [GeneratedRegex(@"\.entry\s+([\w$%]+)")]
    private static partial Regex Entries();
}

/// <summary>One kernel, and how much dynamic shared memory it has been allowed so far.</summary>
internal sealed class CudaKernel(string name, nint function) : IKernel
{
    // What every kernel may use without asking.
    private const int Allowed = 48 << 10;
    private int _sharedBytes = Allowed;

    public string Name { get; } = name;

    public nint Function { get; } = function;

    public void AllowShared(int bytes)
    {
        if (bytes <= _sharedBytes) return;
        CudaDriver.Check(
            CudaApi.FuncSetAttribute(Function, CudaFunctionAttribute.MaxDynamicSharedSizeBytes, bytes),
            $"Giving kernel '{Name}' {bytes:N0} bytes of shared memory");
        _sharedBytes = bytes;
    }
}
