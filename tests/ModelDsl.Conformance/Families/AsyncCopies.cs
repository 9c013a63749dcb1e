using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary><c>cp.async</c>: every size, sources cut short and filled with zeros, guards, groups waited for in order.</summary>
public static class AsyncCopies
{
    private const int Threads = 64;

    public static IEnumerable<Row> Rows
    {
        get
        {
            foreach (var (kind, bytes) in new[] { ("ca", 4), ("ca", 8), ("ca", 16), ("cg", 16) })
                foreach (var guard in new[] { "", "@p ", "@!p " })
                    foreach (var cut in new[] { false, true })
                        yield return Copy(kind, bytes, guard, cut);
            yield return Waiting("cp.async.commit_group", "cp.async.wait_group 0");
            yield return Waiting("cp.async.wait_group", "cp.async.wait_group 0");
            yield return Waiting("cp.async.wait_all", "cp.async.wait_all");
            yield return Groups();
        }
    }

    /// <summary>Thread n copies piece 63 - n and reads, after a barrier, what thread n + 1 copied.</summary>
    private static Row Copy(string kind, int bytes, string guard, bool cut)
    {
        var name = $"cp.async.{kind}.shared.global";
        var form = $"{guard}{name} {bytes}{(cut ? ", size" : "")}";
        var words = bytes / 4;
        var reads = string.Concat(Enumerable.Range(0, words).Select(n => $"ld.shared.b32 %r10, [%r6+{4 * n}]; st.global.b32 [%d3+{4 * n}], %r10;\n"));
        var zeros = string.Concat(Enumerable.Range(0, words).Select(n => $"st.shared.b32 [%r3+{4 * n}], %r50;\n"));
        return new Row(form, Ptx.Kernel(name, 1, $"""
            mov.u32 %r1, s; mad.lo.s32 %r3, %r50, {bytes}, %r1;
            {zeros}
            sub.u32 %r2, {Threads - 1}, %r50; mad.wide.u32 %d1, %r2, {bytes}, %d20;
            rem.u32 %r4, %r50, {bytes + 1}; and.b32 %r7, %r50, 3; setp.ne.u32 %p1, %r7, 1;
            {guard.Replace("p ", "%p1 ")}{name} [%r3], [%d1], {bytes}{(cut ? ", %r4" : "")};
            cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;
            add.u32 %r5, %r50, 1; and.b32 %r5, %r5, {Threads - 1}; mad.lo.s32 %r6, %r5, {bytes}, %r1; mad.wide.u32 %d3, %r50, {bytes}, %d29;
            {reads}
            """, Threads * 16), 1, Threads, () =>
        {
            var memory = Enumerable.Range(0, Threads * bytes).Select(n => (byte)Samples.Scatter((ulong)n, 8)).ToArray();
            var expected = Enumerable.Range(0, Threads * bytes).Select(n =>
            {
                var (thread, at) = ((n / bytes + 1) % Threads, n % bytes);
                if (guard.Length > 0 && (thread % 4 != 1) != (guard == "@p ")) return at % 4 == 0 ? (uint)thread : 0;
                return (Expected)(cut && at >= thread % (bytes + 1) ? 0u : memory[(Threads - 1 - thread) * bytes + at]);
            }).ToArray();
            return new Case([memory], expected, 1);
        });
    }

    private static Row Waiting(string form, string wait) => new(form, Ptx.Kernel(form, 1, $$"""
        mov.u32 %r1, s; mad.lo.s32 %r2, %r50, 16, %r1; mad.wide.u32 %d1, %r50, 16, %d20;
        cp.async.ca.shared.global [%r2], [%d1], 16; cp.async.commit_group; {{wait}};
        ld.shared.v4.b32 {%r3, %r4, %r5, %r6}, [%r2]; mad.wide.u32 %d2, %r50, 16, %d29; st.global.v4.b32 [%d2], {%r6, %r5, %r4, %r3};
        """, Threads * 16), 1, Threads, () =>
    {
        var words = Enumerable.Range(0, Threads * 4).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
        return new Case([Bits.Bytes(words, 4)], [.. words.Select((_, n) => (Expected)words[n / 4 * 4 + 3 - n % 4])], 4);
    });

    /// <summary>Three groups; each is there once no more than so many newer ones may be under way.</summary>
    private static Row Groups() => new("cp.async.wait_group", Ptx.Kernel("cp.async.wait_group", 1, """
        mov.u32 %r1, s; mad.lo.s32 %r2, %r50, 4, %r1; mad.wide.u32 %d1, %r50, 4, %d20; mad.wide.u32 %d2, %r50, 4, %d29;
        cp.async.ca.shared.global [%r2], [%d1], 4; cp.async.commit_group;
        cp.async.ca.shared.global [%r2+256], [%d1+256], 4; cp.async.commit_group;
        cp.async.ca.shared.global [%r2+512], [%d1+512], 4; cp.async.commit_group;
        cp.async.wait_group 2; ld.shared.b32 %r3, [%r2]; st.global.b32 [%d2], %r3;
        cp.async.wait_group 1; ld.shared.b32 %r3, [%r2+256]; st.global.b32 [%d2+256], %r3;
        cp.async.wait_group 0; ld.shared.b32 %r3, [%r2+512]; st.global.b32 [%d2+512], %r3;
        """, Threads * 12), 1, Threads, () =>
    {
        var words = Enumerable.Range(0, Threads * 3).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
        return new Case([Bits.Bytes(words, 4)], [.. words.Select(word => (Expected)word)], 4);
    }) { Detail = "three groups" };
}
