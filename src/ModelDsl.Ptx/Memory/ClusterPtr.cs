using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Memory;

/// <summary>A 32-bit address of elements in the shared memory of a block of the cluster.</summary>
public sealed class ClusterPtr<T> : Pointer<T> where T : Value
{
    internal ClusterPtr(KernelBuilder builder, Operand @base, long offset) : base(builder, @base, offset) { }

    internal override string Space => "shared::cluster";

    public static ClusterPtr<T> operator +(ClusterPtr<T> pointer, S32 index)
    {
        var (@base, offset) = pointer.Moved(index, Size);
        return new ClusterPtr<T>(pointer.K, @base, offset);
    }

    private protected override Operand Scaled(S32 index, long scale) => (new S32(K, Base) + index * (S32)(int)scale).Operand;
}
