using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Shared memory of <see cref="MlaPrefill"/>: queries, and rings of keys and of values. Each tile is columns of 64 elements one behind the other, in swizzled rows
/// of 128 bytes.
/// </summary>
internal sealed class MlaPrefillMemory
{
    private readonly SharedPtr<U8> _k, _v;
    private readonly int _keyBytes, _valueBytes;

    public MlaPrefillMemory(KernelBuilder k, MlaPrefill kernel)
    {
        (_keyBytes, _valueBytes) = (MlaPrefill.Keys * kernel.Depth * 2, MlaPrefill.Keys * kernel.VDim * 2);
        Q = k.DynamicShared<U8>(MlaPrefill.Rows * kernel.Depth * 2, align: 1024);
        _k = k.DynamicShared<U8>(MlaPrefill.Stages * _keyBytes, align: 1024);
        _v = k.DynamicShared<U8>(MlaPrefill.Stages * _valueBytes, align: 1024);
        // The copying thread makes a stage full, a lane of each math warp makes it empty.
        Keys = new StagePipeline(k, MlaPrefill.Stages, fills: 1, releases: 8);
        Values = new StagePipeline(k, MlaPrefill.Stages, fills: 1, releases: 8);
        QueriesFull = new Mbarrier(k, k.DynamicShared<B64>(1, align: 8));
        Unused = k.DynamicShared<F32>(1, align: 4);
    }

    public SharedPtr<U8> Q { get; }

    public StagePipeline Keys { get; }

    public StagePipeline Values { get; }

    public Mbarrier QueriesFull { get; }

    /// <summary>A number that nobody reads.</summary>
    public SharedPtr<F32> Unused { get; }

    public static int Bytes(MlaPrefill kernel) =>
        2 * (MlaPrefill.Rows * kernel.Depth + MlaPrefill.Stages * MlaPrefill.Keys * (kernel.Depth + kernel.VDim)) + 2 * StagePipeline.SharedBytes(MlaPrefill.Stages) + sizeof(ulong) + sizeof(float);

    public SharedPtr<U8> K(S32 stage) => _k.AddBytes(stage * _keyBytes);

    public SharedPtr<U8> V(S32 stage) => _v.AddBytes(stage * _valueBytes);

    public void Initialise()
    {
        QueriesFull.Initialise(1);
        Keys.Initialise();
        Values.Initialise();
    }
}
