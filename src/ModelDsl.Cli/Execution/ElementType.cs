using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Cli.Execution;

/// <summary>Types of scalars and buffer elements by the names people give them: <c>i32</c>, <c>s32</c>, <c>bf16</c>, <c>e4m3</c>.</summary>
internal static class ElementType
{
    private const string Known = "i8 to i64, u8 to u64, f16, bf16, f32, f64, e4m3, e5m2, bool";

    /// <exception cref="TroubleException">There is no such type.</exception>
    public static StorageType Parse(string name, string argument) => name.ToLowerInvariant() switch
    {
        "bool" or "pred" => StorageType.Bool,
        "u8" or "b8" => StorageType.U8,
        "i8" or "s8" => StorageType.I8,
        "u16" or "b16" => StorageType.U16,
        "i16" or "s16" => StorageType.I16,
        "u32" or "b32" => StorageType.U32,
        "i32" or "s32" => StorageType.I32,
        "u64" or "b64" => StorageType.U64,
        "i64" or "s64" => StorageType.I64,
        "f16" => StorageType.F16,
        "bf16" => StorageType.BF16,
        "f32" => StorageType.F32,
        "f64" => StorageType.F64,
        "e4m3" or "f8_e4m3" or "f8e4m3" => StorageType.F8E4M3,
        "e5m2" or "f8_e5m2" or "f8e5m2" => StorageType.F8E5M2,
        _ => throw TroubleException.Usage($"--arg {argument}: there is no type '{name}'; there are {Known}"),
    };

    /// <summary>The bytes of a number as written; a float after <c>0x</c> is its bits.</summary>
    /// <exception cref="TroubleException">The text is no number, or one that the type cannot hold.</exception>
    public static byte[] Value(StorageType type, string text, string argument)
    {
        var digits = text.Trim();
        var bits = IsInteger(type) ? Integer(type, digits) : Float(type, digits);
        if (bits is not { } value)
            throw TroubleException.Usage($"--arg {argument}: '{text}' is no {Name(type)}{(IsInteger(type) ? $", which goes from {Lowest(type)} to {Highest(type)}" : "")}");
        return Bytes(type, value);
    }

    /// <summary>A number rounded to the nearest the type holds.</summary>
    public static byte[] Nearest(StorageType type, double value) =>
        IsInteger(type) ? Bytes(type, Bits(BigInteger.Min(BigInteger.Max(new BigInteger(value), Lowest(type)), Highest(type)))) : Bytes(type, Bits(type, value));

    public static string Name(StorageType type) => type.Name().ToLowerInvariant();

    public static bool IsInteger(StorageType type) => !type.IsFloat();

    public static BigInteger Lowest(StorageType type) => IsSigned(type) ? -(BigInteger.One << (type.Bytes() * 8 - 1)) : 0;

    public static BigInteger Highest(StorageType type) => type switch
    {
        StorageType.Bool => 1,
        _ => (BigInteger.One << (type.Bytes() * 8 - (IsSigned(type) ? 1 : 0))) - 1,
    };

    private static bool IsSigned(StorageType type) => type is StorageType.I8 or StorageType.I16 or StorageType.I32 or StorageType.I64;

    private static ulong? Integer(StorageType type, string text)
    {
        if (type == StorageType.Bool && bool.TryParse(text, out var flag)) return flag ? 1u : 0;
        if (Hexadecimal(text) is { } bits) return bits <= Mask(type) ? bits : null;
        if (!BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return null;
        return value >= Lowest(type) && value <= Highest(type) ? Bits(value) : null;
    }

    private static ulong? Float(StorageType type, string text)
    {
        if (Hexadecimal(text) is { } bits) return bits <= Mask(type) ? bits : null;
        double? value = text.ToLowerInvariant() switch
        {
            "inf" or "+inf" or "infinity" => double.PositiveInfinity,
            "-inf" or "-infinity" => double.NegativeInfinity,
            "nan" => double.NaN,
            _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
        };
        return value is { } known ? Bits(type, known) : null;
    }

    private static ulong? Hexadecimal(string text) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) ? bits : null;

    private static ulong Mask(StorageType type) => type.Bytes() == 8 ? ulong.MaxValue : (1UL << (type.Bytes() * 8)) - 1;

    private static ulong Bits(BigInteger value) => (ulong)(value & ulong.MaxValue);

    private static ulong Bits(StorageType type, double value) => type switch
    {
        StorageType.F64 => BitConverter.DoubleToUInt64Bits(value),
        StorageType.F16 => BitConverter.HalfToUInt16Bits((Half)value),
        StorageType.BF16 => BFloat16.FromSingle((float)value),
        StorageType.F8E4M3 => E4M3.FromSingle((float)value),
        StorageType.F8E5M2 => E5M2(value),
        _ => BitConverter.SingleToUInt32Bits((float)value),
    };

    /// <summary>The upper byte of a half, rounded to nearest even.</summary>
    private static ulong E5M2(double value)
    {
        var half = BitConverter.HalfToUInt16Bits((Half)value);
        return double.IsNaN(value) ? 0x7Ful : (ulong)(half + 0x7F + (half >> 8 & 1)) >> 8;
    }

    private static byte[] Bytes(StorageType type, ulong bits)
    {
        var word = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(word, bits);
        return word[..type.Bytes()];
    }
}
