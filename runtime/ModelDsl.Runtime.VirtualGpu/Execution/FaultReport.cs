using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Says of a fault what a person needs: kernel, line and its text, block, thread, address, nearest allocation.</summary>
internal static unsafe class FaultReport
{
    /// <summary>Takes out of a fault what the warp's memory holds now and not later.</summary>
    public static Exception Keep(FaultException fault) => new LocatedFault(fault, fault.At->Source, fault.Warp->Index);

    public static DeviceException Describe(Exception failure, LaunchInfo launch, long block, DeviceHeap heap)
    {
        string name = launch.Kernel.Function.Name;
        if (failure is not LocatedFault located) return new DeviceException($"kernel '{name}' failed inside the virtual GPU: {failure.Message}", failure);
        PtxSource source = launch.Kernel.Module.Source;
        int position = located.Position;
        int line = source.Locate(position).Line;
        Dim3 grid = launch.Grid, threads = launch.Block;
        var at = new Dim3((int)(block % grid.X), (int)(block / grid.X % grid.Y), (int)(block / ((long)grid.X * grid.Y)));
        int linear = located.Warp * 32 + Math.Max(0, located.Fault.Lane);
        var thread = new Dim3(linear % threads.X, linear / threads.X % threads.Y, linear / (threads.X * threads.Y));
        string who = located.Fault.Lane >= 0 ? $"thread {thread}" : $"warp {located.Warp}";
        string what = located.Fault.Message;
        if (located.Fault is OutOfBoundsException outside) what += $": {heap.Nearest(outside.Address)}";
        return new DeviceException($"kernel '{name}', block {at}, {who}: {what}\n    ptx line {line}: {source.LineAt(position)}", failure);
    }

    private sealed class LocatedFault(FaultException fault, int position, int warp) : Exception(fault.Message, fault)
    {
        public FaultException Fault { get; } = fault;
        public int Position { get; } = position;
        public int Warp { get; } = warp;
    }
}
