namespace ModelDsl.Compiler.Graph;

/// <summary>Element types of tensors in memory.</summary>
public enum DType
{
    F32,
    BF16,
    E4M3,
    I32,
}

public static class DTypes
{
    public static int Bytes(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.BF16 => 2,
        _ => 1,
    };

    /// <summary>As it stands in IR text and kernel names: <c>f32 bf16 e4m3 i32</c>.</summary>
    public static string Text(this DType type) => type switch
    {
        DType.F32 => "f32",
        DType.BF16 => "bf16",
        DType.E4M3 => "e4m3",
        _ => "i32",
    };
}
