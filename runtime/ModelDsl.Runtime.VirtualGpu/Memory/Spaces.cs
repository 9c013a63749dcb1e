using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Memory;

/// <summary>How the lanes of an access lie to each other.</summary>
internal enum Pattern { Scattered, Contiguous, Uniform }

/// <summary>Turns the lane addresses of an access into host pointers, after checking them.</summary>
internal unsafe interface ISpace
{
    /// <summary>How all 32 lanes lie, looking at the address row only; <paramref name="bytes"/> is a power of two.</summary>
    static abstract Pattern Classify(byte* addresses, int bytes);

    /// <summary>Host pointer of <paramref name="span"/> bytes from one lane's address on; faults if they are not all there.</summary>
    /// <param name="bytes">Bytes of one lane's access; the address must be a multiple of it.</param>
    static abstract byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span);

    /// <summary>
    /// Checks the lanes of a mask in one go. What comes back is what to add to <see cref="Offset"/> of a lane to get its pointer, or
    /// null when some lane needs a closer look.
    /// </summary>
    static abstract byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes);

    static abstract ulong Offset(Warp* warp, Instr* instr, int lane);
}

/// <summary>Global (and constant) memory through 64-bit addresses.</summary>
internal readonly unsafe struct GlobalSpace : ISpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pattern Classify(byte* addresses, int bytes) => Patterns.Of64(addresses, bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span)
    {
        ulong address = ((ulong*)(warp->Registers + instr->A))[lane] + instr->Imm;
        MemoryRange* range = warp->Ranges + instr->Slot;
        ulong offset = address - range->Start;
        if (offset >= range->Length || range->Length - offset < (ulong)span || (address & (uint)(bytes - 1)) != 0)
            return Access.Search(warp, instr, lane, address, bytes, span);
        return (byte*)(range->ToHost + (long)address);
    }

    public static byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes)
    {
        MemoryRange* range = warp->Ranges + instr->Slot;
        byte* row = warp->Registers + instr->A;
        Vector512<ulong> first = Vector512.Create(range->Start - instr->Imm);
        Vector512<ulong> a = Lanes.Load64(row, 0) - first, b = Lanes.Load64(row, 1) - first, c = Lanes.Load64(row, 2) - first, d = Lanes.Load64(row, 3) - first;
        if (mask != Lanes.All)
        {
            a &= Lanes.Mask64(mask, 0);
            b &= Lanes.Mask64(mask, 1);
            c &= Lanes.Mask64(mask, 2);
            d &= Lanes.Mask64(mask, 3);
        }
        // Allocations start at multiples of 256, so an offset is aligned as its address is.
        Vector512<ulong> bits = (a | b | c | d) & Vector512.Create((ulong)(bytes - 1));
        Vector512<ulong> highest = Vector512.Max(Vector512.Max(a, b), Vector512.Max(c, d));
        ulong room = range->Length - (ulong)bytes;
        bool inside = range->Length >= (ulong)bytes && !Vector512.GreaterThanAny(highest, Vector512.Create(room));
        if (inside && bits == Vector512<ulong>.Zero) return (byte*)(range->ToHost + (long)instr->Imm);
        return Access.Refresh(warp, instr, mask) ? ResolveAll(warp, instr, mask, bytes) : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Offset(Warp* warp, Instr* instr, int lane) => ((ulong*)(warp->Registers + instr->A))[lane];
}

/// <summary>Shared memory through 32-bit offsets.</summary>
internal readonly unsafe struct SharedSpace : ISpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pattern Classify(byte* addresses, int bytes) => Patterns.Of32(addresses, bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span)
    {
        uint address = ((uint*)(warp->Registers + instr->A))[lane] + (uint)instr->Imm;
        BlockState* block = warp->Block;
        if ((ulong)address + (uint)span > block->SharedBytes || (address & (uint)(bytes - 1)) != 0)
            return Access.FarShared(warp, instr, lane, address, bytes, span);
        return block->Shared + address;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes)
    {
        BlockState* block = warp->Block;
        byte* row = warp->Registers + instr->A;
        Vector512<uint> offset = Vector512.Create((uint)instr->Imm), low = Lanes.Load(row, 0) + offset, high = Lanes.Load(row, 1) + offset;
        if (mask != Lanes.All)
        {
            low &= Lanes.Mask32(mask, 0);
            high &= Lanes.Mask32(mask, 1);
        }
        Vector512<uint> bits = (low | high) & Vector512.Create((uint)(bytes - 1));
        bool inside = block->SharedBytes >= (uint)bytes && !Vector512.GreaterThanAny(Vector512.Max(low, high), Vector512.Create(block->SharedBytes - (uint)bytes));
        return inside && bits == Vector512<uint>.Zero ? block->Shared : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Offset(Warp* warp, Instr* instr, int lane) => ((uint*)(warp->Registers + instr->A))[lane] + (uint)instr->Imm;
}

