using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>
/// <c>ldmatrix</c> and <c>stmatrix</c>: one, two and four tiles of 8 by 8, plain and transposed, their rows in scrambled places.
/// Lane 4g + t holds elements 2t and 2t+1 of row g (transposed: of column g).
/// </summary>
public static class MatrixTiles
{
    public static IEnumerable<Row> Rows => new[] { 1, 2, 4 }.SelectMany(count => new[] { "", ".trans" }.SelectMany(transposed =>
        (Row[])[Load(count, transposed), Store(count, transposed)]));

    /// <summary>Where in shared memory the row that a lane addresses lies: any order, no two the same.</summary>
    private static int Place(int lane) => (lane * 13 + 5) % 32;

    private static Row Load(int count, string transposed)
    {
        var form = $"ldmatrix.sync.aligned.m8n8.x{count}{transposed}.shared.b16";
        var stores = string.Concat(Enumerable.Range(0, count).Select(n => $"st.global.b32 [%d1+{4 * n}], %r{10 + n};\n"));
        return new Row(form, Ptx.Kernel(form, 1, $$"""
            mad.wide.u32 %d1, %r50, 16, %d20; ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%d1];
            mov.u32 %r5, s; mad.lo.s32 %r6, %r50, 16, %r5; st.shared.v4.b32 [%r6], {%r1, %r2, %r3, %r4};
            bar.warp.sync 0xFFFFFFFF;
            mad.lo.s32 %r7, %r50, 13, 5; and.b32 %r7, %r7, 31; mad.lo.s32 %r7, %r7, 16, %r5;
            {{form}} {{Registers(count)}}, [%r7];
            mad.wide.u32 %d1, %r50, {{4 * count}}, %d29;
            {{stores}}
            """, 512), 1, 32, () =>
        {
            var memory = Enumerable.Range(0, 256).Select(n => (ulong)(n * 257 + 3)).ToArray();
            var expected = new Expected[32 * count];
            for (var lane = 0; lane < 32; lane++)
                for (var tile = 0; tile < count; tile++)
                {
                    ulong Element(int row, int column) => memory[Place(8 * tile + row) * 8 + column] & 0xFFFF;
                    var (group, pair) = (lane / 4, lane % 4 * 2);
                    expected[lane * count + tile] = transposed.Length == 0
                        ? Element(group, pair) | Element(group, pair + 1) << 16
                        : Element(pair, group) | Element(pair + 1, group) << 16;
                }
            return new Case([Bits.Bytes(memory, 2)], expected, 4) { Describe = n => $"lane {n / count}, tile {n % count}" };
        });
    }

    private static Row Store(int count, string transposed)
    {
        var form = $"stmatrix.sync.aligned.m8n8.x{count}{transposed}.shared.b16";
        var loads = string.Concat(Enumerable.Range(0, count).Select(n => $"ld.global.b32 %r{10 + n}, [%d1+{4 * n}];\n"));
        return new Row(form, Ptx.Kernel(form, 1, $$"""
            mad.wide.u32 %d1, %r50, {{4 * count}}, %d20;
            {{loads}}
            mov.u32 %r5, s; mad.lo.s32 %r6, %r50, 16, %r5; mov.b32 %r1, 0; st.shared.v4.b32 [%r6], {%r1, %r1, %r1, %r1};
            bar.warp.sync 0xFFFFFFFF;
            mad.lo.s32 %r7, %r50, 13, 5; and.b32 %r7, %r7, 31; mad.lo.s32 %r7, %r7, 16, %r5;
            {{form}} [%r7], {{Registers(count)}};
            bar.warp.sync 0xFFFFFFFF;
            ld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [%r6]; mad.wide.u32 %d1, %r50, 16, %d29; st.global.v4.b32 [%d1], {%r1, %r2, %r3, %r4};
            """, 512), 1, 32, () =>
        {
            var registers = Enumerable.Range(0, 32 * count).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
            var memory = new ulong[256];
            for (var lane = 0; lane < 32; lane++)
                for (var tile = 0; tile < count; tile++)
                    for (var part = 0; part < 2; part++)
                    {
                        var (major, minor) = (lane / 4, lane % 4 * 2 + part);
                        var (row, column) = transposed.Length == 0 ? (major, minor) : (minor, major);
                        memory[Place(8 * tile + row) * 8 + column] = registers[lane * count + tile] >> (16 * part) & 0xFFFF;
                    }
            return new Case([Bits.Bytes(registers, 4)], [.. memory.Select(value => (Expected)value)], 2);
        })
        { Capability = 90 };
    }

    private static string Registers(int count) => "{" + string.Join(", ", Enumerable.Range(10, count).Select(n => $"%r{n}")) + "}";
}
