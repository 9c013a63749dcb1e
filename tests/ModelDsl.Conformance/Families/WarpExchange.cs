using System.Numerics;
using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary><c>shfl</c>, <c>vote</c>, <c>match</c>, <c>redux</c>, <c>activemask</c>: each block is one warp and one case.</summary>
public static class WarpExchange
{
    private const uint Everyone = 0xFFFFFFFF;

    public static IEnumerable<Row> Rows =>
    [
        .. new[] { "up", "down", "bfly", "idx" }.SelectMany(Shuffles),
        .. new[] { "all", "any", "uni", "ballot" }.SelectMany(Votes),
        .. new[] { 32, 64 }.SelectMany(Matches),
        .. new[] { "add", "min", "max" }.SelectMany(name => new[] { "s32", "u32" }.Select(type => Reduction(name, type))),
        .. new[] { "and", "or", "xor" }.Select(name => Reduction(name, "b32")),
        ActiveLanes(),
    ];

    /// <summary>Every distance or lane, every segment width, and distances that differ from lane to lane.</summary>
    private static IEnumerable<Row> Shuffles(string mode)
    {
        var form = $"shfl.sync.{mode}.b32";
        uint[] widths = [32, 16, 8, 4, 2, 1];
        var clamp = mode == "up" ? 0 : 31u;
        (uint B, uint C)[] uniform = [.. widths.SelectMany(width => Enumerable.Range(0, 33).Select(b => ((uint)b, (32 - width) << 8 | clamp)))];
        // Beyond that: clamps that end within a segment, and a distance of its own for each lane.
        (uint B, uint C)[] odd = [(3, 0x0007), (9, 0x0013), (1, 0x1805), (5, 0x1C1E)];
        var blocks = uniform.Length + odd.Length + 8;
        (uint B, uint C) At(int block, int lane) => block < uniform.Length ? uniform[block]
            : block < uniform.Length + odd.Length ? odd[block - uniform.Length]
            : ((uint)Samples.Scatter((ulong)(block * 32 + lane), 5), clamp);
        foreach (var wantsPredicate in new[] { true, false })
        {
            var target = wantsPredicate ? "%r4|%p1" : "%r4";
            yield return new Row(form, Ptx.Kernel(form, 2, $$"""
                mad.wide.u32 %d1, %r51, 4, %d20; ld.global.b32 %r1, [%d1]; mad.wide.u32 %d2, %r51, 8, %d21; ld.global.v2.b32 {%r2, %r3}, [%d2];
                setp.ne.u32 %p1, %r1, %r1;
                {{form}} {{target}}, %r1, %r2, %r3, 0xFFFFFFFF;
                selp.b32 %r5, 1, 0, %p1; mad.wide.u32 %d3, %r51, 8, %d29; st.global.v2.b32 [%d3], {%r4, %r5};
                """), blocks, 32, Data) { Detail = wantsPredicate ? "with predicate" : "value alone" };

            Case Data()
            {
                var values = Enumerable.Range(0, blocks * 32).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
                var operands = Enumerable.Range(0, blocks * 32).SelectMany(n => (ulong[])[At(n / 32, n % 32).B, At(n / 32, n % 32).C]).ToArray();
                var expected = Enumerable.Range(0, blocks * 32).Select(n =>
                {
                    var (source, inRange) = Source(mode, n % 32, At(n / 32, n % 32));
                    return (Expected)(values[n / 32 * 32 + source] | (inRange && wantsPredicate ? 1ul << 32 : 0));
                }).ToArray();
                return new Case([Bits.Bytes(values, 4), Bits.Bytes(operands, 4)], expected, 8)
                {
                    Describe = n => $"lane {n % 32}, b {At(n / 32, n % 32).B}, c 0x{At(n / 32, n % 32).C:X}",
                };
            }
        }
        yield return HalfAWarp(form, mode);
    }

    /// <summary>The ISA's own text of which lane is read, and whether it was in range.</summary>
    private static (int Source, bool InRange) Source(string mode, int lane, (uint B, uint C) operands)
    {
        var (b, c, segment) = ((int)operands.B & 31, (int)operands.C & 31, (int)(operands.C >> 8) & 31);
        var (highest, lowest) = ((lane & segment) | (c & ~segment), lane & segment);
        var (source, inRange) = mode switch
        {
            "up" => (lane - b, lane - b >= highest),
            "down" => (lane + b, lane + b <= highest),
            "bfly" => (lane ^ b, (lane ^ b) <= highest),
            _ => (lowest | (b & ~segment), (lowest | (b & ~segment)) <= highest),
        };
        return (inRange ? source : lane, inRange);
    }

