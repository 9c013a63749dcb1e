using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>Instructions that no program has: a decoder that checks puts them around the others. <c>Slot</c> is the number of the site.</summary>
internal static unsafe class CheckHandlers
{
    /// <summary>In <c>D</c> of those that run <see cref="Before"/>; no row is there.</summary>
    public const int BeforeMark = int.MinValue;

    /// <summary>Ahead of an instruction, without its guard: the guard is checked too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Before(Warp* warp, Instr* i, uint mask) => Checker(warp).Before(warp, i, mask);

    /// <summary>Where threads go on that have waited at a barrier.</summary>
    public static Instr* After(Warp* warp, Instr* i, uint mask)
    {
        Checker(warp).After(warp, i, mask);
        return i + 1;
    }

    /// <summary>What threads are about to do that stand at an instruction; null where that is nothing checks know of.</summary>
    public static SiteKind? KindAt(Warp* warp, Instr* i) => i->D == BeforeMark ? Checker(warp).KindOf(i->Slot) : null;

    private static BlockChecker Checker(Warp* warp) => Unsafe.As<BlockChecker>(GCHandle.FromIntPtr(warp->Block->Checker).Target!);
}
