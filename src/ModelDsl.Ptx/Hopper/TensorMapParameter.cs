using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Hopper;

/// <summary>A tensor map that a kernel gets by value: tiles of a tensor go between global and shared memory by one instruction of one thread.</summary>
public sealed class TensorMapParameter
{
    private readonly KernelBuilder _k;
    private readonly Operand _address;

    internal TensorMapParameter(KernelBuilder k, Operand address) => (_k, _address) = (k, address);

    /// <summary>Brings the map itself near; for the start of a kernel.</summary>
    public void Prefetch() => _k.EmitVoid("prefetch.tensormap", [], [new AddressOperand(_address, 0)]);

    /// <summary>Copies the tile at these coordinates (the fastest first) to shared memory; its bytes are taken off what the barrier expects.</summary>
    public void Load<T>(SharedPtr<T> to, Mbarrier barrier, params S32[] at) where T : Value => _k.EmitVoid(
        $"cp.async.bulk.tensor.{at.Length}d.shared::cluster.global.mbarrier::complete_tx::bytes", [], [to.Address(null), Tile(at), barrier.Address]);

    /// <summary>
    /// Copies the tile to the same place of all blocks of the cluster whose bits are set; each block's own barrier, at the same place as this one's, has
    /// the bytes taken off.
    /// </summary>
    public void LoadForCluster<T>(SharedPtr<T> to, Mbarrier barrier, S32 blocks, params S32[] at) where T : Value => _k.EmitVoid(
        $"cp.async.bulk.tensor.{at.Length}d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster", [],
        [to.Address(null), Tile(at), barrier.Address, _k.InRegister(_k.LowB16(blocks.As<B32>()))]);

    /// <summary>
    /// Copies a tile from shared memory; what lies outside of the tensor is not written. Threads that wrote it have to call
    /// <see cref="KernelBuilder.FenceAsyncProxy"/> first.
    /// </summary>
    public void Store<T>(SharedPtr<T> from, params S32[] at) where T : Value =>
        _k.EmitVoid($"cp.async.bulk.tensor.{at.Length}d.global.shared::cta.bulk_group", [], [Tile(at), from.Address(null)]);

    /// <summary>As <see cref="Store{T}"/>, but adds the tile to what is there: each element at once, in whatever order blocks come.</summary>
    public void Add<T>(SharedPtr<T> from, params S32[] at) where T : Value =>
        _k.EmitVoid($"cp.reduce.async.bulk.tensor.{at.Length}d.global.shared::cta.add.tile.bulk_group", [], [Tile(at), from.Address(null)]);

    private TileOperand Tile(S32[] at) => new(_address, [.. at.Select(c => c.Operand)]);
}
