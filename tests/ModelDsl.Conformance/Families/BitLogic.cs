using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>Logic, shifts, counts, fields of bits, and selection.</summary>
public static class BitLogic
{
    private static readonly int[] Widths = [16, 32, 64];

    public static IEnumerable<Row> Rows =>
    [
        .. Widths.SelectMany(Logic),
        .. OnPredicates(),
        .. Widths.SelectMany(Shifts),
        .. new[] { 32, 64 }.SelectMany(Counts),
        .. new[] { 32, 64 }.SelectMany(Fields),
        .. Funnels(),
        .. new byte[] { 0x00, 0x1E, 0x80, 0x96, 0xCA, 0xE8, 0xFE }.Select(Table),
        .. Permutations(),
        .. new[] { "b16", "b32", "b64", "f32", "f64" }.Select(Selection),
    ];

    private static IEnumerable<Row> Logic(int width) =>
    [
        Two("and", width, (a, b) => a & b),
        Two("or", width, (a, b) => a | b),
        Two("xor", width, (a, b) => a ^ b),
        One("not", width, a => ~a),
        One("cnot", width, a => a == 0 ? 1u : 0),
    ];

    private static IEnumerable<Row> OnPredicates()
    {
        var truths = Operands.Cross([0, 1], 2);
        yield return Elementwise.Row("and.pred", "pred pred pred", truths, (a, b, _) => a & b);
        yield return Elementwise.Row("or.pred", "pred pred pred", truths, (a, b, _) => a | b);
        yield return Elementwise.Row("xor.pred", "pred pred pred", truths, (a, b, _) => a ^ b);
        yield return Elementwise.Row("not.pred", "pred pred", new Operands([0, 1]), (a, _, _) => a ^ 1);
        yield return Elementwise.Row("mov.pred", "pred pred", new Operands([0, 1]), (a, _, _) => a);
    }

    /// <summary>Amounts are 32 bits and unsigned; what exceeds the width counts as the width.</summary>
    private static IEnumerable<Row> Shifts(int width)
    {
        ulong[] amounts = [.. Enumerable.Range(0, width + 2).Select(n => (ulong)n), 100, 255, 256, 257, 0x10000, 0x80000000, 0xFFFFFFFF];
        var operands = Operands.Cross(Samples.Edges(width), amounts);
        yield return Elementwise.Row($"shl.b{width}", $"b{width} b{width} u32", operands, (a, n, _) => Bits.Low(n >= 64 ? 0 : a << (int)n, width));
        yield return Elementwise.Row($"shr.u{width}", $"u{width} u{width} u32", operands, (a, n, _) => n >= 64 ? 0 : a >> (int)n);
        yield return Elementwise.Row($"shr.b{width}", $"b{width} b{width} u32", operands, (a, n, _) => n >= 64 ? 0 : a >> (int)n);
        yield return Elementwise.Row($"shr.s{width}", $"s{width} s{width} u32", operands,
            (a, n, _) => Bits.Low((ulong)(Bits.Signed(a, width) >> (int)Math.Min(n, 63)), width));
    }

    private static IEnumerable<Row> Counts(int width)
    {
        Operands operands = new([.. Samples.Integers(width, 1).Columns[0], .. Enumerable.Range(0, width).Select(bit => 1ul << bit)]);
        Row Count(string form, string type, Func<ulong, Expected> f) => Elementwise.Row(form, $"u32 {type}{width}", operands, (a, _, _) => f(a));
        yield return Count($"popc.b{width}", "b", a => Ones(a, width));
        yield return Count($"clz.b{width}", "b", a => (uint)(width - 1 - Highest(a, width)));
        yield return Elementwise.Row($"brev.b{width}", $"b{width} b{width}", operands, (a, _, _) => Reverse(a, width));
        foreach (var sign in "us")
        {
            ulong Seen(ulong a) => sign == 's' && Bits.Signed(a, width) < 0 ? Bits.Low(~a, width) : a;
            yield return Count($"bfind.{sign}{width}", sign.ToString(), a => (uint)Highest(Seen(a), width));
            yield return Count($"bfind.shiftamt.{sign}{width}", sign.ToString(),
                a => Seen(a) == 0 ? uint.MaxValue : (uint)(width - 1 - Highest(Seen(a), width)));
        }
    }

    private static uint Ones(ulong a, int width) => (uint)Enumerable.Range(0, width).Count(bit => (a >> bit & 1) != 0);

    /// <summary>Position of the highest one; -1 for zero.</summary>
    private static int Highest(ulong a, int width)
    {
        for (var bit = width - 1; bit >= 0; bit--)
            if ((a >> bit & 1) != 0) return bit;
        return -1;
    }

    private static ulong Reverse(ulong a, int width)
    {
        ulong result = 0;
        for (var bit = 0; bit < width; bit++) result |= (a >> bit & 1) << (width - 1 - bit);
        return result;
    }

