using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Memory;

/// <summary>A 32-bit address of elements in the block's shared memory.</summary>
public sealed class SharedPtr<T> : Pointer<T> where T : Value
{
    internal SharedPtr(KernelBuilder builder, Operand @base, long offset) : base(builder, @base, offset) { }

    internal override string Space => "shared";

    /// <summary>The address as a number.</summary>
    public S32 ToS32() => new S32(K, BaseRegister) + (int)ByteOffset;

    /// <summary>
    /// The address as a register, for a pointer that changes: keep it in a <see cref="Var{T}"/> and see it through
    /// <see cref="KernelBuilder.SharedAt{T}"/>.
    /// </summary>
    internal Operand BaseRegister => Base is SymbolOperand ? K.Prologue("mov.u32", RegisterClass.B32, Base) : Base;

    public static SharedPtr<T> operator +(SharedPtr<T> pointer, S32 index)
    {
        var (@base, offset) = pointer.Moved(index, Size);
        return new SharedPtr<T>(pointer.K, @base, offset);
    }

    /// <summary>The start of a row.</summary>
    /// <param name="stride">Elements from row to row.</param>
    public SharedPtr<T> Row(S32 row, int stride)
    {
        var (@base, offset) = Moved(row, (long)stride * Size);
        return new SharedPtr<T>(K, @base, offset);
    }

    /// <summary>The same place, holding something else.</summary>
    public SharedPtr<U> As<U>() where U : Value => new(K, Base, ByteOffset);

    /// <summary>So many bytes further.</summary>
    public SharedPtr<T> AddBytes(S32 bytes)
    {
        var (@base, offset) = Moved(bytes, 1);
        return new SharedPtr<T>(K, @base, offset);
    }

    private protected override Operand Scaled(S32 index, long scale) => (new S32(K, BaseRegister) + index * (S32)(int)scale).Operand;
}
