using System.Runtime.InteropServices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>A row every lane of which holds the same constant.</summary>
internal readonly record struct ConstantRow(int Offset, bool IsWide, ulong Bits);

/// <summary>A row with a special register's values.</summary>
internal readonly record struct SpecialRow(int Offset, bool IsWide, SpecialRegister Register);

internal enum SpecialRegister
{
    ThreadX, ThreadY, ThreadZ, ThreadsX, ThreadsY, ThreadsZ,
    BlockX, BlockY, BlockZ, BlocksX, BlocksY, BlocksZ,
    Lane, Warp, Warps, Multiprocessor, Multiprocessors, GridId,
    MaskEqual, MaskLess, MaskLessEqual, MaskGreater, MaskGreaterEqual,
    DynamicSharedBytes, TotalSharedBytes,
}

/// <summary>An entry ready to run: instructions in native memory and how large a warp's state is.</summary>
internal sealed unsafe class DecodedKernel(PtxModule module, PtxFunction function) : IDisposable
{
    private readonly List<nint> _owned = [];

    public PtxModule Module { get; } = module;
    public PtxFunction Function { get; } = function;
    public Instr* Code { get; set; }
    public int InstructionCount { get; set; }

    /// <summary>Bytes of a warp's registers, constants and special rows together.</summary>
    public int RegisterBytes { get; set; }
    public List<ConstantRow> Constants { get; } = [];
    public List<SpecialRow> Specials { get; } = [];

    /// <summary>Entries in <see cref="Warp.Ranges"/>.</summary>
    public int RangeCount { get; set; }
    public uint StaticSharedBytes { get; set; }
    public uint LocalBytes { get; set; }
    public uint ParameterBytes { get; set; }

    /// <summary>
    /// Blocks must run one after the other for the result not to depend on the number of cores: the kernel has atomics whose
    /// order shows (floating sums, returned values).
    /// </summary>
    public bool IsOrderDependent { get; set; }

    public int* Own(ReadOnlySpan<int> operands)
    {
        int* copy = (int*)NativeMemory.Alloc((nuint)(operands.Length * sizeof(int)));
        operands.CopyTo(new Span<int>(copy, operands.Length));
        _owned.Add((nint)copy);
        return copy;
    }

    public void Dispose()
    {
        foreach (nint block in _owned) NativeMemory.Free((void*)block);
        _owned.Clear();
        NativeMemory.AlignedFree(Code);
        Code = null;
    }
}
