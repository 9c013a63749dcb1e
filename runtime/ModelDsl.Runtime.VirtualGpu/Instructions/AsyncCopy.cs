using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>cp.async</c>: done at once, which is one of the orders the hardware may choose. Shared address row D (32 bits, or 64 where
/// <c>F</c> says so) plus C, global address row A plus <c>Imm</c>, source size row B (negative: all), size in E.
/// </summary>
internal static unsafe class AsyncCopy
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        int bytes = i->E;
        BlockState* block = warp->Block;
        byte* origin = i->B < 0 ? GlobalSpace.ResolveAll(warp, i, mask, bytes) : null;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong offset = i->F != 0 ? ((ulong*)(r + i->D))[lane] + (ulong)(long)i->C : ((uint*)(r + i->D))[lane] + (uint)i->C;
            if (i->F == 0) offset = (uint)offset;
            if (offset > block->SharedBytes || offset + (uint)bytes > block->SharedBytes || (offset & (uint)(bytes - 1)) != 0)
                Access.SharedFault(warp, i, lane, offset, bytes, bytes);
            byte* to = block->Shared + offset;
            uint wanted = i->B < 0 ? (uint)bytes : ((uint*)(r + i->B))[lane];
            if (wanted > (uint)bytes) throw new FaultException($"cp.async: source size {wanted} is more than the {bytes} bytes copied", i, lane);
            if (wanted == 0)
            {
                new Span<byte>(to, bytes).Clear();
                continue;
            }
            byte* from = origin != null ? origin + GlobalSpace.Offset(warp, i, lane) : GlobalSpace.Resolve(warp, i, lane, bytes, (int)wanted);
            if (wanted == 16)
            {
                Vector128.Load(from).Store(to);
                continue;
            }
            for (int k = 0; k < bytes; k++) to[k] = k < wanted ? from[k] : (byte)0;
        }
        return i + 1;
    }
}
