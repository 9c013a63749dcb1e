namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>How large a virtual GPU is.</summary>
public sealed record VirtualDeviceOptions
{
    /// <summary>Threads that run blocks, and with that the number of multiprocessors.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Device memory in bytes. It costs nothing until it is touched.</summary>
    public long MemoryBytes { get; init; } = 64L << 30;

    /// <summary>Shared memory a block may have, in bytes, as on Hopper.</summary>
    public int SharedBytesPerBlock { get; init; } = 227 * 1024;

    /// <summary>Backward branches a warp may take in one block before it counts as looping forever; a sixteenth of it where anything is checked.</summary>
    public long BranchBudget { get; init; } = 1L << 32;

    /// <summary>
    /// Fraction bits that <c>wgmma</c> keeps while it sums FP8 products: 0 for single precision. Hopper is said to keep 13, shifting all products of an
    /// instruction to the largest exponent and cutting off the rest.
    /// </summary>
    public int Fp8SumBits { get; init; }

    /// <summary>Counts what kernels execute by class of instruction; see <see cref="KernelCost.Mix"/>. Costs a tenth of the speed or two.</summary>
    public bool CountsClasses { get; init; }

    /// <summary>What to look for while kernels run; what is found is in <see cref="VirtualDevice.Findings"/>. Kernels run some ten times slower then, on one thread.</summary>
    public VirtualGpuChecks Checks { get; init; }
}
