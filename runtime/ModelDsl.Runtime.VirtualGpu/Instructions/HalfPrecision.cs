using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Arithmetic on <c>.f16</c> and <c>.bf16</c> where going through single precision would round twice.</summary>
internal static unsafe class HalfPrecision
{
    /// <summary>D = A·B + C with one rounding. <c>Imm</c>: type, then flags relu and sat; <c>Slot</c>: two values packed.</summary>
    public static Instr* MultiplyAdd(Warp* warp, Instr* i, uint mask)
    {
        PtxType type = (PtxType)(byte)i->Imm;
        bool relu = (i->Imm >> 8 & 1) != 0, saturate = (i->Imm >> 9 & 1) != 0;
        uint* a = (uint*)(warp->Registers + i->A), b = (uint*)(warp->Registers + i->B), c = (uint*)(warp->Registers + i->C), d = (uint*)(warp->Registers + i->D);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint result = Fma(type, a[lane], b[lane], c[lane], relu, saturate);
            if (i->Slot != 0) result |= Fma(type, a[lane] >> 16, b[lane] >> 16, c[lane] >> 16, relu, saturate) << 16;
            d[lane] = result;
        }
        return i + 1;
    }

    public static ulong Combine(AtomicOperation operation, PtxType type, ulong a, ulong b)
    {
        double x = Value(type, a), y = Value(type, b);
        return operation switch
        {
            AtomicOperation.Add => Round(type, DirectedRounding.SumToOdd(x, y)),
            AtomicOperation.Min => Round(type, double.MinNumber(x, y)),
            _ => Round(type, double.MaxNumber(x, y)),
        };
    }

    private static uint Fma(PtxType type, uint a, uint b, uint c, bool relu, bool saturate)
    {
        // The product of two such values is exact in a double; only the sum rounds.
        double result = DirectedRounding.SumToOdd(Value(type, a & 0xFFFF) * Value(type, b & 0xFFFF), Value(type, c & 0xFFFF));
        if (relu && result < 0) result = 0;
        if (saturate) result = double.IsNaN(result) ? 0 : Math.Clamp(result, 0, 1);
        return (uint)Round(type, result);
    }

    private static double Value(PtxType type, ulong bits) => type == PtxType.F16
        ? (double)BitConverter.UInt16BitsToHalf((ushort)bits)
        : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static ulong Round(PtxType type, double value) =>
        FloatFormat.Of(type).Pack(Unpacked.From(PtxType.F64, BitConverter.DoubleToUInt64Bits(value)), Rounding.NearestEven, saturate: false);
}
