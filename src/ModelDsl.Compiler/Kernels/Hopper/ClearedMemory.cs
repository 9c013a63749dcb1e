using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Shared memory that starts as zeros, since copies into it may stop where a tensor does and what is behind that is multiplied, too.</summary>
internal static class ClearedMemory
{
    private const int Vector = 4;

    /// <summary>By all threads of the block, which have to meet at a barrier before anything is copied there.</summary>
    /// <param name="count">Elements, a multiple of 4.</param>
    public static void Write(KernelBuilder k, SharedPtr<F32> at, int threads, int count)
    {
        for (var first = 0; first < count; first += threads * Vector)
            k.If(first + threads * Vector <= count ? true : k.ThreadIdX < (count - first) / Vector, () => (at + k.ThreadIdX * Vector).StoreVector([0f, 0f, 0f, 0f], first));
        k.FenceAsyncProxy();
    }
}
