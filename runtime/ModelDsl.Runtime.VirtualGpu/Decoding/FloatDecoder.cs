using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;
using static ModelDsl.Runtime.VirtualGpu.Instructions.FloatOperations;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Floating arithmetic and elementary functions.</summary>
internal static unsafe class FloatDecoder
{
    public static bool Arithmetic(KernelDecoder d, PtxInstruction i, PtxType type) => type switch
    {
        PtxType.F32 => Single(d, i),
        PtxType.F64 => Double(d, i),
        PtxType.F16 or PtxType.F16x2 => HalfDecoder.Arithmetic<HalfOperations.F16>(d, i, type),
        PtxType.BF16 or PtxType.BF16x2 => HalfDecoder.Arithmetic<HalfOperations.BF16>(d, i, type),
        _ => false,
    };

    /// <summary>Elementary functions, <c>copysign</c>, <c>testp</c>.</summary>
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        PtxType type = i.Type(d);
        bool flush = i.Has("ftz"), isDouble = type == PtxType.F64;
        if (type is PtxType.F16 or PtxType.F16x2) return HalfDecoder.Elementary<HalfOperations.F16>(d, i, type);
        if (type is PtxType.BF16 or PtxType.BF16x2) return HalfDecoder.Elementary<HalfOperations.BF16>(d, i, type);
        if (type != PtxType.F32 && !isDouble) return false;
        switch (i.Name)
        {
            case "copysign": return BitDecoder.Two(d, i, type, isDouble ? &Binary64<CopySign> : &Binary32<CopySign>);
            case "testp": return Test(d, i, type);
            case "sqrt" or "rcp" when Directed(i) is { } mode:
                return Round(d, i, i.Name == "sqrt" ? DirectedOperation.SquareRoot : DirectedOperation.Reciprocal, mode, 1, type);
            case "sqrt" or "rcp" when isDouble: return BitDecoder.One(d, i, type, type, i.Name == "sqrt" ? &Unary64<SquareRoot> : &Unary64<Reciprocal>);
            case "rsqrt" when isDouble: return BitDecoder.One(d, i, type, type, &Unary64<ReciprocalSquareRoot>);
        }
        if (isDouble) return false;
        return i.Name switch
        {
            "rcp" => One<Reciprocal>(d, i, flush),
            "sqrt" => One<SquareRoot>(d, i, flush),
            "rsqrt" => One<ReciprocalSquareRoot>(d, i, flush),
            "ex2" => One<Exp2>(d, i, flush),
            "lg2" => One<Log2>(d, i, flush),
            "sin" => One<Sin>(d, i, flush),
            "cos" => One<Cos>(d, i, flush),
            "tanh" => One<Tanh>(d, i, flush),
            _ => false,
        };
    }

    private static bool Single(KernelDecoder d, PtxInstruction i)
    {
        bool flush = i.Has("ftz"), nan = i.Has("NaN");
        if (i.Has("xorsign")) return false;
        bool done = (i.Name, Directed(i)) switch
        {
            ("add", { } mode) => Round(d, i, DirectedOperation.Add, mode, 2),
            ("sub", { } mode) => Round(d, i, DirectedOperation.Subtract, mode, 2),
            ("mul", { } mode) => Round(d, i, DirectedOperation.Multiply, mode, 2),
            ("div", { } mode) => Round(d, i, DirectedOperation.Divide, mode, 2),
            ("fma" or "mad", { } mode) => Round(d, i, DirectedOperation.MultiplyAdd, mode, 3),
            ("add", null) => Sum<Add>(d, i, flush),
            ("sub", null) => Sum<Subtract>(d, i, flush),
            ("mul", null) => Sum<Multiply>(d, i, flush),
            ("div", null) when i.Has("approx") => Two<DivideApproximately>(d, i, flush),
            ("div", null) => Two<Divide>(d, i, flush),
            ("fma" or "mad", null) => BitDecoder.Three(d, i, PtxType.F32, flush ? &Ternary32<Flushed3<MultiplyAdd>> : &SingleElementwise.Ternary<MultiplyAdd>),
            ("min", _) => nan ? Two<MinNaN>(d, i, flush) : Two<Min>(d, i, flush),
            ("max", _) => nan ? Two<MaxNaN>(d, i, flush) : Two<Max>(d, i, flush),
            ("abs", _) => One<Absolute>(d, i, flush),
            ("neg", _) => One<Negate>(d, i, flush),
            _ => false,
        };
        if (!done || !i.Has("sat")) return done;
        int result = d.Destination(i.Operands[0], PtxType.F32);
        d.Emit(&Unary32<Saturate>, result, result);
        return true;
    }

    private static bool Double(KernelDecoder d, PtxInstruction i)
    {
        if (Directed(i) is { } mode)
        {
            DirectedOperation? operation = i.Name switch
            {
                "add" => DirectedOperation.Add,
                "sub" => DirectedOperation.Subtract,
                "mul" => DirectedOperation.Multiply,
                "div" => DirectedOperation.Divide,
                "fma" or "mad" => DirectedOperation.MultiplyAdd,
                _ => null,
            };
            return operation is { } known && Round(d, i, known, mode, known == DirectedOperation.MultiplyAdd ? 3 : 2, PtxType.F64);
        }
        return i.Name switch
        {
            "add" => BitDecoder.Two(d, i, PtxType.F64, &Binary64<Add>),
            "sub" => BitDecoder.Two(d, i, PtxType.F64, &Binary64<Subtract>),
            "mul" => BitDecoder.Two(d, i, PtxType.F64, &Binary64<Multiply>),
            "div" => BitDecoder.Two(d, i, PtxType.F64, &Binary64<Divide>),
            "fma" or "mad" => BitDecoder.Three(d, i, PtxType.F64, &Ternary64<MultiplyAdd>),
            "min" => BitDecoder.Two(d, i, PtxType.F64, &Binary64<Min>),
            "max" => BitDecoder.Two(d, i, PtxType.F64, &Binary64<Max>),
            "abs" => BitDecoder.One(d, i, PtxType.F64, PtxType.F64, &Unary64<Absolute>),
            "neg" => BitDecoder.One(d, i, PtxType.F64, PtxType.F64, &Unary64<Negate>),
            _ => false,
        };
    }

    private static Rounding? Directed(PtxInstruction i) =>
        i.Has("rz") ? Rounding.Zero : i.Has("rm") ? Rounding.Down : i.Has("rp") ? Rounding.Up : null;

    private static bool Round(KernelDecoder d, PtxInstruction i, DirectedOperation operation, Rounding mode, int sources, PtxType type = PtxType.F32)
    {
        d.RequireOperands(sources + 1);
        int a = d.Source(i.Operands[1], type), b = sources > 1 ? d.Source(i.Operands[2], type) : -1, c = sources > 2 ? d.Source(i.Operands[3], type) : -1;
        d.Emit(type == PtxType.F64 ? &DirectedDouble.Run : &DirectedRounding.Run, d.Destination(i.Operands[0], type), a, b, c, (int)operation, (int)mode, slot: i.Has("ftz") ? 1 : 0);
        return true;
    }

    private static bool One<T>(KernelDecoder d, PtxInstruction i, bool flush)
        where T : struct, IUnary32 => BitDecoder.One(d, i, PtxType.F32, PtxType.F32, flush ? &Unary32<Flushed1<T>> : &Unary32<T>);

    private static bool Two<T>(KernelDecoder d, PtxInstruction i, bool flush)
        where T : struct, IBinary32 => BitDecoder.Two(d, i, PtxType.F32, flush ? &Binary32<Flushed2<T>> : &Binary32<T>);

    private static bool Sum<T>(KernelDecoder d, PtxInstruction i, bool flush)
        where T : struct, IBinarySingle => BitDecoder.Two(d, i, PtxType.F32, flush ? &Binary32<Flushed2<T>> : &SingleElementwise.Binary<T>);

    private static bool Test(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(2);
        FloatTest? test = i.Opcode[1] switch
        {
            "finite" => FloatTest.Finite,
            "infinite" => FloatTest.Infinite,
            "number" => FloatTest.Number,
            "notanumber" => FloatTest.NotANumber,
            "normal" => FloatTest.Normal,
            "subnormal" => FloatTest.Subnormal,
            _ => null,
        };
        if (test == null) return false;
        d.Emit(&FloatTests.Run, d.PredicateDestination(i.Operands[0]), d.Source(i.Operands[1], type), imm: (ulong)test, slot: type == PtxType.F64 ? 1 : 0);
        return true;
    }
}
