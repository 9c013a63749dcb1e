using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

public sealed partial class KernelBuilder
{
    private readonly List<(string Name, int Bytes, int Align)> _shared = [];

    internal IReadOnlyList<(string Name, int Bytes, int Align)> SharedVariables => _shared;

    internal bool UsesDynamicShared { get; private set; }

    /// <summary>Bytes of dynamic shared memory that a launch must give.</summary>
    public int DynamicSharedBytes { get; private set; }

    /// <summary>What the start of dynamic shared memory is a multiple of.</summary>
    internal int DynamicSharedAlign { get; private set; } = 128;

    /// <summary>A shared array of fixed size. All of a kernel's together may take 48 KiB.</summary>
    public SharedPtr<T> Shared<T>(string name, int count, int align = 16) where T : Value
    {
        if (_shared.Any(s => s.Name == name)) throw new PtxException($"kernel '{Name}' has two shared arrays '{name}'");
        _shared.Add((name, count * Element<T>.Value.Bytes, align));
        return new SharedPtr<T>(this, new SymbolOperand(name), 0);
    }

    /// <summary>The next piece of dynamic shared memory, which may exceed 48 KiB; see <see cref="DynamicSharedBytes"/>.</summary>
    public SharedPtr<T> DynamicShared<T>(int count, int align = 16) where T : Value
    {
        var start = (DynamicSharedBytes + align - 1) / align * align;
        DynamicSharedBytes = start + count * Element<T>.Value.Bytes;
        UsesDynamicShared = true;
        DynamicSharedAlign = Math.Max(DynamicSharedAlign, align);
        return new SharedPtr<T>(this, new SymbolOperand(PtxModule.DynamicShared), start);
    }

    /// <summary>A pointer into shared memory from an address computed by the kernel.</summary>
    public SharedPtr<T> SharedAt<T>(S32 address) where T : Value => new(this, InRegister(address), 0);

    /// <summary>A pointer into global memory from an address computed by the kernel.</summary>
    public GlobalPtr<T> GlobalAt<T>(U64 address) where T : Value => new(this, InRegister(address), 0);

    /// <summary>Waits for all threads of the block.</summary>
    public void SyncThreads() => EmitVoid("bar.sync", [], [((S32)0).Operand]);

    /// <summary>Waits for so many threads at barrier 1 to 15.</summary>
    public void Barrier(S32 id, S32 threads) => EmitVoid("bar.sync", [], [id.Operand, threads.Operand]);

    /// <summary>Counts as having come to barrier 1 to 15, which so many threads use, and goes on; others wait by <see cref="Barrier"/>.</summary>
    public void BarrierArrive(S32 id, S32 threads) => EmitVoid("bar.arrive", [], [id.Operand, threads.Operand]);

    /// <summary>Waits for the threads of the warp, and orders their memory accesses.</summary>
    public void SyncWarp(uint mask = 0xFFFFFFFF) => EmitVoid("bar.warp.sync", [], [((B32)mask).Operand]);

    /// <summary>Orders this thread's accesses for the whole device.</summary>
    public void FenceDevice() => EmitVoid("membar.gl", [], []);

    /// <summary>
    /// Copies 4, 8 or 16 bytes from global to shared memory in the background. Bytes beyond <paramref name="sourceBytes"/> become zero
    /// and are not read. Both addresses must be multiples of <paramref name="bytes"/>.
    /// </summary>
    /// <param name="bypassL1">Only with 16 bytes.</param>
    public void CopyAsync<T, U>(
        SharedPtr<T> destination, GlobalPtr<U> source, int bytes, S32? sourceBytes = null, bool bypassL1 = true, Pred? predicate = null)
        where T : Value where U : Value
    {
        Require(Targets.Feature.AsyncCopy, "cp.async");
        if (bytes is not (4 or 8 or 16)) throw new PtxException($"cp.async copies 4, 8 or 16 bytes, not {bytes}");
        Operand[] sources = [destination.Address(null), source.Address(null), ((S32)bytes).Operand];
        if (sourceBytes is not null) sources = [.. sources, sourceBytes.Operand];
        EmitVoid($"cp.async.{(bytes == 16 && bypassL1 ? "cg" : "ca")}.shared.global", [], sources, predicate: predicate);
    }

    /// <summary>Ends a group of background copies.</summary>
    public void CopyAsyncCommit() => EmitVoid("cp.async.commit_group", [], []);

    /// <summary>Waits until at most so many of the newest groups of this thread are still under way.</summary>
    public void CopyAsyncWait(int pendingGroups) => EmitVoid("cp.async.wait_group", [], [((S32)pendingGroups).Operand]);
}