    /// <summary>Upper and lower half of a warp shuffle in branches of their own, each among its members.</summary>
    private static Row HalfAWarp(string form, string mode)
    {
        var c = mode == "up" ? 0x1000 : 0x100F;
        return new Row(form, Ptx.Kernel(form, 0, $"""
            mad.lo.s32 %r1, %r53, 1000003, 77; setp.lt.u32 %p1, %r53, 16;
            @%p1 bra LOWER;
            {form} %r4, %r1, 3, {c}, 0xFFFF0000;
            bra DONE;
            LOWER:
            {form} %r4, %r1, 5, {c}, 0x0000FFFF;
            DONE:
            mad.wide.u32 %d3, %r51, 4, %d29; st.global.b32 [%d3], %r4;
            """), 1, 32, () => new Case([], [.. Enumerable.Range(0, 32).Select(lane =>
                (Expected)(uint)(Source(mode, lane, (lane < 16 ? 5u : 3u, (uint)c)).Source * 1000003 + 77))], 4)) { Detail = "halves in branches" };
    }

    /// <summary>Which lanes say yes, and which take part, in each block.</summary>
    private static (uint Yes, uint Members)[] Ballots { get; } =
    [
        (0, Everyone), (Everyone, Everyone), (1, Everyone), (0x80000000, Everyone), (0x7FFFFFFF, Everyone), (0xAAAAAAAA, Everyone),
        (0x12345678, Everyone), (0x0000FFFF, 0x0000FFFF), (0xFFFF0000, 0x0000FFFF), (0x00FF, 0x0000FFFF), (0xAAAAAAAA, 0xAAAAAAAA),
        (0x55555555, 0xAAAAAAAA), (8, 8), (0, 8),
    ];

    private static IEnumerable<Row> Votes(string name)
    {
        var form = name == "ballot" ? "vote.sync.ballot.b32" : $"vote.sync.{name}.pred";
        foreach (var negated in new[] { false, true })
            yield return new Row(form, Ptx.Kernel(form, 1, $$"""
                mad.wide.u32 %d1, %r52, 8, %d20; ld.global.v2.b32 {%r1, %r2}, [%d1];
                shr.u32 %r3, %r1, %r53; and.b32 %r3, %r3, 1; setp.ne.u32 %p1, %r3, 0;
                shr.u32 %r4, %r2, %r53; and.b32 %r4, %r4, 1; setp.eq.u32 %p2, %r4, 0; @%p2 ret;
                {{form}} {{(name == "ballot" ? "%r5" : "%p3")}}, {{(negated ? "!" : "")}}%p1, %r2;
                {{(name == "ballot" ? "" : "selp.b32 %r5, 1, 0, %p3;")}}
                mad.wide.u32 %d3, %r51, 4, %d29; st.global.b32 [%d3], %r5;
                """), Ballots.Length, 32, () => new Case(
                    [Bits.Bytes([.. Ballots.SelectMany(ballot => new[] { ballot.Yes, ballot.Members })])],
                    [.. Ballots.SelectMany(ballot => Enumerable.Range(0, 32).Select(lane =>
                        (ballot.Members >> lane & 1) == 0 ? 0xA5A5A5A5 : Result(negated ? ~ballot.Yes : ballot.Yes, ballot.Members)))],
                    4)) { Detail = negated ? "negated" : "" };

        Expected Result(uint yes, uint members) => name switch
        {
            "ballot" => yes & members,
            "all" => (yes & members) == members ? 1u : 0,
            "any" => (yes & members) != 0 ? 1u : 0,
            _ => (yes & members) == members || (yes & members) == 0 ? 1u : 0,
        };
    }

