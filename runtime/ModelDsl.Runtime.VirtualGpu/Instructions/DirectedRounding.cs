using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum DirectedOperation { Add, Subtract, Multiply, Divide, MultiplyAdd, SquareRoot, Reciprocal }

/// <summary>
/// Single precision with <c>.rz</c>, <c>.rm</c>, <c>.rp</c>: the result in double rounded to odd, which keeps everything the
/// final rounding needs. Operation in <c>E</c>, rounding in <c>F</c>, flush in <c>Slot</c>.
/// </summary>
internal static unsafe class DirectedRounding
{
    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        float* a = (float*)(warp->Registers + i->A), b = (float*)(warp->Registers + i->B), c = (float*)(warp->Registers + i->C);
        uint* d = (uint*)(warp->Registers + i->D);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            double x = Input(a[lane], i->Slot), y = i->B < 0 ? 0 : Input(b[lane], i->Slot), z = i->C < 0 ? 0 : Input(c[lane], i->Slot);
            double exact = (DirectedOperation)i->E switch
            {
                DirectedOperation.Add => SumToOdd(x, y),
                DirectedOperation.Subtract => SumToOdd(x, -y),
                DirectedOperation.Multiply => x * y,
                DirectedOperation.Divide => QuotientToOdd(x, y),
                DirectedOperation.Reciprocal => QuotientToOdd(1, x),
                DirectedOperation.SquareRoot => RootToOdd(x),
                _ => SumToOdd(x * y, z),
            };
            Rounding rounding = (Rounding)i->F;
            // An exact zero from terms of opposite sign is negative only when rounding down.
            if (exact == 0 && (DirectedOperation)i->E is DirectedOperation.Add or DirectedOperation.Subtract or DirectedOperation.MultiplyAdd && rounding == Rounding.Down && !double.IsNegative(exact))
            {
                bool bothPositive = (DirectedOperation)i->E switch
                {
                    DirectedOperation.Add => !double.IsNegative(x) && !double.IsNegative(y),
                    DirectedOperation.Subtract => !double.IsNegative(x) && double.IsNegative(y),
                    _ => !double.IsNegative(x * y) && !double.IsNegative(z),
                };
                if (!bothPositive) exact = -0.0;
            }
            uint result = (uint)FloatFormat.Of(PtxType.F32).Pack(Unpacked.From(PtxType.F64, BitConverter.DoubleToUInt64Bits(exact)), rounding, saturate: false);
            if (i->Slot != 0 && (result & 0x7F800000) == 0) result &= 0x80000000;
            d[lane] = result;
        }
        return i + 1;
    }

    /// <summary>x + y rounded to odd: rounding that to fewer bits gives what rounding the exact sum would.</summary>
    public static double SumToOdd(double x, double y)
    {
        double sum = x + y;
        if (!double.IsFinite(sum)) return sum;
        double yPart = sum - x, error = (x - (sum - yPart)) + (y - yPart);
        return ToOdd(sum, error);
    }

    private static double QuotientToOdd(double x, double y)
    {
        double quotient = x / y;
        if (!double.IsFinite(quotient) || quotient == 0) return quotient;
        double rest = Math.FusedMultiplyAdd(-quotient, y, x);
        return ToOdd(quotient, y < 0 ? -rest : rest);
    }

    private static double RootToOdd(double x)
    {
        double root = Math.Sqrt(x);
        return double.IsFinite(root) && root != 0 ? ToOdd(root, Math.FusedMultiplyAdd(-root, root, x)) : root;
    }

    private static double ToOdd(double value, double error)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        if (error == 0 || (bits & 1) != 0) return value;
        return BitConverter.Int64BitsToDouble((error > 0) == (value > 0) ? bits + 1 : bits - 1);
    }

    private static double Input(float x, int flush) => flush != 0 && float.IsSubnormal(x) ? (float.IsNegative(x) ? -0.0 : 0.0) : x;
}
