using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Memory;

/// <summary>A 64-bit address of elements in global memory.</summary>
public sealed class GlobalPtr<T> : Pointer<T> where T : Value
{
    internal GlobalPtr(KernelBuilder builder, Operand @base, long offset) : base(builder, @base, offset) { }

    internal override string Space => "global";

    /// <summary>The address as a number.</summary>
    public U64 ToU64() => new U64(K, Base) + (ulong)ByteOffset;

    public static GlobalPtr<T> operator +(GlobalPtr<T> pointer, S32 index)
    {
        var (@base, offset) = pointer.Moved(index, Size);
        return new GlobalPtr<T>(pointer.K, @base, offset);
    }

    /// <summary>Moves by a 64-bit number of elements.</summary>
    public GlobalPtr<T> Advance(S64 index) => new(K, (new S64(K, Base) + index * (S64)(long)Size).Operand, ByteOffset);

    /// <summary>The start of a row; the product is taken in 64 bits, so that big matrices do not overflow.</summary>
    /// <param name="stride">Elements from row to row.</param>
    public GlobalPtr<T> Row(S32 row, S32 stride)
    {
        if (stride.Constant is { } constant && (long)constant * Size is var scale && scale <= int.MaxValue)
        {
            var (@base, offset) = Moved(row, scale);
            return new GlobalPtr<T>(K, @base, offset);
        }

        return row.Constant == 0 ? this : Advance(K.MultiplyWide(row, stride));
    }

    /// <summary>The same place, holding something else.</summary>
    public GlobalPtr<U> As<U>() where U : Value => new(K, Base, ByteOffset);

    /// <summary>So many bytes further.</summary>
    public GlobalPtr<T> AddBytes(long bytes) => new(K, Base, ByteOffset + bytes);

    private protected override Operand Scaled(S32 index, long scale)
    {
        if (scale > int.MaxValue) throw new PtxException($"an element stride of {scale} bytes does not fit 31 bits");
        return K.EmitRaw<U64>("mad.wide.s32", index.Operand, ((S32)(int)scale).Operand, Base).Operand;
    }
}
