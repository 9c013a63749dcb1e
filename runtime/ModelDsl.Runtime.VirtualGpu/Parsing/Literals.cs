namespace ModelDsl.Runtime.VirtualGpu.Parsing;

internal static class Literals
{
    /// <summary>The bits of a literal where a value of this type is wanted.</summary>
    public static ulong Bits(Operand literal, PtxType type)
    {
        ulong bits = literal.Kind switch
        {
            OperandKind.Single => type == PtxType.F64 ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)literal.Bits)) : literal.Bits,
            OperandKind.Double => type == PtxType.F64 || type.Size() == 8 ? literal.Bits : BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(literal.Bits)),
            OperandKind.Integer when type == PtxType.F32 => BitConverter.SingleToUInt32Bits((long)literal.Bits),
            OperandKind.Integer when type == PtxType.F64 => BitConverter.DoubleToUInt64Bits((long)literal.Bits),
            _ => literal.Bits,
        };
        return type.Size() switch { 1 => (byte)bits, 2 => (ushort)bits, 4 => (uint)bits, _ => bits };
    }
}
