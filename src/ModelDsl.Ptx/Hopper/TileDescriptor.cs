using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Hopper;

/// <summary>
/// Where an operand of <c>wgmma</c> lies in shared memory, and how. Only the lower half, with the address, ever changes:
/// in 32 bits, so that moving costs one addition.
/// </summary>
public sealed class TileDescriptor
{
    private readonly KernelBuilder _k;
    private readonly S32 _low;
    private readonly uint _high;

    internal TileDescriptor(KernelBuilder k, S32 low, uint high) => (_k, _low, _high) = (k, low, high);

    /// <summary>All 64 bits.</summary>
    internal Operand Bits => _k.EmitRaw<U64>("mov.b64", new VectorOperand([_k.InRegister(_low), new ImmediateOperand(_high, ScalarType.B32)])).Operand;

    /// <summary>So many bytes further, a multiple of 16; along K inside a swizzled row, or whole rows of 1024 bytes and their like.</summary>
    public static TileDescriptor operator +(TileDescriptor tile, int bytes) => new(tile._k, tile._low + (bytes >> 4), tile._high);

    /// <summary>The descriptor of one of several tiles that lie so many bytes apart.</summary>
    public TileDescriptor At(S32 index, int bytes) => new(_k, _low + index * (bytes >> 4), _high);
}
