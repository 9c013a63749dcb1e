using System.Runtime.CompilerServices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum AtomicOperation { Add, Min, Max, Exchange, CompareAndSwap, And, Or, Xor, Increment, Decrement }

/// <summary>
/// <c>atom</c> and <c>red</c>: lanes one after the other, in order. Address row A, operand B, for cas comparand B and value C,
/// old value to D (negative: <c>red</c>), operation and type in <c>Imm</c>'s upper bytes.
/// </summary>
internal static unsafe class Atomics
{
    public static Instr* Run<TSpace, T>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
        where T : unmanaged
    {
        byte* r = warp->Registers;
        AtomicOperation operation = (AtomicOperation)(byte)i->E;
        PtxType type = (PtxType)(byte)(i->E >> 8);
        bool isSingleSum = type == PtxType.F32 && operation == AtomicOperation.Add;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* at = TSpace.Resolve(warp, i, lane, sizeof(T), sizeof(T));
            ulong b = Row<T>(r + i->B, lane), c = i->C >= 0 ? Row<T>(r + i->C, lane) : 0, old;
            // On global memory add.f32 flushes subnormals, on shared memory it does not.
            bool flush = isSingleSum && (ulong)(at - warp->Block->Shared) >= warp->Block->SharedBytes;
            if (sizeof(T) == 8)
            {
                do
                {
                    old = Volatile.Read(ref *(ulong*)at);
                }
                while (Interlocked.CompareExchange(ref *(ulong*)at, Apply(operation, type, old, b, c, flush), old) != old);
                if (i->D >= 0) ((ulong*)(r + i->D))[lane] = old;
                continue;
            }
            if (sizeof(T) == 4)
            {
                do
                {
                    old = Volatile.Read(ref *(uint*)at);
                }
                while (Interlocked.CompareExchange(ref *(uint*)at, (uint)Apply(operation, type, old, b, c, flush), (uint)old) != (uint)old);
            }
            else
            {
                do
                {
                    old = Volatile.Read(ref *(ushort*)at);
                }
                while (Interlocked.CompareExchange(ref *(ushort*)at, (ushort)Apply(operation, type, old, b, c, flush), (ushort)old) != (ushort)old);
            }
            if (i->D >= 0) ((uint*)(r + i->D))[lane] = (uint)old;
        }
        return i + 1;
    }

    /// <summary>The new value of the cell.</summary>
    private static ulong Apply(AtomicOperation operation, PtxType type, ulong old, ulong b, ulong c, bool flush)
    {
        switch (operation)
        {
            case AtomicOperation.Exchange: return b;
            case AtomicOperation.CompareAndSwap: return old == b ? c : old;
            case AtomicOperation.And: return old & b;
            case AtomicOperation.Or: return old | b;
            case AtomicOperation.Xor: return old ^ b;
            case AtomicOperation.Increment: return (uint)old >= (uint)b ? 0 : old + 1;
            case AtomicOperation.Decrement: return (uint)old == 0 || (uint)old > (uint)b ? b : old - 1;
        }
        switch (type)
        {
            case PtxType.F32:
                float x = Single(old, flush), y = Single(b, flush);
                float result = operation == AtomicOperation.Add ? x + y : operation == AtomicOperation.Min ? MathF.Min(x, y) : MathF.Max(x, y);
                uint bits = BitConverter.SingleToUInt32Bits(result);
                return float.IsNaN(result) ? 0x7FFFFFFF : flush && float.IsSubnormal(result) ? bits & 0x80000000 : bits;
            case PtxType.F64:
                double u = BitConverter.UInt64BitsToDouble(old), v = BitConverter.UInt64BitsToDouble(b);
                return BitConverter.DoubleToUInt64Bits(operation == AtomicOperation.Add ? u + v : operation == AtomicOperation.Min ? Math.Min(u, v) : Math.Max(u, v));
            case PtxType.F16 or PtxType.BF16:
                return HalfPrecision.Combine(operation, type, old, b);
            case PtxType.F16x2 or PtxType.BF16x2:
                PtxType single = type == PtxType.F16x2 ? PtxType.F16 : PtxType.BF16;
                return HalfPrecision.Combine(operation, single, old & 0xFFFF, b & 0xFFFF) | (HalfPrecision.Combine(operation, single, old >> 16, b >> 16) << 16);
        }
        bool signed = type.IsSigned(), wide = type.Size() == 8;
        return operation switch
        {
            AtomicOperation.Add => old + b,
            AtomicOperation.Min when signed => wide ? (ulong)Math.Min((long)old, (long)b) : (uint)Math.Min((int)old, (int)b),
            AtomicOperation.Max when signed => wide ? (ulong)Math.Max((long)old, (long)b) : (uint)Math.Max((int)old, (int)b),
            AtomicOperation.Min => Math.Min(old, b),
            _ => Math.Max(old, b),
        };
    }

    private static float Single(ulong bits, bool flush)
    {
        float value = BitConverter.UInt32BitsToSingle((uint)bits);
        return flush && float.IsSubnormal(value) ? float.CopySign(0, value) : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Row<T>(byte* row, int lane)
        where T : unmanaged => sizeof(T) == 8 ? ((ulong*)row)[lane] : ((uint*)row)[lane];
}
