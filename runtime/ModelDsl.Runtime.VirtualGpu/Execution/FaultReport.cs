using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Says of a fault what a person needs: kernel, line and its text, block, thread, address, nearest allocation.</summary>
internal static unsafe class FaultReport
{
    /// <summary>Takes out of a fault what the warp's memory holds now and not later.</summary>
    public static Exception Keep(FaultException fault) =>
        new LocatedFault(fault, fault.At->Source, fault.Other == null ? -1 : fault.Other->Source, fault.Warp->Index);

    /// <summary>The exception that ends the launch. Where checks are on the fault is a finding like any other, too.</summary>
    public static DeviceException Describe(Exception failure, LaunchInfo launch, long block, DeviceHeap heap)
    {
        string name = launch.Kernel.Function.Name;
        if (failure is not LocatedFault located) return new DeviceException($"kernel '{name}' failed inside the virtual GPU: {failure.Message}", failure);
        FaultException fault = located.Fault;
        string what = fault.Message;
        FindingKind kind = fault.Kind;
        if (fault is OutOfBoundsException { Address: { } outside })
        {
            bool isFreed = heap.IsFreed(outside);
            if (isFreed) kind = FindingKind.UseAfterFree;
            what += $": {(isFreed ? "the memory there has been freed" : heap.Nearest(outside))}";
        }
        CodePlace at = launch.Place(located.Position);
        Dim3 blockAt = launch.BlockAt(block), thread = launch.ThreadAt(located.Warp * 32 + Math.Max(0, fault.Lane));
        if (!launch.Explained.Contains(located.Position))
        {
            CodePlace? other = located.OtherPosition < 0 ? null : launch.Place(located.OtherPosition);
            launch.Findings?.Add(new Finding(kind, name, at, other, blockAt, thread, fault.Address, what, Remedies.Of(kind)));
        }
        string who = fault.Lane >= 0 ? $"thread {thread}" : $"warp {located.Warp}";
        return new DeviceException($"kernel '{name}', block {blockAt}, {who}: {what}\n    ptx line {at.Line}: {at.Text}", failure) { IsKernelFault = true };
    }

    private sealed class LocatedFault(FaultException fault, int position, int otherPosition, int warp) : Exception(fault.Message, fault)
    {
        public FaultException Fault { get; } = fault;
        public int Position { get; } = position;
        public int OtherPosition { get; } = otherPosition;
        public int Warp { get; } = warp;
    }
}
