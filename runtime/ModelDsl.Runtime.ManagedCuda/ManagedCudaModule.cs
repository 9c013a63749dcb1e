using System.Text;
using System.Text.RegularExpressions;
using ManagedCuda.BasicTypes;
using ModelDsl.Runtime.Devices;
using Functions = ManagedCuda.DriverAPINativeMethods.FunctionManagement;
using Modules = ManagedCuda.DriverAPINativeMethods.ModuleManagement;

namespace ModelDsl.Runtime.ManagedCuda;

/// <summary>PTX translated by the driver.</summary>
internal sealed unsafe partial class ManagedCudaModule : IModule
{
    private const int LogBytes = 16 << 10;

    private static readonly CUJITOption[] Options =
    [
        CUJITOption.InfoLogBuffer, CUJITOption.InfoLogBufferSizeBytes, CUJITOption.ErrorLogBuffer, CUJITOption.ErrorLogBufferSizeBytes,
    ];

    private readonly ManagedCudaDevice _device;
    private readonly byte[] _text;
    private CUmodule? _module;

    private ManagedCudaModule(ManagedCudaDevice device, CUmodule module, byte[] text) => (_device, _module, _text) = (device, module, text);

    public static ManagedCudaModule Load(ManagedCudaDevice device, ReadOnlySpan<byte> ptx)
    {
        // The driver reads up to a zero byte.
        var text = new byte[ptx.Length + 1];
        ptx.CopyTo(text);
        var (info, error) = (new byte[LogBytes], new byte[LogBytes]);
        var module = default(CUmodule);
        CUResult result;
        fixed (byte* infoLog = info, errorLog = error)
            result = Modules.cuModuleLoadDataEx(
                ref module, text, (uint)Options.Length, Options, [(nint)infoLog, LogBytes, (nint)errorLog, LogBytes]);
        if (result == CUResult.Success) return new ManagedCudaModule(device, module, text);
        var log = string.Join("\n", new[] { Read(error), Read(info) }.Where(part => part.Length > 0));
        throw new DeviceException($"{device.Name} refuses the PTX: {ManagedCudaDriver.Describe(result)}.{(log.Length > 0 ? "\n" + log : "")}");
    }

    public IKernel GetKernel(string name)
    {
        _device.MakeCurrent();
        ObjectDisposedException.ThrowIf(_module is null, this);
        var function = default(CUfunction);
        var result = Modules.cuModuleGetFunction(ref function, _module.Value, name);
        if (result == CUResult.ErrorNotFound)
        {
            var entries = Entries().Matches(Encoding.UTF8.GetString(_text)).Select(match => match.Groups[1].Value);
            throw new DeviceException($"The module has no kernel '{name}'; it has {string.Join(", ", entries.DefaultIfEmpty("none"))}.");
        }
        ManagedCudaDriver.Check(result, $"Looking up kernel '{name}'");
        return new ManagedCudaKernel(name, function);
    }

    public void Dispose()
    {
        if (_module is not { } module) return;
        if (_device.TryMakeCurrent()) Modules.cuModuleUnload(module);
        _module = null;
    }

    private static string Read(byte[] log) => Encoding.UTF8.GetString(log, 0, Math.Max(0, Array.IndexOf(log, (byte)0))).Trim();

    [GeneratedRegex(@"\.entry\s+([\w$%]+)")]
    private static partial Regex Entries();
}

/// <summary>One kernel, and how much dynamic shared memory it has been allowed so far.</summary>
internal sealed class ManagedCudaKernel(string name, CUfunction function) : IKernel
{
    // What every kernel may use without asking.
    private const int Allowed = 48 << 10;
    private int _sharedBytes = Allowed;

    public string Name { get; } = name;

    public CUfunction Function { get; } = function;

    public void AllowShared(int bytes)
    {
        if (bytes <= _sharedBytes) return;
        ManagedCudaDriver.Check(
            Functions.cuFuncSetAttribute(Function, CUFunctionAttribute.MaxDynamicSharedSizeBytes, bytes),
            $"Giving kernel '{Name}' {bytes:N0} bytes of shared memory");
        _sharedBytes = bytes;
    }
}
