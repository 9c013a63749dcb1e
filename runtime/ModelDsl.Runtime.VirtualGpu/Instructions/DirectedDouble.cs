using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// Double precision with <c>.rz</c>, <c>.rm</c>, <c>.rp</c>: exact in 128 bits, where what lies below the lowest bit is kept as a
/// single one in it, then rounded once. Operation in <c>E</c>, rounding in <c>F</c>.
/// </summary>
internal static unsafe class DirectedDouble
{
    /// <summary>±Magnitude·2^Exponent; an odd magnitude may stand for more or less than itself by less than one.</summary>
    private readonly record struct Exact(bool Negative, UInt128 Magnitude, int Exponent);

    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        double* a = (double*)(warp->Registers + i->A), b = (double*)(warp->Registers + i->B), c = (double*)(warp->Registers + i->C);
        ulong* d = (ulong*)(warp->Registers + i->D);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            d[lane] = Compute((DirectedOperation)i->E, (Rounding)i->F, a[lane], i->B < 0 ? 0 : b[lane], i->C < 0 ? 0 : c[lane]);
        }
        return i + 1;
    }

    private static ulong Compute(DirectedOperation operation, Rounding rounding, double x, double y, double z)
    {
        double nearest = operation switch
        {
            DirectedOperation.Add => x + y,
            DirectedOperation.Subtract => x - y,
            DirectedOperation.Multiply => x * y,
            DirectedOperation.Divide => x / y,
            DirectedOperation.Reciprocal => 1 / x,
            DirectedOperation.SquareRoot => Math.Sqrt(x),
            _ => Math.FusedMultiplyAdd(x, y, z),
        };
        bool isFinite = double.IsFinite(x) && double.IsFinite(y) && double.IsFinite(z);
        if (double.IsNaN(nearest)) return 0x7FFFFFFFFFFFFFFF;
        // Infinite operands and quotients by zero are as exact as zeros are.
        bool byZero = (operation == DirectedOperation.Divide && y == 0) || (operation == DirectedOperation.Reciprocal && x == 0);
        if (!isFinite || byZero) return BitConverter.DoubleToUInt64Bits(nearest);
        Exact value = operation switch
        {
            DirectedOperation.Add => Sum(Of(x), Of(y)),
            DirectedOperation.Subtract => Sum(Of(x), Of(-y)),
            DirectedOperation.Multiply => Product(x, y),
            DirectedOperation.Divide => Quotient(x, y),
            DirectedOperation.Reciprocal => Quotient(1, x),
            DirectedOperation.SquareRoot => Root(x),
            _ => Sum(Product(x, y), Of(z)),
        };
        if (value.Magnitude == 0)
        {
            // A sum of opposite numbers is negative when rounding down only; every other zero has the sign of the nearest.
            bool isSum = operation is DirectedOperation.Add or DirectedOperation.Subtract or DirectedOperation.MultiplyAdd;
            return isSum && rounding == Rounding.Down && !BothPositive(operation, x, y, z) ? 1UL << 63 : BitConverter.DoubleToUInt64Bits(nearest);
        }
        int excess = Math.Max(0, 66 - (int)UInt128.LeadingZeroCount(value.Magnitude));
        UInt128 kept = value.Magnitude >> excess;
        if (kept << excess != value.Magnitude) kept |= 1;
        return FloatFormat.Of(PtxType.F64).Pack(new Unpacked(NumberClass.Finite, value.Negative, (ulong)kept, value.Exponent + excess), rounding, saturate: false);
    }

    private static bool BothPositive(DirectedOperation operation, double x, double y, double z) => operation switch
    {
        DirectedOperation.Add => !double.IsNegative(x) && !double.IsNegative(y),
        DirectedOperation.Subtract => !double.IsNegative(x) && double.IsNegative(y),
        _ => double.IsNegative(x) == double.IsNegative(y) && !double.IsNegative(z),
    };

    private static Exact Of(double x)
    {
        Unpacked parts = FloatFormat.Of(PtxType.F64).Unpack(BitConverter.DoubleToUInt64Bits(x));
        return new Exact(parts.Negative, parts.Magnitude, parts.Exponent);
    }

    private static Exact Product(double x, double y)
    {
        Exact a = Of(x), b = Of(y);
        return new Exact(a.Negative != b.Negative, a.Magnitude * b.Magnitude, a.Exponent + b.Exponent);
    }

    /// <summary>The terms are brought to one exponent: the higher one is shifted up as far as there is room, the lower one down by the rest.</summary>
    private static Exact Sum(Exact a, Exact b)
    {
        if (a.Magnitude == 0) return b;
        if (b.Magnitude == 0) return a;
        if (a.Exponent < b.Exponent) (a, b) = (b, a);
        int distance = a.Exponent - b.Exponent, up = Math.Min(distance, (int)UInt128.LeadingZeroCount(a.Magnitude) - 2);
        UInt128 high = a.Magnitude << up, low = Down(b.Magnitude, distance - up);
        int exponent = a.Exponent - up;
        if (a.Negative == b.Negative) return new Exact(a.Negative, high + low, exponent);
        return high >= low ? new Exact(a.Negative, high - low, exponent) : new Exact(b.Negative, low - high, exponent);
    }

    /// <summary>Shifts down; what falls out leaves a one in the lowest bit.</summary>
    private static UInt128 Down(UInt128 value, int distance)
    {
        if (distance == 0) return value;
        if (distance > 127) return 1;
        UInt128 kept = value >> distance;
        return kept << distance == value ? kept : kept | 1;
    }

    private static Exact Quotient(double x, double y)
    {
        Exact a = Of(x), b = Of(y);
        if (a.Magnitude == 0) return a;
        int up = (int)UInt128.LeadingZeroCount(a.Magnitude) - 1;
        var (quotient, rest) = UInt128.DivRem(a.Magnitude << up, b.Magnitude);
        return new Exact(a.Negative != b.Negative, rest == 0 ? quotient : quotient | 1, a.Exponent - up - b.Exponent);
    }

    private static Exact Root(double x)
    {
        Exact a = Of(x);
        if (a.Magnitude == 0) return a;
        int up = (int)UInt128.LeadingZeroCount(a.Magnitude) - 2;
        // The exponent of a square is even.
        if ((a.Exponent - up) % 2 != 0) up--;
        UInt128 square = a.Magnitude << up;
        ulong root = 0;
        for (int bit = 63; bit >= 0; bit--)
        {
            ulong next = root | (1UL << bit);
            if ((UInt128)next * next <= square) root = next;
        }
        UInt128 kept = (UInt128)root << 1;
        if ((UInt128)root * root != square) kept |= 1;
        return new Exact(false, kept, (a.Exponent - up) / 2 - 1);
    }
}
