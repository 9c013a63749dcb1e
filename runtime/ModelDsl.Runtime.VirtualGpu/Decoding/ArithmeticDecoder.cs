using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;
using static ModelDsl.Runtime.VirtualGpu.Instructions.IntegerOperations;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>The four operations and their relatives, for integers; floats go on to <see cref="FloatDecoder"/>.</summary>
internal static unsafe class ArithmeticDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        PtxType type = i.Type(d);
        if (type.IsFloat()) return FloatDecoder.Arithmetic(d, i, type);
        if (type is PtxType.U16x2 or PtxType.S16x2) return PackedDecoder.Halves(d, i, type);
        int size = type.Size();
        bool wide = size == 8, half = size == 2, signed = type.IsSigned();
        if (size is not (2 or 4 or 8)) return false;
        switch (i.Name)
        {
            case "add" or "sub" when i.Has("cc"):
                return BitDecoder.Carry(d, i, type);
            case "add" or "sub" when i.Has("sat"):
                return type == PtxType.S32 && BitDecoder.Two(d, i, type, i.Name == "add" ? &Binary32<AddSat> : &Binary32<SubtractSat>);
            case "add":
                return BitDecoder.Two(d, i, type, wide ? &Binary64<Add> : half ? &Binary32<Low2<Add>> : &Binary32<Add>);
            case "sub":
                return BitDecoder.Two(d, i, type, wide ? &Binary64<Subtract> : half ? &Binary32<Low2<Subtract>> : &Binary32<Subtract>);
            case "mul":
                return Multiply(d, i, type);
            case "mad":
                return MultiplyAdd(d, i, type);
            case "div" when signed:
                return BitDecoder.Two(d, i, type, wide ? &Binary64<DivideS> : half ? &Binary32<SignedLow2<DivideS>> : &Binary32<DivideS>);
            case "div":
                return BitDecoder.Two(d, i, type, wide ? &Binary64<DivideU> : half ? &Binary32<Low2<DivideU>> : &Binary32<DivideU>);
            case "rem" when signed:
                return BitDecoder.Two(d, i, type, wide ? &Binary64<RemainderS> : half ? &Binary32<SignedLow2<RemainderS>> : &Binary32<RemainderS>);
            case "rem":
                return BitDecoder.Two(d, i, type, wide ? &Binary64<RemainderU> : &Binary32<RemainderU>);
            case "min" when signed:
                return BitDecoder.Two(d, i, type, wide ? &Binary64<MinS> : half ? &Binary32<SignedLow2<MinS>> : &Binary32<MinS>);
            case "min":
                return BitDecoder.Two(d, i, type, wide ? &Binary64<MinU> : &Binary32<MinU>);
            case "max" when signed:
                return BitDecoder.Two(d, i, type, wide ? &Binary64<MaxS> : half ? &Binary32<SignedLow2<MaxS>> : &Binary32<MaxS>);
            case "max":
                return BitDecoder.Two(d, i, type, wide ? &Binary64<MaxU> : &Binary32<MaxU>);
            case "abs":
                return BitDecoder.One(d, i, type, type, wide ? &Unary64<Absolute> : half ? &Unary32<SignedLow1<Absolute>> : &Unary32<Absolute>);
            case "neg":
                return BitDecoder.One(d, i, type, type, wide ? &Unary64<Negate> : half ? &Unary32<SignedLow1<Negate>> : &Unary32<Negate>);
            default:
                return false;
        }
    }

    private static bool Multiply(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        int size = type.Size();
        bool signed = type.IsSigned();
        if (i.Has("wide"))
        {
            d.RequireOperands(3);
            int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type);
            if (size == 2) d.Emit(signed ? &Binary32<Wide16S> : &Binary32<Multiply>, d.Destination(i.Operands[0], PtxType.B32), a, b);
            else if (size == 4) d.Emit(signed ? &WideMultiply<Signed> : &WideMultiply<Unsigned>, d.Destination(i.Operands[0], PtxType.B64), a, b);
            else return false;
            return true;
        }
        if (i.Has("hi"))
        {
            return BitDecoder.Two(d, i, type, (size, signed) switch
            {
                (2, true) => &Binary32<High16S>,
                (2, false) => &Binary32<High16U>,
                (4, true) => &Binary32<MultiplyHighS>,
                (4, false) => &Binary32<MultiplyHighU>,
                (_, true) => &Binary64<MultiplyHighS>,
                _ => &Binary64<MultiplyHighU>,
            });
        }
        return i.Has("lo") && BitDecoder.Two(d, i, type, size == 8 ? &Binary64<Multiply> : size == 2 ? &Binary32<Low2<Multiply>> : &Binary32<Multiply>);
    }

    private static bool MultiplyAdd(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        int size = type.Size();
        bool signed = type.IsSigned();
        if (i.Has("cc")) return BitDecoder.MultiplyCarry(d, i, type);
        if (i.Has("sat")) return false;
        if (i.Has("wide"))
        {
            d.RequireOperands(4);
            int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type);
            if (size == 4)
            {
                int c = d.Source(i.Operands[3], signed ? PtxType.S64 : PtxType.U64);
                d.Emit(signed ? &WideMultiply<Signed> : &WideMultiply<Unsigned>, d.Destination(i.Operands[0], PtxType.B64), a, b, c);
                return true;
            }
            if (size != 2) return false;
            int product = d.NewRow(isWide: false), addend = d.Source(i.Operands[3], PtxType.B32);
            d.Emit(signed ? &Binary32<Wide16S> : &Binary32<Multiply>, product, a, b);
            d.Emit(&Binary32<Add>, d.Destination(i.Operands[0], PtxType.B32), product, addend);
            return true;
        }
        if (i.Has("hi"))
        {
            return size != 2 && BitDecoder.Three(d, i, type, (size, signed) switch
            {
                (4, true) => &Ternary32<HighAdd<MultiplyHighS>>,
                (4, false) => &Ternary32<HighAdd<MultiplyHighU>>,
                (_, true) => &Ternary64<HighAdd<MultiplyHighS>>,
                _ => &Ternary64<HighAdd<MultiplyHighU>>,
            });
        }
        return i.Has("lo") && BitDecoder.Three(d, i, type, size == 8 ? &Ternary64<MultiplyAdd> : size == 2 ? &Ternary32<Low3<MultiplyAdd>> : &Ternary32<MultiplyAdd>);
    }
}
