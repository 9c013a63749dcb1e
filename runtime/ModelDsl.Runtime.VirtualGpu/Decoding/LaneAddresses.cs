using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;
using static ModelDsl.Runtime.VirtualGpu.Instructions.IntegerOperations;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>
/// Addresses of a matrix fragment's elements: each lane's first one is computed once, the others lie fixed distances and multiples
/// of the stride behind it.
/// </summary>
internal sealed unsafe class LaneAddresses
{
    private readonly KernelDecoder _d;
    private readonly StateSpace _space;
    private readonly int _size, _base, _strideBytes;
    private readonly int? _constantStride;
    private readonly ulong _offset;
    private readonly bool _isWide, _strideAlongG;
    private readonly Dictionary<int, int> _moved = [];

    /// <param name="stride">Elements from row to row (column to column); null for <paramref name="usual"/>.</param>
    /// <param name="strideAlongG">Whether the stride is between lanes four apart; else between neighbours.</param>
    /// <param name="pack">Elements of a lane next to each other along T.</param>
    public LaneAddresses(KernelDecoder d, Operand at, StateSpace space, Operand? stride, int usual, int size, bool strideAlongG, int pack)
    {
        (_d, _space, _size, _strideAlongG) = (d, space, size, strideAlongG);
        (int row, _offset, _isWide) = MemoryDecoder.Address(d, at, space);
        if (stride is { Kind: OperandKind.Integer }) usual = (int)stride.Bits;
        if (stride is { Kind: OperandKind.Register })
        {
            _strideBytes = d.NewRow(false);
            d.Emit(&Binary32<Multiply>, _strideBytes, d.Source(stride, PtxType.U32), d.Constant((ulong)size, false));
        }
        else
        {
            _constantStride = usual * size;
            _strideBytes = d.Constant((ulong)_constantStride, false);
        }
        int g = d.SpecialRow(SpecialRegister.Quad, false), t = d.SpecialRow(SpecialRegister.LaneInQuad, false);
        int packed = d.NewRow(false);
        d.Emit(&Binary32<Multiply>, packed, t, d.Constant((ulong)pack, false));
        int moved = Add(row, strideAlongG ? g : packed, _strideBytes);
        _base = Add(moved, strideAlongG ? packed : g, d.Constant((ulong)size, false));
    }

    /// <summary>Whether neighbours along T are neighbours in memory.</summary>
    public bool IsContiguous => _strideAlongG;

    /// <summary>Emits the load or store of the element, or the elements one register holds, at an offset along G and T.</summary>
    public void Emit(bool isLoad, PtxType type, int row, int g, int t)
    {
        var (strides, steps) = _strideAlongG ? (g, t) : (t, g);
        int address = _base;
        ulong offset = _offset + (ulong)(steps * _size);
        if (_constantStride is { } bytes) offset += (ulong)(strides * bytes);
        else if (strides > 0 && !_moved.TryGetValue(strides, out address)) _moved.Add(strides, address = Add(_base, _strideBytes, _d.Constant((ulong)strides, false)));
        PtxType register = type.Size() == 8 ? PtxType.B64 : PtxType.B32;
        Handler handler = LoadStoreHandlers.Find(isLoad, _space, _isWide, type, register, 1);
        if (handler == null) throw _d.Unsupported();
        _d.EmitCheck(isLoad ? SiteKind.Load : SiteKind.Store, new SiteAddress(_space, address, offset, _isWide), type.Size());
        _d.Emit(handler, -1, address, row, -1, -1, -1, offset, slot: _d.NewRange());
    }

    /// <summary>A new row: an address plus the product of two 32-bit rows.</summary>
    private int Add(int address, int a, int b)
    {
        int row = _d.NewRow(_isWide);
        if (_isWide) _d.Emit(&WideMultiply<Unsigned>, row, a, b, address);
        else _d.Emit(&Ternary32<MultiplyAdd>, row, a, b, address);
        return row;
    }
}
