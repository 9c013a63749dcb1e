using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>Barriers and fences: what one thread wrote before is what another reads after.</summary>
public static class Barriers
{
    public static IEnumerable<Row> Rows => [Block(), Named(), ArriveAndSync(), Warp(), Fence("membar.gl"), Fence("fence.acq_rel.gpu"), .. Reductions()];

    /// <summary>A value wanders through 128 threads, eight places a round: a thread that is early or late reads another one.</summary>
    private static Row Block() => new("bar.sync a", Ptx.Kernel("bar.sync", 0, """
        mov.u32 %r1, s; mad.lo.s32 %r2, %r50, 4, %r1; mov.b32 %r3, %r50; mov.b32 %r4, 0;
        ROUND:
        st.shared.b32 [%r2], %r3; bar.sync 0;
        add.u32 %r5, %r50, 40; and.b32 %r5, %r5, 127; mad.lo.s32 %r6, %r5, 4, %r1; ld.shared.b32 %r7, [%r6];
        mad.lo.s32 %r3, %r7, 3, %r4; bar.sync 0;
        add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 20; @%p1 bra ROUND;
        mad.wide.u32 %d1, %r51, 4, %d29; st.global.b32 [%d1], %r3;
        """, 512), 2, 128, () =>
    {
        var values = Enumerable.Range(0, 128).Select(n => (uint)n).ToArray();
        for (var round = 0; round < 20; round++) values = [.. values.Select((_, n) => values[(n + 40) % 128] * 3 + (uint)round)];
        return new Case([], [.. values.Concat(values).Select(value => (Expected)value)], 4);
    });

    /// <summary>Two halves of a block at barriers of their own, one with more rounds than the other.</summary>
    private static Row Named() => new("bar.sync a, n", Ptx.Kernel("bar.sync", 0, """
        mov.u32 %r1, s; mad.lo.s32 %r2, %r50, 4, %r1; mov.b32 %r3, %r50; mov.b32 %r4, 0;
        shr.u32 %r10, %r50, 6; add.u32 %r11, %r10, 1; mad.lo.s32 %r12, %r10, 4, 3;
        ROUND:
        st.shared.b32 [%r2], %r3; bar.sync %r11, 64;
        xor.b32 %r5, %r50, 33; mad.lo.s32 %r6, %r5, 4, %r1; ld.shared.b32 %r7, [%r6];
        mad.lo.s32 %r3, %r7, 5, %r4; bar.sync %r11, 64;
        add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, %r12; @%p1 bra ROUND;
        mad.wide.u32 %d1, %r51, 4, %d29; st.global.b32 [%d1], %r3;
        """, 512), 1, 128, () => new Case([], [.. Enumerable.Range(0, 128).Select(n => (Expected)Wander(n))], 4));

    private static uint Wander(int thread)
    {
        var rounds = thread / 64 * 4 + 3;
        var values = Enumerable.Range(0, 128).Select(n => (uint)n).ToArray();
        for (var round = 0; round < rounds; round++) values = [.. values.Select((_, n) => values[n ^ 33] * 5 + (uint)round)];
        return values[thread];
    }

    /// <summary>One warp writes and goes on; another waits for it.</summary>
    private static Row ArriveAndSync() => new("bar.arrive a, n", Ptx.Kernel("bar.arrive", 0, """
        mov.u32 %r1, s; setp.lt.u32 %p1, %r50, 32; mad.wide.u32 %d1, %r51, 4, %d29;
        @!%p1 bra CONSUMER;
        mad.lo.s32 %r2, %r50, 4, %r1; mad.lo.s32 %r3, %r50, 7, 1; st.shared.b32 [%r2], %r3; bar.arrive 1, 64; st.global.b32 [%d1], %r50;
        bra DONE;
        CONSUMER:
        bar.sync 1, 64; sub.u32 %r4, 63, %r50; mad.lo.s32 %r2, %r4, 4, %r1; ld.shared.b32 %r3, [%r2]; st.global.b32 [%d1], %r3;
        DONE:
        """, 128), 1, 64, () => new Case([], [.. Enumerable.Range(0, 64).Select(n => (Expected)(uint)(n < 32 ? n : (63 - n) * 7 + 1))], 4));

