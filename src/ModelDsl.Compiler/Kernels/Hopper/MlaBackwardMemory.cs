using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Shared memory of <see cref="MlaPrefillBackward"/>. Each side has a deep tile (queries or keys: nope and rope) and a tile of values (dO or v); the block's own stay, the other
/// side's go through a ring. Tiles are columns of 64 elements one behind the other, in swizzled rows of 128 bytes.
/// </summary>
internal sealed class MlaBackwardMemory
{
    private const int Own = MlaPrefillBackward.OwnRows, Other = MlaPrefillBackward.OtherRows, Stages = MlaPrefillBackward.Stages;

    private readonly SharedPtr<U8> _otherDeep, _otherValues;
    private readonly SharedPtr<F32> _numbers;
    private readonly int _depth, _values;

    public MlaBackwardMemory(KernelBuilder k, MlaPrefillBackward kernel)
    {
        (_depth, _values) = (kernel.Forward.Depth, kernel.Forward.VDim);
        OwnDeep = k.DynamicShared<U8>(Own * _depth * 2, align: 1024);
        OwnValues = k.DynamicShared<U8>(Own * _values * 2, align: 1024);
        _otherDeep = k.DynamicShared<U8>(Stages * Other * _depth * 2, align: 1024);
        _otherValues = k.DynamicShared<U8>(Stages * Other * _values * 2, align: 1024);
        _numbers = k.DynamicShared<F32>(kernel.OwnsKeys ? Stages * 2 * Other : 0, align: 16);
        // The copying thread and the lanes that copy numbers make a stage full, a lane of each math warp makes it empty.
        Ring = new StagePipeline(k, Stages, fills: kernel.OwnsKeys ? 33 : 1, releases: 8);
        OwnFull = new Mbarrier(k, k.DynamicShared<B64>(1, align: 8));
        Unused = k.DynamicShared<F32>(1, align: 4);
    }

    public SharedPtr<U8> OwnDeep { get; }

    public SharedPtr<U8> OwnValues { get; }

    public StagePipeline Ring { get; }

    public Mbarrier OwnFull { get; }

    /// <summary>A number that nobody reads.</summary>
    public SharedPtr<F32> Unused { get; }

    public static int Bytes(MlaPrefillBackward kernel) =>
        2 * (Own + Stages * Other) * (kernel.Forward.Depth + kernel.Forward.VDim) + (kernel.OwnsKeys ? Stages * 2 * Other * sizeof(float) : 0)
        + StagePipeline.SharedBytes(Stages) + sizeof(ulong) + sizeof(float);

    public SharedPtr<U8> OtherDeep(S32 stage) => _otherDeep.AddBytes(stage * (Other * _depth * 2));

    public SharedPtr<U8> OtherValues(S32 stage) => _otherValues.AddBytes(stage * (Other * _values * 2));

    /// <summary>For 64 queries lse to base two, then delta.</summary>
    public SharedPtr<F32> Numbers(S32 stage) => _numbers + stage * (2 * Other);

    public void Initialise()
    {
        OwnFull.Initialise(1);
        Ring.Initialise();
    }
}
