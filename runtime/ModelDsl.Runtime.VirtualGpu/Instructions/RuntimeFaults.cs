using System.Text;
using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Calls of the device's runtime that end the kernel.</summary>
internal static unsafe class RuntimeFaults
{
    private const int LongestText = 1024;

    /// <summary><c>assert</c> did not hold: message in row A, file in B, line in C, function in E.</summary>
    public static Instr* AssertFailed(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        int lane = Bits.TrailingZeroCount(mask);
        string Text(int row) => ReadText(warp, ((ulong*)(r + row))[lane]);
        throw new FaultException(FindingKind.Trap, $"assertion '{Text(i->A)}' failed at {Text(i->B)}:{((uint*)(r + i->C))[lane]} in {Text(i->E)}", i, lane);
    }

    public static Instr* Missing(Warp* warp, Instr* i, uint mask) =>
        throw new FaultException(FindingKind.Trap, "this function of the device's runtime is not there in the virtual GPU", i, Bits.TrailingZeroCount(mask));

    /// <summary>Text up to a zero byte, as far as its allocation goes.</summary>
    private static string ReadText(Warp* warp, ulong address)
    {
        MemoryRange* range = warp->Block->Heap->Find(address);
        if (range == null) return "?";
        var all = new ReadOnlySpan<byte>((byte*)(range->ToHost + (long)address), (int)Math.Min(LongestText, range->Length - (address - range->Start)));
        int end = all.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? all : all[..end]);
    }
}