/// <summary>Shared memory through 64-bit registers that hold offsets.</summary>
internal readonly unsafe struct SharedSpace64 : ISpace
{
    public static Pattern Classify(byte* addresses, int bytes) => Patterns.Of64(addresses, bytes);

    public static byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span)
    {
        ulong address = ((ulong*)(warp->Registers + instr->A))[lane] + instr->Imm;
        BlockState* block = warp->Block;
        if (address > block->SharedBytes || address + (uint)span > block->SharedBytes || (address & (uint)(bytes - 1)) != 0)
            return Access.FarShared(warp, instr, lane, address, bytes, span);
        return block->Shared + address;
    }

    public static byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes) => null;

    public static ulong Offset(Warp* warp, Instr* instr, int lane) => 0;
}

/// <summary>Each thread's own memory, through 64-bit offsets.</summary>
internal readonly unsafe struct LocalSpace : ISpace
{
    public static Pattern Classify(byte* addresses, int bytes) => Pattern.Scattered;

    public static byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span)
    {
        ulong address = ((ulong*)(warp->Registers + instr->A))[lane] + instr->Imm;
        return Access.Local(warp, instr, lane, address, bytes, span);
    }

    public static byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes) => null;

    public static ulong Offset(Warp* warp, Instr* instr, int lane) => 0;
}

/// <summary>Kernel parameters addressed through a register.</summary>
internal readonly unsafe struct ParameterSpace : ISpace
{
    public static Pattern Classify(byte* addresses, int bytes) => Pattern.Scattered;

    public static byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span)
    {
        ulong address = ((ulong*)(warp->Registers + instr->A))[lane] + instr->Imm;
        return Access.Parameter(warp, instr, lane, address, bytes, span);
    }

    public static byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes) => null;

    public static ulong Offset(Warp* warp, Instr* instr, int lane) => 0;
}

/// <summary>Generic addresses: the windows of shared and local memory, and global memory around them.</summary>
internal readonly unsafe struct GenericSpace : ISpace
{
    public static Pattern Classify(byte* addresses, int bytes) =>
        AddressMap.IsLocal(*(ulong*)addresses) ? Pattern.Scattered : Patterns.Of64(addresses, bytes);

    public static byte* Resolve(Warp* warp, Instr* instr, int lane, int bytes, int span)
    {
        ulong address = ((ulong*)(warp->Registers + instr->A))[lane] + instr->Imm;
        if (AddressMap.IsLocal(address)) return Access.Local(warp, instr, lane, address - AddressMap.LocalWindow, bytes, span);
        if (!AddressMap.IsShared(address)) return GlobalSpace.Resolve(warp, instr, lane, bytes, span);
        ulong offset = address - AddressMap.SharedWindow;
        if (offset + (uint)span > warp->Block->SharedBytes || (offset & (uint)(bytes - 1)) != 0)
            return Access.FarShared(warp, instr, lane, offset, bytes, span);
        return warp->Block->Shared + offset;
    }

    public static byte* ResolveAll(Warp* warp, Instr* instr, uint mask, int bytes) => null;

    public static ulong Offset(Warp* warp, Instr* instr, int lane) => 0;
}

internal static unsafe class Patterns
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pattern Of32(byte* addresses, int bytes)
    {
        uint* a = (uint*)addresses;
        Vector512<uint> first = Vector512.Create(*a), low = Vector512.Load(a) - first, high = Vector512.Load(a + 16) - first;
        if ((low | high) == Vector512<uint>.Zero) return Pattern.Uniform;
        Vector512<uint> step = Lanes.Numbers << BitOperations.Log2((uint)bytes);
        Vector512<uint> off = (low ^ step) | (high ^ (step + Vector512.Create((uint)bytes * 16)));
        return off == Vector512<uint>.Zero ? Pattern.Contiguous : Pattern.Scattered;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pattern Of64(byte* addresses, int bytes)
    {
        ulong* a = (ulong*)addresses;
        Vector512<ulong> first = Vector512.Create(*a), eight = Vector512.Create((ulong)bytes * 8);
        Vector512<ulong> a0 = Vector512.Load(a) - first, a1 = Vector512.Load(a + 8) - first;
        Vector512<ulong> a2 = Vector512.Load(a + 16) - first, a3 = Vector512.Load(a + 24) - first;
        if ((a0 | a1 | a2 | a3) == Vector512<ulong>.Zero) return Pattern.Uniform;
        Vector512<ulong> s0 = Vector512.Create(0ul, 1, 2, 3, 4, 5, 6, 7) << BitOperations.Log2((uint)bytes), s1 = s0 + eight, s2 = s1 + eight;
        return ((a0 ^ s0) | (a1 ^ s1) | (a2 ^ s2) | (a3 ^ (s2 + eight))) == Vector512<ulong>.Zero ? Pattern.Contiguous : Pattern.Scattered;
    }
}