    private static IEnumerable<Row> Matches(int width)
    {
        const int blocks = 12;
        ulong Value(int block, int lane)
        {
            var kind = Samples.Scatter((ulong)(block * 32 + lane)) % (ulong)Math.Max(1, block * 3);
            // Where 64 bits count, values that differ in the upper half only.
            return width == 64 ? kind << 33 | 7 : kind * 0x01010101 & 0xFFFFFFFF;
        }
        foreach (var kind in new[] { "any", "all" })
        {
            var form = $"match.{kind}.sync.b{width}";
            var source = width == 64 ? "%d5" : "%r1";
            yield return new Row(form, Ptx.Kernel(form, 1, $"""
                mad.wide.u32 %d1, %r51, {width / 8}, %d20; ld.global.b{width} {source}, [%d1];
                {form} {(kind == "any" ? "%r2" : "%r2|%p1")}, {source}, 0xFFFFFFFF;
                {(kind == "any" ? "" : "selp.b32 %r3, 1, 0, %p1; xor.b32 %r2, %r2, %r3;")}
                mad.wide.u32 %d3, %r51, 4, %d29; st.global.b32 [%d3], %r2;
                """), blocks, 32, () =>
            {
                var values = Enumerable.Range(0, blocks * 32).Select(n => Value(n / 32, n % 32)).ToArray();
                var expected = Enumerable.Range(0, blocks * 32).Select(n =>
                {
                    uint same = 0;
                    for (var lane = 0; lane < 32; lane++)
                        if (values[n / 32 * 32 + lane] == values[n]) same |= 1u << lane;
                    // With .all the mask is all or nothing; the kernel flips its lowest bit where the predicate holds.
                    return (Expected)(kind == "any" ? same : same == Everyone ? Everyone ^ 1 : 0);
                }).ToArray();
                return new Case([Bits.Bytes(values, width / 8)], expected, 4);
            });
        }
    }

    private static Row Reduction(string name, string type)
    {
        var form = $"redux.sync.{name}.{type}";
        uint[] members = [Everyone, Everyone, Everyone, 0x0000FFFF, 0x80000001, 0x00000010];
        return new Row(form, Ptx.Kernel(form, 2, $"""
            mad.wide.u32 %d1, %r51, 4, %d20; ld.global.b32 %r1, [%d1]; mad.wide.u32 %d2, %r52, 4, %d21; ld.global.b32 %r2, [%d2];
            shr.u32 %r4, %r2, %r53; and.b32 %r4, %r4, 1; setp.eq.u32 %p2, %r4, 0; @%p2 ret;
            {form} %r3, %r1, %r2;
            mad.wide.u32 %d3, %r51, 4, %d29; st.global.b32 [%d3], %r3;
            """), members.Length, 32, () =>
        {
            var values = Enumerable.Range(0, members.Length * 32).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
            var expected = Enumerable.Range(0, members.Length * 32).Select(n =>
            {
                var taking = Enumerable.Range(0, 32).Where(lane => (members[n / 32] >> lane & 1) != 0).ToArray();
                if (!taking.Contains(n % 32)) return 0xA5A5A5A5;
                var parts = taking.Select(lane => type == "s32" ? (BigInteger)(int)values[n / 32 * 32 + lane] : values[n / 32 * 32 + lane]);
                var result = parts.Aggregate((a, b) => name switch
                {
                    "add" => a + b,
                    "min" => BigInteger.Min(a, b),
                    "max" => BigInteger.Max(a, b),
                    "and" => a & b,
                    "or" => a | b,
                    _ => a ^ b,
                });
                return (Expected)(uint)(result & Everyone);
            }).ToArray();
            return new Case([Bits.Bytes(values, 4), Bits.Bytes(members)], expected, 4);
        });
    }

    /// <summary>In a branch only the lanes that took it; each of those at most, and itself at least.</summary>
    private static Row ActiveLanes() => new("activemask.b32", Ptx.Kernel("activemask.b32", 0, """
        setp.lt.u32 %p1, %r53, 10; mov.b32 %r1, 0; mov.b32 %r3, 1;
        @!%p1 bra DONE;
        activemask.b32 %r1; and.b32 %r2, %r1, 0xFFFFFC00; setp.eq.u32 %p2, %r2, 0; selp.b32 %r3, 1, 0, %p2;
        shr.u32 %r1, %r1, %r53; and.b32 %r1, %r1, 1;
        DONE:
        shl.b32 %r3, %r3, 1; or.b32 %r1, %r1, %r3; mad.wide.u32 %d3, %r51, 4, %d29; st.global.b32 [%d3], %r1;
        """), 1, 32, () => new Case([], [.. Enumerable.Range(0, 32).Select(lane => (Expected)(lane < 10 ? 3u : 2u))], 4));
}
