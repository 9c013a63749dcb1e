using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum FloatTest { Finite, Infinite, Number, NotANumber, Normal, Subnormal }

/// <summary><c>testp</c>: predicate D says whether A is of a kind (<c>Imm</c>); <c>Slot</c>: double.</summary>
internal static unsafe class FloatTests
{
    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        uint result = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            double x = i->Slot != 0 ? ((double*)(warp->Registers + i->A))[lane] : ((float*)(warp->Registers + i->A))[lane];
            bool subnormal = i->Slot != 0 ? double.IsSubnormal(x) : float.IsSubnormal((float)x);
            bool holds = (FloatTest)i->Imm switch
            {
                FloatTest.Finite => double.IsFinite(x),
                FloatTest.Infinite => double.IsInfinity(x),
                FloatTest.Number => !double.IsNaN(x),
                FloatTest.NotANumber => double.IsNaN(x),
                FloatTest.Normal => double.IsFinite(x) && x != 0 && !subnormal,
                _ => subnormal,
            };
            if (holds) result |= 1u << lane;
        }
        Lanes.StorePredicate(warp->Registers + i->D, result, mask);
        return i + 1;
    }
}
