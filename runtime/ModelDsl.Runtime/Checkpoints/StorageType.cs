namespace ModelDsl.Runtime.Checkpoints;

/// <summary>Element types that a safetensors file may name.</summary>
public enum StorageType
{
    Bool,
    U8,
    I8,
    F8E4M3,
    F8E5M2,

    /// <summary>A power of two as its biased exponent: scales of <c>ue8m0</c> checkpoints.</summary>
    F8E8M0,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    I64,
    U64,
    F64,
}

public static class StorageTypes
{
    private static readonly Dictionary<string, StorageType> ByName =
        Enum.GetValues<StorageType>().ToDictionary(Name, StringComparer.Ordinal);

    /// <summary>Bytes per element.</summary>
    public static int Bytes(this StorageType type) => type switch
    {
        <= StorageType.F8E8M0 => 1,
        <= StorageType.BF16 => 2,
        <= StorageType.F32 => 4,
        _ => 8,
    };

    /// <summary>As it stands in a file's header: <c>F8_E4M3</c>, <c>BF16</c>.</summary>
    public static string Name(this StorageType type) => type switch
    {
        StorageType.Bool => "BOOL",
        StorageType.F8E4M3 => "F8_E4M3",
        StorageType.F8E5M2 => "F8_E5M2",
        StorageType.F8E8M0 => "F8_E8M0",
        _ => type.ToString(),
    };

    /// <summary>True where the elements are numbers with a fraction, which a weight must be.</summary>
    public static bool IsFloat(this StorageType type) => type is
        StorageType.F8E4M3 or StorageType.F8E5M2 or StorageType.F8E8M0 or
        StorageType.F16 or StorageType.BF16 or StorageType.F32 or StorageType.F64;

    /// <summary>True for the two FP8 formats that come with a tensor of scales.</summary>
    public static bool IsFp8(this StorageType type) => type is StorageType.F8E4M3 or StorageType.F8E5M2;

    internal static StorageType? Parse(string? name) => name is not null && ByName.TryGetValue(name, out var type) ? type : null;
}
