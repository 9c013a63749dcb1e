using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>Integers of 16, 32 and 64 bits, in 128-bit arithmetic.</summary>
public static class IntegerArithmetic
{
    private static readonly string[] Types = ["u16", "s16", "u32", "s32", "u64", "s64"];

    public static IEnumerable<Row> Rows =>
    [
        .. Types.SelectMany(Basic),
        .. Types.SelectMany(Products),
        .. Types.SelectMany(Quotients),
        .. new[] { "u16", "s16", "u32", "s32" }.SelectMany(Wide),
        .. new[] { "s16", "s32", "s64" }.SelectMany(Signs),
        Two("add.sat.s32", "s32", (a, b) => Int128.Clamp(a + b, int.MinValue, int.MaxValue)),
        Two("sub.sat.s32", "s32", (a, b) => Int128.Clamp(a - b, int.MinValue, int.MaxValue)),
        Three("sad.u32", "u32", (a, b, c) => c + Int128.Abs(a - b)),
        Three("sad.s32", "s32", (a, b, c) => c + Int128.Abs(a - b)),
    ];

    private static IEnumerable<Row> Basic(string type) =>
    [
        Two($"add.{type}", type, (a, b) => a + b),
        Two($"sub.{type}", type, (a, b) => a - b),
        Two($"min.{type}", type, Int128.Min),
        Two($"max.{type}", type, Int128.Max),
    ];

    private static IEnumerable<Row> Products(string type)
    {
        var width = Width(type);
        yield return Two($"mul.lo.{type}", type, (a, b) => a * b);
        yield return Two($"mul.hi.{type}", type, (a, b) => High(a, b, type));
        yield return Three($"mad.lo.{type}", type, (a, b, c) => a * b + c);
        if (width > 16) yield return Three($"mad.hi.{type}", type, (a, b, c) => High(a, b, type) + c);
    }

    /// <summary>The upper half of the product; of unsigned 64-bit numbers it does not fit a signed 128-bit one.</summary>
    private static Int128 High(Int128 a, Int128 b, string type) =>
        type == "u64" ? (Int128)((UInt128)a * (UInt128)b >> 64) : (a * b) >> Width(type);

    private static IEnumerable<Row> Quotients(string type)
    {
        // Division by zero is left to the machine; NVIDIA's assembler makes all ones of it, and so does the virtual GPU.
        yield return Two($"div.{type}", type, (a, b) => b == 0 ? -1 : a / b);
        yield return Two($"rem.{type}", type, (a, b) => b == 0 ? -1 : a % b);
    }

    private static IEnumerable<Row> Wide(string type)
    {
        var (width, wide) = (Width(type), type[0] + (2 * Width(type)).ToString());
        yield return Elementwise.Row($"mul.wide.{type}", $"{wide} {type} {type}", Samples.Integers(width, 2),
            (a, b, _) => Cut(Value(a, type) * Value(b, type), 2 * width));
        var factors = Samples.Integers(width, 2);
        ulong[] addends = [.. Enumerable.Range(0, factors.Count).Select(n => Samples.Scatter((ulong)n, 2 * width))];
        yield return Elementwise.Row($"mad.wide.{type}", $"{wide} {type} {type} {wide}", new Operands([.. factors.Columns, addends]), (a, b, c) =>
            Cut(Value(a, type) * Value(b, type) + Value(c, wide), 2 * width));
    }

    private static IEnumerable<Row> Signs(string type)
    {
        var (width, operands) = (Width(type), Samples.Integers(Width(type), 1));
        yield return Elementwise.Row($"neg.{type}", $"{type} {type}", operands, (a, _, _) => Cut(-Value(a, type), width));
        yield return Elementwise.Row($"abs.{type}", $"{type} {type}", operands, (a, _, _) => Cut(Int128.Abs(Value(a, type)), width));
    }

    private static Row Two(string form, string type, Func<Int128, Int128, Int128> f) => Elementwise.Row(
        form, $"{type} {type} {type}", Samples.Integers(Width(type), 2), (a, b, _) => Cut(f(Value(a, type), Value(b, type)), Width(type)));

    private static Row Three(string form, string type, Func<Int128, Int128, Int128, Int128> f) => Elementwise.Row(
        form, $"{type} {type} {type} {type}", Samples.Integers(Width(type), 3),
        (a, b, c) => Cut(f(Value(a, type), Value(b, type), Value(c, type)), Width(type)));

    private static int Width(string type) => int.Parse(type.AsSpan(1));

    private static Int128 Value(ulong bits, string type) => type[0] == 's' ? Bits.Signed(bits, Width(type)) : bits;

    private static Expected Cut(Int128 value, int width) => Bits.Low((ulong)(UInt128)value, width);
}
