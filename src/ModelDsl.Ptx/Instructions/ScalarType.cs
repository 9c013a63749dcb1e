namespace ModelDsl.Ptx.Instructions;

/// <summary>Which bank a virtual register lives in; printed as its prefix.</summary>
public enum RegisterClass { Pred, B16, B32, B64, F32, F64 }

/// <summary>A type as written in an opcode, <c>f32</c> in <c>add.f32</c>, and the register class its values live in.</summary>
public sealed record ScalarType(string Suffix, int Bits, RegisterClass Class)
{
    public static readonly ScalarType Pred = new("pred", 1, RegisterClass.Pred);
    public static readonly ScalarType B8 = new("b8", 8, RegisterClass.B32);
    public static readonly ScalarType U8 = new("u8", 8, RegisterClass.B32);
    public static readonly ScalarType S8 = new("s8", 8, RegisterClass.B32);
    public static readonly ScalarType B16 = new("b16", 16, RegisterClass.B16);
    public static readonly ScalarType U16 = new("u16", 16, RegisterClass.B16);
    public static readonly ScalarType S16 = new("s16", 16, RegisterClass.B16);
    public static readonly ScalarType F16 = new("f16", 16, RegisterClass.B16);
    public static readonly ScalarType BF16 = new("bf16", 16, RegisterClass.B16);
    public static readonly ScalarType E4M3x2 = new("e4m3x2", 16, RegisterClass.B16);
    public static readonly ScalarType E5M2x2 = new("e5m2x2", 16, RegisterClass.B16);
    public static readonly ScalarType B32 = new("b32", 32, RegisterClass.B32);
    public static readonly ScalarType U32 = new("u32", 32, RegisterClass.B32);
    public static readonly ScalarType S32 = new("s32", 32, RegisterClass.B32);
    public static readonly ScalarType F16x2 = new("f16x2", 32, RegisterClass.B32);
    public static readonly ScalarType BF16x2 = new("bf16x2", 32, RegisterClass.B32);
    public static readonly ScalarType F32 = new("f32", 32, RegisterClass.F32);
    public static readonly ScalarType B64 = new("b64", 64, RegisterClass.B64);
    public static readonly ScalarType U64 = new("u64", 64, RegisterClass.B64);
    public static readonly ScalarType S64 = new("s64", 64, RegisterClass.B64);
    public static readonly ScalarType F64 = new("f64", 64, RegisterClass.F64);

    /// <summary>True for <c>.b8</c> to <c>.b64</c>: types that agree with any register of their size.</summary>
    public bool IsUntyped => Suffix[0] == 'b' && char.IsDigit(Suffix[1]);

    /// <summary>True for whole numbers with a sign.</summary>
    public bool IsSigned => Suffix[0] == 's';

    public override string ToString() => Suffix;
}
