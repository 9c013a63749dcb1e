using System.Text;

namespace ModelDsl.Compiler.Syntax;

/// <summary>What a number counts or measures: exponents of the base units. Bits are eighths of bytes, minutes are seconds.</summary>
public readonly record struct Dimension(
    sbyte Bytes = 0, sbyte Seconds = 0, sbyte Tokens = 0, sbyte Steps = 0, sbyte Dollars = 0, sbyte Gpus = 0, sbyte Nodes = 0,
    sbyte Flops = 0)
{
    public static Dimension None { get; } = default;
    public static Dimension Byte { get; } = new(Bytes: 1);
    public static Dimension BytePerSecond { get; } = new(Bytes: 1, Seconds: -1);
    public static Dimension Second { get; } = new(Seconds: 1);
    public static Dimension Token { get; } = new(Tokens: 1);
    public static Dimension Step { get; } = new(Steps: 1);
    public static Dimension Node { get; } = new(Nodes: 1);
    public static Dimension Gpu { get; } = new(Gpus: 1);
    public static Dimension Dollar { get; } = new(Dollars: 1);
    public static Dimension Flop { get; } = new(Flops: 1);
    public static Dimension GpuSecond { get; } = new(Gpus: 1, Seconds: 1);
    public static Dimension DollarPerGpuSecond { get; } = Dollar / GpuSecond;

    /// <summary>Things that are counted, so that the bare number is as good: <c>sequence = 4096</c>.</summary>
    public bool IsCount => this == Token || this == Step || this == Node || this == Gpu;

    public static Dimension operator *(Dimension a, Dimension b) => Combine(a, b, 1);

    public static Dimension operator /(Dimension a, Dimension b) => Combine(a, b, -1);

    /// <summary>In words of a message: <c>bytes/s</c>; <c>a plain number</c>.</summary>
    public override string ToString()
    {
        if (this == None) return "a plain number";
        if (this == DollarPerGpuSecond) return "$/gpu_hour";
        var above = new StringBuilder();
        var below = new StringBuilder();
        foreach (var (name, exponent) in new[]
                 {
                     ("bytes", Bytes), ("tokens", Tokens), ("steps", Steps), ("$", Dollars), ("gpus", Gpus), ("nodes", Nodes),
                     ("FLOP", Flops),
                     (Seconds == 1 && this == Second ? "seconds" : "s", Seconds),
                 })
        {
            if (exponent == 0) continue;
            var to = exponent > 0 ? above : below;
            if (to.Length > 0) to.Append('·');
            to.Append(name);
            if (Math.Abs((int)exponent) > 1) to.Append('^').Append(Math.Abs((int)exponent));
        }
        return below.Length == 0 ? above.ToString() : $"{(above.Length == 0 ? "1" : above)}/{below}";
    }

    private static Dimension Combine(Dimension a, Dimension b, int sign) => new(
        Add(a.Bytes, b.Bytes, sign), Add(a.Seconds, b.Seconds, sign), Add(a.Tokens, b.Tokens, sign), Add(a.Steps, b.Steps, sign),
        Add(a.Dollars, b.Dollars, sign), Add(a.Gpus, b.Gpus, sign), Add(a.Nodes, b.Nodes, sign), Add(a.Flops, b.Flops, sign));

    private static sbyte Add(sbyte a, sbyte b, int sign) => (sbyte)Math.Max(sbyte.MinValue, Math.Min(sbyte.MaxValue, a + sign * b));
}
