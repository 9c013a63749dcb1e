using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>cvt</c>: the frequent conversions get vector handlers, every other one the exact scalar one.</summary>
internal static unsafe class ConvertDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        PtxType[] types = i.Types();
        if (types.Length != 2 || i.Opcode[1] == "pack") return false;
        var (to, from) = (types[0], types[1]);
        var (rounding, integral) = Mode(i, to, from);
        var spec = new ConversionSpec(to, from, rounding, integral, i.Has("sat"), i.Has("satfinite"), i.Has("ftz"), i.Has("relu"));
        if (IsPair(to)) return Pair(d, i, spec);
        d.RequireOperands(2);
        PtxType destination = Holder(d, i.Operands[0], to), source = Holder(d, i.Operands[1], from);
        int a = d.Source(i.Operands[1], i.Operands[1].Kind == OperandKind.Register ? source : from);
        int result = d.Destination(i.Operands[0], destination);
        if (Fast(spec, destination, source) is var handler && handler != null)
        {
            d.EmitLanes(handler, result, a);
            return true;
        }
        d.Emit(&Conversion.Scalar, result, a, e: source.Size() == 8 ? 1 : 0, f: destination.Size() == 8 ? 1 : 0, imm: spec.Encode(), slot: destination.Size());
        return true;
    }

    private static (Rounding, bool Integral) Mode(PtxInstruction i, PtxType to, PtxType from)
    {
        bool integral = i.Has("rni") || i.Has("rzi") || i.Has("rmi") || i.Has("rpi");
        Rounding mode = i.Has("rz") || i.Has("rzi") ? Rounding.Zero
            : i.Has("rm") || i.Has("rmi") ? Rounding.Down
            : i.Has("rp") || i.Has("rpi") ? Rounding.Up
            : i.Has("rna") ? Rounding.NearestAway
            : Rounding.NearestEven;
        return (mode, integral && to.IsFloat() && from.IsFloat());
    }

    private static bool IsPair(PtxType type) => type is PtxType.F16x2 or PtxType.BF16x2 or PtxType.E4M3x2 or PtxType.E5M2x2;

    /// <summary>The type of the register that holds a value: it may be wider than the value.</summary>
    private static PtxType Holder(KernelDecoder d, Operand operand, PtxType type)
    {
        PtxType register = d.RegisterType(operand);
        if (register == PtxType.None) return type;
        PtxType wanted = type == PtxType.TF32 ? PtxType.B32 : type;
        if (register.Size() < wanted.Size()) throw d.Error(operand.Position, $"the register is too small for .{type.ToString().ToLowerInvariant()}");
        return register;
    }

    private static bool Pair(KernelDecoder d, PtxInstruction i, ConversionSpec spec)
    {
        int result;
        if (!IsPair(spec.From))
        {
            d.RequireOperands(3);
            if (spec.From != PtxType.F32) return false;
            int high = d.Source(i.Operands[1], PtxType.F32), low = d.Source(i.Operands[2], PtxType.F32);
            result = d.Destination(i.Operands[0], spec.To.Size() == 2 ? PtxType.B16 : PtxType.B32);
            Handler fast = spec is { Rounding: Rounding.NearestEven, Relu: false, SaturateFinite: false }
                ? spec.To == PtxType.BF16x2 ? &Binary32<HalfOperations.Pack<HalfOperations.BF16>> : spec.To == PtxType.F16x2 ? &Binary32<HalfOperations.Pack<HalfOperations.F16>> : null
                : spec is { To: PtxType.E4M3x2, Relu: false } ? &Binary32<NarrowFormats.PackE4M3>
                : spec is { To: PtxType.E5M2x2, Relu: false } ? &Binary32<NarrowFormats.PackE5M2> : null;
            if (fast != null) d.EmitLanes(fast, result, high, low);
            else d.Emit(&Conversion.PackPair, result, high, low, imm: spec.Encode());
            return true;
        }
        d.RequireOperands(2);
        int a = d.Source(i.Operands[1], spec.From.Size() == 2 ? PtxType.B16 : PtxType.B32);
        result = d.Destination(i.Operands[0], spec.To.Size() == 2 ? PtxType.B16 : PtxType.B32);
        if (spec is { From: PtxType.E4M3x2, To: PtxType.F16x2, Relu: false }) d.Emit(&Unary32<NarrowFormats.UnpackE4M3>, result, a);
        else d.Emit(&Conversion.ConvertPair, result, a, imm: spec.Encode());
        return true;
    }

    private static Handler Fast(in ConversionSpec spec, PtxType destination, PtxType source)
    {
        if (spec.Saturate || spec.SaturateFinite || spec.Flush || spec.Relu) return null;
        bool nearest = spec.Rounding == Rounding.NearestEven;
        if (!spec.To.IsFloat() && !spec.From.IsFloat()) return FastInteger(spec.To, spec.From, destination, source);
        return (spec.To, spec.From) switch
        {
            (PtxType.F32, PtxType.F16) => &Unary32<HalfOperations.Widen<HalfOperations.F16>>,
            (PtxType.F32, PtxType.BF16) => &Unary32<HalfOperations.Widen<HalfOperations.BF16>>,
            (PtxType.F16, PtxType.F32) when nearest && destination.Size() == 2 => &Unary32<HalfOperations.Round<HalfOperations.F16>>,
            (PtxType.BF16, PtxType.F32) when nearest && destination.Size() == 2 => &Unary32<HalfOperations.Round<HalfOperations.BF16>>,
            (PtxType.F32, PtxType.S32) when nearest && source.Size() == 4 => &Unary32<NumberConversions.SingleFromS32>,
            (PtxType.F32, PtxType.U32) when nearest && source.Size() == 4 => &Unary32<NumberConversions.SingleFromU32>,
            (PtxType.S32, PtxType.F32) when spec.Rounding == Rounding.Zero && destination.Size() == 4 => &Unary32<NumberConversions.S32FromSingle>,
            (PtxType.S32, PtxType.F32) when nearest && destination.Size() == 4 => &Unary32<NumberConversions.S32FromSingleNearest>,
            (PtxType.S32, PtxType.F32) when spec.Rounding == Rounding.Down && destination.Size() == 4 => &Unary32<NumberConversions.S32FromSingleDown>,
            (PtxType.U32, PtxType.F32) when spec.Rounding == Rounding.Zero && destination.Size() == 4 => &Unary32<NumberConversions.U32FromSingle>,
            (PtxType.TF32, PtxType.F32) when spec.Rounding == Rounding.NearestAway => &Unary32<NumberConversions.TF32FromSingle>,
            _ => null,
        };
    }

    private static Handler FastInteger(PtxType to, PtxType from, PtxType destination, PtxType source)
    {
        bool wideTo = destination.Size() == 8, wideFrom = source.Size() == 8;
        // What counts is the narrower type: the value is cut to it and extended by the sign of the source, or of the destination where that is no wider.
        int kept = Math.Min(to.Size(), from.Size());
        bool signed = from.Size() < to.Size() ? from.IsSigned() : to.IsSigned();
        // A signed value in an unsigned type narrower than its register is extended to the type only.
        if (signed && !to.IsSigned() && destination.Size() > to.Size()) return null;
        return (wideFrom, wideTo, kept) switch
        {
            (true, true, 8) => &Unary64<IntegerOperations.Copy>,
            (true, false, 4) => &Truncate64,
            (false, true, 4) => signed ? &SignExtend32 : &ZeroExtend32,
            (false, false, 4) => &Unary32<IntegerOperations.Copy>,
            (false, false, 2) when destination.Size() == 2 || !signed => &Unary32<BitOperations.LowHalf>,
            (false, false, 2) => &Unary32<BitOperations.SignExtend16>,
            (false, false, 1) when !signed => &Unary32<BitOperations.LowByte>,
            (false, false, 1) when destination.Size() == 4 => &Unary32<BitOperations.SignExtend8>,
            _ => null,
        };
    }
}
