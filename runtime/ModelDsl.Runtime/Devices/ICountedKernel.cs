namespace ModelDsl.Runtime.Devices;

/// <summary>A kernel whose device counts what it executes.</summary>
public interface ICountedKernel : IKernel
{
    /// <summary>Instructions that warps have executed in all launches so far, each counted once per warp.</summary>
    ulong WarpInstructions { get; }

    /// <summary>The same by class; zero where the device does not count by class.</summary>
    InstructionMix Mix { get; }
}
