using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary><c>setp</c>: every relation, combined with a predicate, with one result and two.</summary>
public static class Comparisons
{
    private static readonly string[] Relations = ["eq", "ne", "lt", "le", "gt", "ge"];

    public static IEnumerable<Row> Rows =>
    [
        .. new[] { "b16", "b32", "b64" }.SelectMany(type => Relations[..2].Select(relation => Integer(relation, type))),
        .. new[] { "s16", "s32", "s64", "u16", "u32", "u64" }.SelectMany(type => Relations.Select(relation => Integer(relation, type))),
        .. new[] { "u16", "u32", "u64" }.SelectMany(type => new[] { "lo", "ls", "hi", "hs" }.Select(relation => Integer(relation, type))),
        .. new[] { "f32", "f64", "f16", "bf16" }.SelectMany(type => Floating(type, "")),
        .. Floating("f32", ".ftz"),
        .. new[] { "and", "or", "xor" }.SelectMany(Combined),
    ];

    private static Row Integer(string relation, string type)
    {
        var width = int.Parse(type.AsSpan(1));
        return Elementwise.Row($"setp.{relation}.{type}", $"pred {type} {type}", Samples.Integers(width, 2), (a, b, _) =>
            Bit(Holds(relation, type[0] == 's' ? Bits.Signed(a, width).CompareTo(Bits.Signed(b, width)) : a.CompareTo(b))));
    }

    private static IEnumerable<Row> Floating(string type, string variant)
    {
        var f = FloatFormat.Of(type);
        foreach (var relation in (string[])[.. Relations, .. Relations.Select(r => r + "u"), "num", "nan"])
            yield return Elementwise.Row($"setp.{relation}{variant}.{type}", $"pred {type} {type}", Samples.Floats(f, 2), (a, b, _) =>
            {
                if (variant.Length > 0) (a, b) = (f.Flush(a), f.Flush(b));
                var unordered = f.IsNaN(a) || f.IsNaN(b);
                if (relation is "num" or "nan") return Bit(unordered == (relation == "nan"));
                if (unordered) return Bit(relation.Length == 3);
                return Bit(Holds(relation[..2], Real.Compare(f.Decode(a), f.Decode(b))));
            });
    }

    /// <summary>First result: comparison op c; second: its negation op c.</summary>
    private static IEnumerable<Row> Combined(string operation)
    {
        var operands = Operands.Cross(Samples.Edges(32), Samples.Edges(32), [0, 1]);
        bool Combine(bool a, bool b) => operation switch { "and" => a && b, "or" => a || b, _ => a != b };
        foreach (var negated in new[] { false, true })
        {
            var source = negated ? "!$c" : "$c";
            yield return Elementwise.Row(
                $"setp.lt.{operation}.s32", "pred s32 s32 pred", operands,
                (a, b, c) => Bit(Combine((int)a < (int)b, (c != 0) != negated)), $"setp.lt.{operation}.s32 $d, $a, $b, {source};") with
            {
                Detail = negated ? "one result, negated source" : "one result",
            };
            yield return Elementwise.Row(
                $"setp.lt.{operation}.s32", "u32 s32 s32 pred", operands,
                (a, b, c) => Bit(Combine((int)a < (int)b, (c != 0) != negated)) | 2 * Bit(Combine((int)a >= (int)b, (c != 0) != negated)),
                $"setp.lt.{operation}.s32 %p7|%p8, $a, $b, {source}; selp.b32 %u1, 1, 0, %p7; selp.b32 %u2, 2, 0, %p8; or.b32 $d, %u1, %u2;") with
            {
                Detail = negated ? "two results, negated source" : "two results",
            };
        }
    }

    private static bool Holds(string relation, int order) => relation switch
    {
        "eq" => order == 0,
        "ne" => order != 0,
        "lt" or "lo" => order < 0,
        "le" or "ls" => order <= 0,
        "gt" or "hi" => order > 0,
        _ => order >= 0,
    };

    private static ulong Bit(bool value) => value ? 1u : 0;
}
