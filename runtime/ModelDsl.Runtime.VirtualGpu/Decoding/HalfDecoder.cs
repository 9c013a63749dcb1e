using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Arithmetic on <c>.f16</c>, <c>.bf16</c> and pairs of them.</summary>
internal static unsafe class HalfDecoder
{
    public static bool Arithmetic<T>(KernelDecoder d, PtxInstruction i, PtxType type)
        where T : struct, HalfOperations.IFormat
    {
        bool pair = type.Size() == 4, nan = i.Has("NaN");
        if (i.Has("ftz") || i.Has("xorsign")) return false;
        bool done = i.Name switch
        {
            "add" => Two<T, FloatOperations.Add>(d, i, type),
            "sub" => Two<T, FloatOperations.Subtract>(d, i, type),
            "mul" => Two<T, FloatOperations.Multiply>(d, i, type),
            "min" => nan ? Two<T, FloatOperations.MinNaN>(d, i, type) : Two<T, FloatOperations.Min>(d, i, type),
            "max" => nan ? Two<T, FloatOperations.MaxNaN>(d, i, type) : Two<T, FloatOperations.Max>(d, i, type),
            "neg" => BitDecoder.One(d, i, type, type, pair ? &Unary32<HalfOperations.NegatePair> : &Unary32<HalfOperations.Negate>),
            "abs" => BitDecoder.One(d, i, type, type, pair ? &Unary32<HalfOperations.AbsolutePair> : &Unary32<HalfOperations.Absolute>),
            "fma" => MultiplyAdd(d, i, type),
            _ => false,
        };
        if (!done || !i.Has("sat") || i.Name == "fma") return done;
        int result = d.Destination(i.Operands[0], type);
        d.Emit(pair ? &Unary32<HalfOperations.UnaryPair<T, FloatOperations.Saturate>> : &Unary32<HalfOperations.Unary<T, FloatOperations.Saturate>>, result, result);
        return true;
    }

    public static bool Elementary<T>(KernelDecoder d, PtxInstruction i, PtxType type)
        where T : struct, HalfOperations.IFormat => i.Name switch
        {
            "ex2" => One<T, FloatOperations.Exp2>(d, i, type),
            "tanh" => One<T, FloatOperations.Tanh>(d, i, type),
            _ => false,
        };

    private static bool MultiplyAdd(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(4);
        PtxType single = type is PtxType.F16 or PtxType.F16x2 ? PtxType.F16 : PtxType.BF16;
        ulong options = (ulong)single | (i.Has("relu") ? 1u << 8 : 0) | (i.Has("sat") ? 1u << 9 : 0);
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), c = d.Source(i.Operands[3], type);
        d.Emit(&HalfPrecision.MultiplyAdd, d.Destination(i.Operands[0], type), a, b, c, imm: options, slot: type.Size() == 4 ? 1 : 0);
        return true;
    }

    private static bool One<T, TOp>(KernelDecoder d, PtxInstruction i, PtxType type)
        where T : struct, HalfOperations.IFormat
        where TOp : struct, IUnary32 =>
        BitDecoder.One(d, i, type, type, type.Size() == 4 ? &Unary32<HalfOperations.UnaryPair<T, TOp>> : &Unary32<HalfOperations.Unary<T, TOp>>);

    private static bool Two<T, TOp>(KernelDecoder d, PtxInstruction i, PtxType type)
        where T : struct, HalfOperations.IFormat
        where TOp : struct, IBinary32 =>
        BitDecoder.Two(d, i, type, type.Size() == 4 ? &Binary32<HalfOperations.BinaryPair<T, TOp>> : &Binary32<HalfOperations.Binary<T, TOp>>);
}
