using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum BarrierAction { Initialise, Invalidate, Arrive, Drop, Test, TestParity, Expect, Complete }

/// <summary>
/// <c>mbarrier</c> objects: a word with the arrivals still expected in this phase (20 bits), those of the next (20 bits), the bytes of
/// bulk copies still to come (from a bias on, since they may come before they are expected), and the phase's parity. Address row A; state or predicate to D; count, state or parity in row B; action in E.
/// </summary>
internal static unsafe class BarrierObjects
{
    private const ulong CountMask = (1 << 20) - 1;
    private const int ExpectedShift = 20;
    private const int BytesShift = 40;
    private const ulong BytesMask = (1 << 23) - 1;
    private const ulong NoBytes = 1 << 22;
    private const ulong Phase = 1UL << 63;

    public static Instr* Run<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        byte* r = warp->Registers;
        bool isClosed = false;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong* word = (ulong*)TSpace.Resolve(warp, i, lane, sizeof(ulong), sizeof(ulong));
            switch ((BarrierAction)i->E)
            {
                case BarrierAction.Initialise:
                    uint count = ((uint*)(r + i->B))[lane];
                    if (count is 0 or > (uint)CountMask) throw new FaultException(FindingKind.BarrierMismatch, $"an mbarrier expects 1 to {CountMask} arrivals, not {count}", i, lane);
                    *word = count | ((ulong)count << ExpectedShift) | (NoBytes << BytesShift);
                    break;
                case BarrierAction.Expect or BarrierAction.Complete:
                    ulong bytes = ((uint*)(r + i->B))[lane];
                    if (bytes >= NoBytes) throw new FaultException(FindingKind.BarrierMismatch, $"an mbarrier waits for less than {NoBytes} bytes, not {bytes}", i, lane);
                    Transact(warp, word, (BarrierAction)i->E == BarrierAction.Expect ? (long)bytes : -(long)bytes);
                    break;
                case BarrierAction.Invalidate:
                    *word = 0;
                    break;
                case BarrierAction.Test:
                    isClosed |= !Report(warp, word, r + i->D, lane, ((*word ^ ((ulong*)(r + i->B))[lane]) & Phase) != 0);
                    break;
                case BarrierAction.TestParity:
                    isClosed |= !Report(warp, word, r + i->D, lane, (*word & Phase) != 0 != ((((uint*)(r + i->B))[lane] & 1) != 0));
                    break;
                default:
                    Arrive(warp, i, lane, word);
                    break;
            }
        }
        // Whoever waits in a loop gives way at its next turn.
        if (isClosed) warp->Turn = 0;
        return i + 1;
    }

    public static Instr* PendingCount(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ((uint*)(r + i->D))[lane] = (uint)(((ulong*)(r + i->A))[lane] & CountMask);
        }
        return i + 1;
    }

    /// <summary>Bytes that are to come, or (negative) that have come.</summary>
    public static void Transact(Warp* warp, ulong* word, long bytes)
    {
        ulong rest = (*word >> BytesShift & BytesMask) + (ulong)bytes;
        *word = Advance(warp, (*word & ~(BytesMask << BytesShift)) | ((rest & BytesMask) << BytesShift));
    }

    /// <summary>For people: what keeps a phase from ending.</summary>
    public static string Outstanding(ulong word)
    {
        long arrivals = (long)(word & CountMask), bytes = BytesLeft(word);
        string arriving = $"{arrivals} of {word >> ExpectedShift & CountMask} arrivals";
        return bytes switch
        {
            0 => arriving,
            < 0 => $"{arriving}, and {-bytes} bytes more have come than it was told to expect",
            _ => $"{arriving} and {bytes} bytes of copies",
        };
    }

    /// <summary>What copies still have to bring in a phase; negative where they have brought more than was expected.</summary>
    public static long BytesLeft(ulong word) => (long)(word >> BytesShift & BytesMask) - (long)NoBytes;

    private static void Arrive(Warp* warp, Instr* i, int lane, ulong* word)
    {
        byte* r = warp->Registers;
        ulong old = *word, count = ((uint*)(r + i->B))[lane], pending = old & CountMask, expected = old >> ExpectedShift & CountMask;
        if (i->D >= 0) ((ulong*)(r + i->D))[lane] = old;
        if (count == 0 || count > pending)
            throw new FaultException(FindingKind.BarrierMismatch, $"{count} threads arrive at an mbarrier that expects {pending}{(expected == 0 ? ": was it initialised?" : "")}", i, lane);
        if ((BarrierAction)i->E == BarrierAction.Drop) expected -= count;
        pending -= count;
        if (pending == 0 && i->F == 0) throw new FaultException(FindingKind.BarrierMismatch, "an arrival that must not complete the mbarrier's phase does (noComplete)", i, lane);
        *word = Advance(warp, (old & ~(CountMask | CountMask << ExpectedShift)) | pending | expected << ExpectedShift);
    }

    /// <summary>Begins the next phase if everybody has arrived and every byte is there.</summary>
    private static ulong Advance(Warp* warp, ulong word)
    {
        if ((word & CountMask) != 0 || (word >> BytesShift & BytesMask) != NoBytes) return word;
        warp->Block->Cluster->Events++;
        return (word ^ Phase) | (word >> ExpectedShift & CountMask);
    }

    private static bool Report(Warp* warp, ulong* word, byte* predicate, int lane, bool isOpen)
    {
        if (!isOpen) warp->AwaitedBarrier = (uint)((byte*)word - warp->Block->Shared) + 1;
        Lanes.StorePredicate(predicate, isOpen ? Lanes.All : 0, 1u << lane);
        return isOpen;
    }
}
