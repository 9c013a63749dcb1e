using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Conformance;

/// <summary>Runs rows on a device.</summary>
public static class Runner
{
    private const byte Untouched = 0xA5;

    /// <summary>What the row's kernel leaves in the output.</summary>
    /// <exception cref="DeviceException">The device refuses the text, or the kernel faults.</exception>
    public static byte[] Run(IDevice device, Row row, Case data)
    {
        using var stream = device.CreateStream();
        using var module = device.LoadModule(Encoding.UTF8.GetBytes(row.Ptx));
        var buffers = new List<DeviceMemory>();
        try
        {
            foreach (var input in data.Inputs)
            {
                buffers.Add(device.Allocate(Math.Max(1, input.Length)));
                stream.Upload(input, buffers[^1].Address);
            }
            var output = data.Output?.ToArray() ?? Enumerable.Repeat(Untouched, data.Expected.Length * data.Width).ToArray();
            buffers.Add(device.Allocate(output.Length));
            stream.Upload(output, buffers[^1].Address);
            KernelArgument[] arguments = [.. buffers.Select(buffer => (KernelArgument)buffer), .. data.Scalars, .. data.Maps.Select(map => device.Encode(map.Of(buffers[map.Buffer].Address)))];
            stream.Launch(module.GetKernel("k"), row.Grid, row.Block, row.SharedBytes, arguments);
            stream.Synchronize();
            stream.Download(buffers[^1].Address, output);
            return output;
        }
        finally
        {
            foreach (var buffer in buffers) buffer.Dispose();
        }
    }
}
