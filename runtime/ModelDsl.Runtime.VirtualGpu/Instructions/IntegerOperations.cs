using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<uint>;
using W = System.Runtime.Intrinsics.Vector512<ulong>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>What integer and bit instructions compute in each lane, for 32 and 64 bits.</summary>
internal static class IntegerOperations
{
    public readonly struct Copy : IUnary32, IUnary64 { public static V Apply(V a) => a; public static W Apply(W a) => a; }

    public readonly struct Not : IUnary32, IUnary64 { public static V Apply(V a) => ~a; public static W Apply(W a) => ~a; }

    /// <summary>Logical not: one where the operand is zero.</summary>
    public readonly struct IsZero : IUnary32, IUnary64
    {
        public static V Apply(V a) => Vector512.Equals(a, V.Zero) & V.One;
        public static W Apply(W a) => Vector512.Equals(a, W.Zero) & W.One;
    }

    public readonly struct Negate : IUnary32, IUnary64 { public static V Apply(V a) => V.Zero - a; public static W Apply(W a) => W.Zero - a; }

    public readonly struct Absolute : IUnary32, IUnary64
    {
        public static V Apply(V a) => Vector512.Abs(a.AsInt32()).AsUInt32();
        public static W Apply(W a) => Vector512.Abs(a.AsInt64()).AsUInt64();
    }

    public readonly struct Add : IBinary32, IBinary64 { public static V Apply(V a, V b) => a + b; public static W Apply(W a, W b) => a + b; }

    public readonly struct Subtract : IBinary32, IBinary64 { public static V Apply(V a, V b) => a - b; public static W Apply(W a, W b) => a - b; }

    public readonly struct Multiply : IBinary32, IBinary64 { public static V Apply(V a, V b) => a * b; public static W Apply(W a, W b) => a * b; }

    public readonly struct And : IBinary32, IBinary64 { public static V Apply(V a, V b) => a & b; public static W Apply(W a, W b) => a & b; }

    public readonly struct Or : IBinary32, IBinary64 { public static V Apply(V a, V b) => a | b; public static W Apply(W a, W b) => a | b; }

    public readonly struct Xor : IBinary32, IBinary64 { public static V Apply(V a, V b) => a ^ b; public static W Apply(W a, W b) => a ^ b; }

    /// <summary>cnot and friends aside, minimum and maximum by sign.</summary>
    public readonly struct MinU : IBinary32, IBinary64 { public static V Apply(V a, V b) => Vector512.Min(a, b); public static W Apply(W a, W b) => Vector512.Min(a, b); }

    public readonly struct MaxU : IBinary32, IBinary64 { public static V Apply(V a, V b) => Vector512.Max(a, b); public static W Apply(W a, W b) => Vector512.Max(a, b); }