    /// <summary>Positions and lengths are up to 255; what larger ones do differs between widths.</summary>
    private static IEnumerable<Row> Fields(int width)
    {
        ulong[] values = [0, 1, 0x123456789ABCDEF0, 0xFEDCBA9876543210, ulong.MaxValue, 1ul << (width - 1)];
        ulong[] numbers = [.. Enumerable.Range(0, 9).Select(n => (ulong)(n * 8)), 1, 7, 31, 33, 63, 65, 200, 255];
        var operands = Operands.Cross([.. values.Select(value => Bits.Low(value, width))], numbers, numbers);
        foreach (var sign in "us")
            yield return Elementwise.Row($"bfe.{sign}{width}", $"{sign}{width} {sign}{width} u32 u32", operands, (a, position, length) =>
            {
                var (from, count) = ((int)position, (int)length);
                var fill = sign == 'u' || count == 0 ? 0 : a >> Math.Min(from + count - 1, width - 1) & 1;
                ulong result = 0;
                for (var bit = 0; bit < width; bit++)
                    result |= (bit < count && from + bit < width ? a >> (from + bit) & 1 : fill) << bit;
                return result;
            });
        // The value that is put in and the one it is put into come from one column: the second is its reverse.
        yield return Elementwise.Row($"bfi.b{width}", $"b{width} b{width} u32 u32", operands, (a, position, length) =>
        {
            var (from, count) = ((int)position, (int)length);
            var result = Reverse(a, width);
            for (var bit = 0; bit < count && from + bit < width; bit++)
                result = (result & ~(1ul << (from + bit))) | ((a >> bit & 1) << (from + bit));
            return result;
        }, $"brev.b{width} {(width == 64 ? "%v1" : "%u1")}, $a; bfi.b{width} $d, $a, {(width == 64 ? "%v1" : "%u1")}, $b, $c;");
    }

    private static IEnumerable<Row> Funnels()
    {
        ulong[] values = [0, 1, 0x80000000, 0x12345678, 0xDEADBEEF, 0xFFFFFFFF];
        var operands = Operands.Cross(values, values, [.. Enumerable.Range(0, 34).Select(n => (ulong)n), 63, 64, 255, 0x80000001]);
        foreach (var (mode, limit) in new[] { ("wrap", (Func<ulong, int>)(n => (int)(n & 31))), ("clamp", n => (int)Math.Min(n, 32)) })
        {
            yield return Elementwise.Row($"shf.l.{mode}.b32", "b32 b32 b32 u32", operands, (low, high, n) => (uint)((high << 32 | low) << limit(n) >> 32));
            yield return Elementwise.Row($"shf.r.{mode}.b32", "b32 b32 b32 u32", operands, (low, high, n) => (uint)((high << 32 | low) >> limit(n)));
        }
    }

    /// <summary>The table's bit number 4a + 2b + c.</summary>
    private static Row Table(byte table)
    {
        var operands = Samples.Integers(32, 3);
        return Elementwise.Row("lop3.b32", "b32 b32 b32 b32", operands, (a, b, c) =>
        {
            ulong result = 0;
            for (var bit = 0; bit < 32; bit++)
                result |= ((ulong)table >> (int)((a >> bit & 1) * 4 + (b >> bit & 1) * 2 + (c >> bit & 1)) & 1) << bit;
            return result;
        }, $"lop3.b32 $d, $a, $b, $c, {table};") with { Detail = $"table 0x{table:X2}" };
    }

    /// <summary>Each nibble of the selector picks a byte of eight; its top bit spreads that byte's sign instead.</summary>
    private static IEnumerable<Row> Permutations()
    {
        ulong[] selectors = [.. Enumerable.Range(0, 16).Select(n => (ulong)(n * 0x1111)), 0x3210, 0x7654, 0x5140, 0x0F1E, 0xABCD, 0xFFFF3210];
        var operands = Operands.Cross([0x80FF017F, 0x12345678, 0xFEDCBA98], [0x9ABCDEF0, 0x0123807F], selectors);
        yield return Elementwise.Row("prmt.b32", "b32 b32 b32 b32", operands, (a, b, selector) =>
        {
            ulong result = 0;
            for (var n = 0; n < 4; n++)
            {
                var pick = (int)(selector >> (4 * n)) & 15;
                var value = (b << 32 | a) >> (8 * (pick & 7)) & 0xFF;
                result |= (pick < 8 ? value : value >= 128 ? 0xFFul : 0) << (8 * n);
            }
            return result;
        });
    }

    private static Row Selection(string type)
    {
        var width = 8 * Elementwise.Bytes(type);
        var values = Samples.Edges(width);
        return Elementwise.Row($"selp.{type}", $"{type} {type} {type} pred", Operands.Cross(values, values, [0, 1]), (a, b, p) => p != 0 ? a : b);
    }

    private static Row One(string name, int width, Func<ulong, ulong> f) => Elementwise.Row(
        $"{name}.b{width}", $"b{width} b{width}", Samples.Integers(width, 1), (a, _, _) => Bits.Low(f(a), width));

    private static Row Two(string name, int width, Func<ulong, ulong, ulong> f) => Elementwise.Row(
        $"{name}.b{width}", $"b{width} b{width} b{width}", Samples.Integers(width, 2), (a, b, _) => Bits.Low(f(a, b), width));
}