    /// <summary>A warp whose halves wrote in different branches meets, then reads across.</summary>
    private static Row Warp() => new("bar.warp.sync", Ptx.Kernel("bar.warp.sync", 0, """
        mov.u32 %r1, s; mad.lo.s32 %r2, %r50, 4, %r1; and.b32 %r3, %r50, 1; setp.eq.u32 %p1, %r3, 0;
        @%p1 bra EVEN;
        mad.lo.s32 %r4, %r50, 11, 3; st.shared.b32 [%r2], %r4; bra MET;
        EVEN:
        mad.lo.s32 %r4, %r50, 13, 5; st.shared.b32 [%r2], %r4;
        MET:
        bar.warp.sync 0xFFFFFFFF;
        xor.b32 %r5, %r50, 1; mad.lo.s32 %r6, %r5, 4, %r1; ld.shared.b32 %r7, [%r6]; mad.wide.u32 %d1, %r51, 4, %d29; st.global.b32 [%d1], %r7;
        """, 256), 1, 64, () => new Case([], [.. Enumerable.Range(0, 64).Select(n => n ^ 1)
            .Select(other => (Expected)(uint)(other % 2 == 0 ? other * 13 + 5 : other * 11 + 3))], 4));

    /// <summary>Blocks write a part each, then count themselves; the last one finds all parts there.</summary>
    private static Row Fence(string form) => new(form, Ptx.Kernel(form, 0, $"""
        mad.lo.s32 %r1, %r52, 3, 7; mad.wide.u32 %d1, %r52, 4, %d29; st.global.b32 [%d1+8], %r1;
        {form};
        atom.global.add.u32 %r2, [%d29], 1; setp.ne.u32 %p1, %r2, 15; @%p1 ret;
        {form};
        mov.b32 %r3, 0; mov.b32 %r4, 0;
        NEXT: mad.wide.u32 %d2, %r3, 4, %d29; ld.volatile.global.b32 %r5, [%d2+8]; add.s32 %r4, %r4, %r5;
        add.s32 %r3, %r3, 1; setp.lt.u32 %p2, %r3, 16; @%p2 bra NEXT;
        st.global.b32 [%d29+4], %r4;
        """), 16, 1, () =>
    {
        uint[] parts = [.. Enumerable.Range(0, 16).Select(n => (uint)(n * 3 + 7))];
        return new Case([], [16u, (uint)parts.Sum(part => part), .. parts.Select(part => (Expected)part)], 4) { Output = new byte[72] };
    });

    /// <summary>Over the 96 threads of a block: how many have a bit, whether all, whether any.</summary>
    private static IEnumerable<Row> Reductions()
    {
        foreach (var (operation, type) in new[] { ("popc", "u32"), ("and", "pred"), ("or", "pred") })
        {
            var form = $"bar.red.{operation}.{type}";
            yield return new Row(form, Ptx.Kernel(form, 1, $"""
                mad.wide.u32 %d1, %r51, 4, %d20; ld.global.b32 %r1, [%d1]; setp.ne.u32 %p1, %r1, 0;
                {form} {(type == "pred" ? "%p2" : "%r2")}, 0, %p1;
                {(type == "pred" ? "selp.b32 %r2, 1, 0, %p2;" : "")}
                mad.wide.u32 %d2, %r51, 4, %d29; st.global.b32 [%d2], %r2;
                """), 4, 96, () =>
            {
                // None, all, one, and every third.
                var bits = Enumerable.Range(0, 4 * 96).Select(n => (n / 96) switch
                {
                    0 => 0u,
                    1 => 1u,
                    2 => n % 96 == 70 ? 1u : 0,
                    _ => n % 3 == 0 ? 1u : 0,
                }).ToArray();
                return new Case([Bits.Bytes(bits)], [.. bits.Select((_, n) =>
                {
                    var count = (uint)bits.Skip(n / 96 * 96).Take(96).Count(bit => bit != 0);
                    return (Expected)(operation switch { "popc" => count, "and" => count == 96 ? 1u : 0, _ => count > 0 ? 1u : 0 });
                })], 4);
            });
        }
    }
}
