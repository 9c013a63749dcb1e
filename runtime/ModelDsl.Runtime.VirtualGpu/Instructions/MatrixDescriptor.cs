using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// A <c>wgmma</c> matrix descriptor: where in shared memory an operand's tile is and how. Rows are along M (or N); a row of what one
/// instruction takes has 32 bytes along K, whatever the type.
/// </summary>
/// <remarks>Canonical layouts as in PTX ISA 8.4, "Asynchronous warpgroup level matrix shared memory layout".</remarks>
internal readonly unsafe struct MatrixDescriptor(ulong bits)
{
    public const int RowBytes = 32;
    private const int Chunk = 16, ChunkElements = 8, CoreRows = 8;

    private uint Start => (uint)(bits & 0x3FFF) << 4;

    private uint Leading => (uint)(bits >> 16 & 0x3FFF) << 4;

    private uint Stride => (uint)(bits >> 32 & 0x3FFF) << 4;

    private uint BaseOffset => (uint)(bits >> 49 & 7);

    /// <summary>Bytes of the swizzled pattern's rows: 16 for none.</summary>
    private int PatternBytes => (int)(bits >> 62) switch { 0 => Chunk, 1 => 128, 2 => 64, _ => 32 };

    /// <summary>Copies rows of 32 bytes along K to <paramref name="to"/>, one behind the other; <paramref name="first"/> is a multiple of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Gather(Warp* warp, Instr* instr, int first, int rows, byte* to)
    {
        for (int row = first; row < first + rows; row++, to += RowBytes)
        {
            Vector128.Load(Resolve(warp, instr, Place(row, 0))).Store(to);
            Vector128.Load(Resolve(warp, instr, Place(row, 1))).Store(to + Chunk);
        }
    }

    /// <summary>Shared offset of the first or second 16 bytes of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Place(int row, int chunk)
    {
        int pattern = PatternBytes;
        return Untwist(Start + (uint)(row / CoreRows) * Stride + (uint)(row % CoreRows * pattern) + (uint)chunk * (pattern == Chunk ? Leading : Chunk), pattern);
    }

    /// <summary>Shared offset of eight rows' elements number <paramref name="k"/>, where rows are the fast dimension.</summary>
    public uint PlaceTransposed(int row, int k)
    {
        int pattern = PatternBytes, across = pattern / 2;
        var (alongRows, alongK) = pattern == Chunk ? (Stride, Leading) : (Leading, Stride);
        return Untwist(Start + (uint)(row / across) * alongRows + (uint)(row % across * 2) + (uint)(k / CoreRows) * alongK + (uint)(k % CoreRows * pattern), pattern);
    }

    /// <summary>The same where rows lie next to each other in memory (M or N is the fast dimension); elements have 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void GatherTransposed(Warp* warp, Instr* instr, int first, int rows, byte* to)
    {
        for (int k = 0; k < RowBytes / 2; k++)
        {
            for (int row = first; row < first + rows; row += ChunkElements)
            {
                ushort* from = (ushort*)Resolve(warp, instr, PlaceTransposed(row, k)), column = (ushort*)(to + (row - first) * RowBytes) + k;
                for (int n = 0; n < ChunkElements; n++) column[n * RowBytes / 2] = from[n];
            }
        }
    }

    /// <summary>Where the 16 bytes at an address lie when its pattern is undone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Untwist(uint address, int pattern) => pattern == Chunk ? address : address ^ ((address >> 7) - BaseOffset & (uint)(pattern / Chunk - 1)) << 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Resolve(Warp* warp, Instr* instr, uint address)
    {
        BlockState* block = warp->Block;
        if (address + Chunk > block->SharedBytes)
            throw new FaultException(FindingKind.OutOfBounds, $"out of bounds: the matrix descriptor 0x{bits:x16} leads to shared offset {address}, the block has {block->SharedBytes} bytes", instr, -1) { Address = address };
        return block->Shared + address;
    }
}