    public readonly struct MinS : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Vector512.Min(a.AsInt32(), b.AsInt32()).AsUInt32();
        public static W Apply(W a, W b) => Vector512.Min(a.AsInt64(), b.AsInt64()).AsUInt64();
    }

    public readonly struct MaxS : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Vector512.Max(a.AsInt32(), b.AsInt32()).AsUInt32();
        public static W Apply(W a, W b) => Vector512.Max(a.AsInt64(), b.AsInt64()).AsUInt64();
    }

    public readonly struct ShiftLeft : IBinary32, IBinary64 { public static V Apply(V a, V b) => Wide.ShiftLeft(a, b); public static W Apply(W a, W b) => Wide.ShiftLeft(a, b); }

    public readonly struct ShiftRightU : IBinary32, IBinary64 { public static V Apply(V a, V b) => Wide.ShiftRight(a, b); public static W Apply(W a, W b) => Wide.ShiftRight(a, b); }

    public readonly struct ShiftRightS : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Wide.ShiftRightSigned(a, b);
        public static W Apply(W a, W b) => Wide.ShiftRightSigned(a, b);
    }

    public readonly struct MultiplyAdd : ITernary32, ITernary64
    {
        public static V Apply(V a, V b, V c) => a * b + c;
        public static W Apply(W a, W b, W c) => a * b + c;
    }

    public readonly struct MultiplyHighU : IBinary32, IBinary64
    {
        public static V Apply(V a, V b)
        {
            var (low, high) = Unsigned.Multiply(a, b);
            return Vector512.Narrow(low >> 32, high >> 32);
        }

        public static W Apply(W a, W b) => Wide.Map(a, b, static (x, y) => Math.BigMul(x, y, out _));
    }

    public readonly struct MultiplyHighS : IBinary32, IBinary64
    {
        public static V Apply(V a, V b)
        {
            var (low, high) = Signed.Multiply(a, b);
            return Vector512.Narrow(low >> 32, high >> 32);
        }

        public static W Apply(W a, W b) => Wide.Map(a, b, static (x, y) => (ulong)Math.BigMul((long)x, (long)y, out _));
    }

    /// <summary>High half of a product plus a third operand.</summary>
    public readonly struct HighAdd<T> : ITernary32, ITernary64
        where T : struct, IBinary32, IBinary64
    {
        public static V Apply(V a, V b, V c) => T.Apply(a, b) + c;
        public static W Apply(W a, W b, W c) => T.Apply(a, b) + c;
    }

    /// <summary>Division by zero gives all ones, as on the hardware.</summary>
    public readonly struct DivideU : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Division.Unsigned(a, b);
        public static W Apply(W a, W b) => Wide.Map(a, b, static (x, y) => y == 0 ? ulong.MaxValue : x / y);
    }

    public readonly struct DivideS : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Division.Signed(a, b);
        public static W Apply(W a, W b) => Wide.Map(a, b, static (x, y) => y == 0 ? ulong.MaxValue : y == ulong.MaxValue ? 0 - x : (ulong)((long)x / (long)y));
    }

    public readonly struct RemainderU : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => (a - Division.Unsigned(a, b) * b) | Vector512.Equals(b, V.Zero);
        public static W Apply(W a, W b) => Wide.Map(a, b, static (x, y) => y == 0 ? ulong.MaxValue : x % y);
    }

    public readonly struct RemainderS : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => (a - Division.Signed(a, b) * b) | Vector512.Equals(b, V.Zero);
        public static W Apply(W a, W b) => Wide.Map(a, b, static (x, y) => y == 0 ? ulong.MaxValue : y == ulong.MaxValue ? 0 : (ulong)((long)x % (long)y));
    }

    public readonly struct Reverse : IUnary32, IUnary64
    {
        public static V Apply(V a)
        {
            a = (a >> 16) | (a << 16);
            a = ((a >> 8) & Vector512.Create(0x00FF00FFu)) | ((a & Vector512.Create(0x00FF00FFu)) << 8);
            a = ((a >> 4) & Vector512.Create(0x0F0F0F0Fu)) | ((a & Vector512.Create(0x0F0F0F0Fu)) << 4);
            a = ((a >> 2) & Vector512.Create(0x33333333u)) | ((a & Vector512.Create(0x33333333u)) << 2);
            return ((a >> 1) & Vector512.Create(0x55555555u)) | ((a & Vector512.Create(0x55555555u)) << 1);
        }

        public static W Apply(W a)
        {
            W half = Apply(a.AsUInt32()).AsUInt64();
            return (half >> 32) | (half << 32);
        }
    }

    // These give 32 bits from 32; their 64-bit forms are in BitOperations.
    public readonly struct CountLeadingZeros : IUnary32
    {
        // All bits below the highest one are set: what is left of 32 is how many lead.
        public static V Apply(V a)
        {
            a |= a >> 1;
            a |= a >> 2;
            a |= a >> 4;
            a |= a >> 8;
            return CountOnes.Apply(~(a | (a >> 16)));
        }
    }

    public readonly struct CountOnes : IUnary32
    {
        // By pairs, by fours, by eights; a product adds up the bytes.
        public static V Apply(V a)
        {
            a -= (a >> 1) & Vector512.Create(0x55555555u);
            a = (a & Vector512.Create(0x33333333u)) + ((a >> 2) & Vector512.Create(0x33333333u));
            return (((a + (a >> 4)) & Vector512.Create(0x0F0F0F0Fu)) * Vector512.Create(0x01010101u)) >> 24;
        }
    }

    public readonly struct FindU : IUnary32 { public static V Apply(V a) => Vector512.Create(31u) - CountLeadingZeros.Apply(a); }

    public readonly struct FindS : IUnary32 { public static V Apply(V a) => FindU.Apply(a ^ Wide.ShiftRightSigned(a, Vector512.Create(31u))); }

    public readonly struct FindShiftU : IUnary32 { public static V Apply(V a) => CountLeadingZeros.Apply(a) | Vector512.Equals(a, V.Zero); }

    public readonly struct FindShiftS : IUnary32 { public static V Apply(V a) => FindShiftU.Apply(a ^ Wide.ShiftRightSigned(a, Vector512.Create(31u))); }

    /// <summary>|a - b| + c.</summary>
    public readonly struct SadU : ITernary32 { public static V Apply(V a, V b, V c) => Vector512.Max(a, b) - Vector512.Min(a, b) + c; }

    public readonly struct SadS : ITernary32 { public static V Apply(V a, V b, V c) => MaxS.Apply(a, b) - MinS.Apply(a, b) + c; }

    public readonly struct Mul24 : IBinary32 { public static V Apply(V a, V b) => (a & Vector512.Create(0xFFFFFFu)) * (b & Vector512.Create(0xFFFFFFu)); }

    /// <summary>Saturating signed addition.</summary>
    public readonly struct AddSat : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => (uint)(int)Math.Clamp((long)(int)x + (int)y, int.MinValue, int.MaxValue)); }

    public readonly struct SubtractSat : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => (uint)(int)Math.Clamp((long)(int)x - (int)y, int.MinValue, int.MaxValue)); }

    public readonly struct FunnelLeftWrap : ITernary32
    {
        public static V Apply(V a, V b, V c)
        {
            V n = c & Vector512.Create(31u);
            return Wide.ShiftLeft(b, n) | Wide.ShiftRight(a, Vector512.Create(32u) - n);
        }
    }

    public readonly struct FunnelLeftClamp : ITernary32
    {
        public static V Apply(V a, V b, V c)
        {
            V n = Vector512.Min(c, Vector512.Create(32u));
            return Wide.ShiftLeft(b, n) | Wide.ShiftRight(a, Vector512.Create(32u) - n);
        }
    }

    public readonly struct FunnelRightWrap : ITernary32
    {
        public static V Apply(V a, V b, V c)
        {
            V n = c & Vector512.Create(31u);
            return Wide.ShiftLeft(b, Vector512.Create(32u) - n) | Wide.ShiftRight(a, n);
        }
    }

    public readonly struct FunnelRightClamp : ITernary32
    {
        public static V Apply(V a, V b, V c)
        {
            V n = Vector512.Min(c, Vector512.Create(32u));
            return Wide.ShiftLeft(b, Vector512.Create(32u) - n) | Wide.ShiftRight(a, n);
        }
    }

    /// <summary>16-bit registers keep their upper half zero.</summary>
    public readonly struct Low1<T> : IUnary32
        where T : struct, IUnary32
    {
        public static V Apply(V a) => T.Apply(a) & Vector512.Create(0xFFFFu);
    }

    public readonly struct Low2<T> : IBinary32
        where T : struct, IBinary32
    {
        public static V Apply(V a, V b) => T.Apply(a, b) & Vector512.Create(0xFFFFu);
    }

    public readonly struct Low3<T> : ITernary32
        where T : struct, ITernary32
    {
        public static V Apply(V a, V b, V c) => T.Apply(a, b, c) & Vector512.Create(0xFFFFu);
    }

    /// <summary>The same with operands that have a sign.</summary>
    public readonly struct SignedLow1<T> : IUnary32
        where T : struct, IUnary32
    {
        public static V Apply(V a) => T.Apply(Extend(a)) & Vector512.Create(0xFFFFu);
    }

    public readonly struct SignedLow2<T> : IBinary32
        where T : struct, IBinary32
    {
        public static V Apply(V a, V b) => T.Apply(Extend(a), Extend(b)) & Vector512.Create(0xFFFFu);
    }

    /// <summary>Arithmetic shift of a 16-bit value: only the value has a sign.</summary>
    public readonly struct ShiftRightS16 : IBinary32
    {
        public static V Apply(V a, V b) => Wide.ShiftRightSigned(Extend(a), b) & Vector512.Create(0xFFFFu);
    }

    /// <summary>Product of two 16-bit values, shifted so that the half asked for is at the bottom.</summary>
    public readonly struct High16U : IBinary32 { public static V Apply(V a, V b) => (a * b) >> 16; }

    public readonly struct High16S : IBinary32 { public static V Apply(V a, V b) => (Extend(a) * Extend(b)) >> 16; }

    public readonly struct Wide16S : IBinary32 { public static V Apply(V a, V b) => Extend(a) * Extend(b); }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Extend(V a) => ((a << 16).AsInt32() >> 16).AsUInt32();
}
