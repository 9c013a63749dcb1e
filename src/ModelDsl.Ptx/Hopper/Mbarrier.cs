using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Hopper;

/// <summary>
/// A barrier that is a word in shared memory. A phase ends when so many arrivals as it was initialised with have come, and all bytes that
/// were expected; whoever waits names the phase by its parity, the first being 0.
/// </summary>
public sealed class Mbarrier
{
    private readonly KernelBuilder _k;
    private readonly SharedPtr<B64> _word;

    /// <param name="word">Eight bytes of shared memory, aligned.</param>
    public Mbarrier(KernelBuilder k, SharedPtr<B64> word)
    {
        k.Require(Feature.BulkCopy, "mbarrier with transactions");
        (_k, _word) = (k, word);
    }

    internal Operand Address => _word.Address(null);

    /// <summary>One of several barriers that lie one behind the other.</summary>
    public Mbarrier this[S32 index] => new(_k, _word + index);

    /// <summary>By one thread; others see it after <see cref="KernelBuilder.FenceBarrierInit"/> and a barrier of the block.</summary>
    public void Initialise(S32 arrivals) => _k.EmitVoid("mbarrier.init.shared::cta.b64", [], [Address, arrivals.Operand]);

    public void Arrive() => _k.EmitVoid("mbarrier.arrive.shared::cta.b64", [new SymbolOperand("_")], [Address]);

    /// <summary>Arrives at the barrier that lies at this place in another block of the cluster.</summary>
    public void ArriveIn(S32 rank) =>
        _k.EmitVoid("mbarrier.arrive.release.cluster.shared::cluster.b64", [new SymbolOperand("_")], [_k.InBlock(_word, rank).Address(null)]);

    /// <summary>
    /// As <see cref="ArriveIn"/>, by a thread that has only read what the other block may now overwrite: nothing has to reach it before the arrival does. The full form waits for all that the
    /// thread has under way anywhere.
    /// </summary>
    public void ReleaseIn(S32 rank) =>
        _k.EmitVoid("mbarrier.arrive.shared::cluster.b64", [new SymbolOperand("_")], [_k.InBlock(_word, rank).Address(null)]);

    /// <summary>Arrives, and lets the phase last until so many more bytes have been copied.</summary>
    public void ArriveExpecting(S32 bytes) => _k.EmitVoid("mbarrier.arrive.expect_tx.shared::cta.b64", [new SymbolOperand("_")], [Address, bytes.Operand]);

    /// <summary>Arrives when this thread's copies by <c>cp.async</c> until now are there. The arrival is one of those that the phase expects.</summary>
    public void ArriveAfterCopies() => _k.EmitVoid("cp.async.mbarrier.arrive.noinc.shared::cta.b64", [], [Address]);

    /// <summary>Waits for the end of the phase with this parity.</summary>
    public void Wait(S32 parity) => _k.DoWhile(() =>
        !new Pred(_k, _k.EmitOne("mbarrier.try_wait.parity.shared::cta.b64", Effect.Writes, RegisterClass.Pred, [Address, parity.Operand])));
}
