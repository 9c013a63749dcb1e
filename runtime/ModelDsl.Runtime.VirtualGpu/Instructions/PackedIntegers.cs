using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum PackedOperation { Add, Subtract, AbsoluteDifference, Average, Min, Max }

/// <summary>What a video instruction does with each of its 1, 2 or 4 parts.</summary>
/// <param name="Sums">The results are added up, and to C.</param>
internal readonly record struct PackedSpec(PackedOperation Operation, int Parts, bool SignedD, bool SignedA, bool SignedB, bool Saturates, bool Sums)
{
    public ulong Encode() =>
        (ulong)Operation | ((ulong)Parts << 8) | (SignedD ? 1u << 16 : 0) | (SignedA ? 1u << 17 : 0) | (SignedB ? 1u << 18 : 0) | (Saturates ? 1u << 19 : 0) | (Sums ? 1u << 20 : 0);

    public static PackedSpec Decode(ulong bits) => new(
        (PackedOperation)(byte)bits, (byte)(bits >> 8), (bits >> 16 & 1) != 0, (bits >> 17 & 1) != 0, (bits >> 18 & 1) != 0, (bits >> 19 & 1) != 0, (bits >> 20 & 1) != 0);
}

/// <summary>Words that hold several integers.</summary>
internal static unsafe class PackedIntegers
{
    /// <summary><c>vadd4</c> and its like: D = op(A, B) part by part, or C plus the sum of the parts.</summary>
    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        PackedSpec spec = PackedSpec.Decode(i->Imm);
        int width = 32 / spec.Parts;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint a = ((uint*)(r + i->A))[lane], b = ((uint*)(r + i->B))[lane], packed = 0;
            long sum = i->C >= 0 ? ((uint*)(r + i->C))[lane] : 0;
            for (int part = 0; part < spec.Parts; part++)
            {
                long x = Part(a, part, width, spec.SignedA), y = Part(b, part, width, spec.SignedB);
                long value = spec.Operation switch
                {
                    PackedOperation.Add => x + y,
                    PackedOperation.Subtract => x - y,
                    PackedOperation.AbsoluteDifference => Math.Abs(x - y),
                    // Rounded up, away from zero where the sum is negative.
                    PackedOperation.Average => (x + y + (x + y >= 0 ? 1 : 0)) >> 1,
                    PackedOperation.Min => Math.Min(x, y),
                    _ => Math.Max(x, y),
                };
                if (spec.Saturates) value = Clamp(value, width, spec.SignedD);
                sum += value;
                packed |= (uint)((ulong)value & ((1UL << width) - 1)) << (part * width);
            }
            ((uint*)(r + i->D))[lane] = spec.Sums ? (uint)sum : packed;
        }
        return i + 1;
    }

    /// <summary><c>dp4a</c>, <c>dp2a</c>: C plus the products of the parts of A and B. <c>Imm</c>: A signed, B signed, halves of A, upper bytes of B.</summary>
    public static Instr* Dot(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        bool signedA = (i->Imm & 1) != 0, signedB = (i->Imm & 2) != 0, isHalf = (i->Imm & 4) != 0;
        int parts = isHalf ? 2 : 4, first = (i->Imm & 8) != 0 ? 2 : 0;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint a = ((uint*)(r + i->A))[lane], b = ((uint*)(r + i->B))[lane];
            long sum = ((uint*)(r + i->C))[lane];
            for (int part = 0; part < parts; part++) sum += Part(a, part, 32 / parts, signedA) * Part(b, first + part, 8, signedB);
            ((uint*)(r + i->D))[lane] = (uint)sum;
        }
        return i + 1;
    }

    /// <summary><c>cvt.pack</c>: A and B cut to E bits (F: signed), A above B, both below C where that is.</summary>
    public static Instr* Saturate(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        int width = i->E;
        uint cut = width == 32 ? uint.MaxValue : (1u << width) - 1;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint a = (uint)Clamp(((int*)(r + i->A))[lane], width, i->F != 0) & cut, b = (uint)Clamp(((int*)(r + i->B))[lane], width, i->F != 0) & cut;
            uint rest = i->C >= 0 ? ((uint*)(r + i->C))[lane] << (2 * width) : 0;
            ((uint*)(r + i->D))[lane] = rest | (a << width) | b;
        }
        return i + 1;
    }

    private static long Part(uint word, int part, int width, bool isSigned)
    {
        long value = (long)((word >> (part * width)) & (uint)((1UL << width) - 1));
        return isSigned && (value >> (width - 1)) != 0 ? value - (1L << width) : value;
    }

    private static long Clamp(long value, int width, bool isSigned) =>
        isSigned ? Math.Clamp(value, -(1L << (width - 1)), (1L << (width - 1)) - 1) : Math.Clamp(value, 0, (1L << width) - 1);
}
