using System.Numerics;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Finds out that a cluster loops without a change: registers and places in the code of all its warps are what they were before.</summary>
internal sealed unsafe class SpinWatch
{
    /// <summary>Turns that warps use up in loops before it is looked at for the first time.</summary>
    private const int FirstTurns = 8;

    /// <summary>After so many turns others get theirs, whatever has changed.</summary>
    private const int SliceTurns = 4096;

    private ulong _state;
    private int _turns;
    private long _events;

    /// <summary>True once the cluster has been found to spin.</summary>
    public bool HasSpun { get; private set; }

    public void Reset() => (_state, _turns, _events, HasSpun) = (0, 0, 0, false);

    /// <summary>
    /// Called when warps have used up turns. True if nothing has changed since the last time it was looked at, or if it is time to let others run.
    /// </summary>
    public bool IsSpinning(Cluster* cluster, int registerBytes)
    {
        _turns++;
        if (!HasSpun && _turns % FirstTurns != 0) return false;
        // Where something happens that only happens when a kernel gets on, nobody need look at all its registers.
        bool isEventful = cluster->Events != _events;
        _events = cluster->Events;
        if (isEventful && _turns % SliceTurns != 0) return false;
        ulong before = _state;
        _state = 17;
        for (int rank = 0; rank < cluster->Count; rank++) _state = Hash((*cluster)[rank], registerBytes, _state);
        if (_state != before && _turns % SliceTurns != 0) return false;
        HasSpun = true;
        return true;
    }

    private static ulong Hash(BlockState* block, int registerBytes, ulong hash)
    {
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            hash = Mix(hash, (uint)warp->SplitCount);
            if (warp->SplitCount == 0) continue;
            for (int s = 0; s < warp->SplitCount; s++)
                hash = Mix(Mix(hash, (ulong)warp->Splits[s].Next), warp->Splits[s].Mask | ((ulong)warp->Splits[s].State << 32));
            ulong* words = (ulong*)warp->Registers;
            for (int k = 0; k < registerBytes / 8; k++) hash = Mix(hash, words[k]);
        }
        return hash;
    }

    private static ulong Mix(ulong hash, ulong word) => BitOperations.RotateLeft(hash ^ word, 29) * 0x9E37_79B9_7F4A_7C15;
}
