using ModelDsl.Conformance.Reference;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Conformance.Families;

/// <summary>
/// What came with Hopper: mbarriers that wait for bytes, tiles moved by tensor maps, products of warpgroups, one elected lane, registers given and
/// taken. Kernels that need several of them have a row for each.
/// </summary>
public static class Hopper
{
    private const int TileRows = 64, TileBytes = 128;

    public static IEnumerable<Row> Rows =>
    [
        .. TileForms.Select(form => Tile(form, 2)), .. TileForms.Take(2).Select(form => Tile(form.Replace(".2d.", ".3d."), 3)), Tile("cp.reduce.async.bulk.tensor.3d.global.shared::cta.add.tile.bulk_group", 3), .. BarrierForms.Select(Barrier), Bulk(), .. RegisterForms.Select(Registers),
        .. ProductForms.Select(form => Product(form, "e4m3", 8)),
        .. new[] { 8, 64, 128, 256 }.Select(n => Product($"wgmma.mma_async.sync.aligned.m64n{n}k32.f32.e4m3.e4m3", "e4m3", n)),
        .. new[] { 64, 128, 192, 256 }.Select(n => Product($"wgmma.mma_async.sync.aligned.m64n{n}k16.f32.bf16.bf16", "bf16", n)),
    ];

    private static readonly string[] TileForms =
    [
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes", "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group",
        "cp.async.bulk.commit_group", "cp.async.bulk.wait_group.read", "prefetch.tensormap", "cvta.param.u64", "mov.b64 symbol", "elect.sync", "mbarrier.init.shared::cta.b64",
        "@p mbarrier.arrive.expect_tx.shared::cta.b64", "mbarrier.arrive.expect_tx.shared::cta.b64", "mbarrier.try_wait.parity.shared::cta.b64", "fence.mbarrier_init.release.cluster",
    ];

    /// <summary>
    /// An elected lane loads a tile that runs over two edges of a matrix; all lanes wait, add one to the rows' words, and another elected lane stores
    /// the tile elsewhere, over two edges of the output, or adds it to what is there. With three dimensions all that happens in the second of two matrices.
    /// </summary>
    private static Row Tile(string form, int rank)
    {
        const int Rows = 12, Columns = 40, BoxRows = 8, BoxColumns = 32, Bytes = BoxRows * BoxColumns * 4;
        var (third, groups) = rank == 3 ? (", 1", 2) : ("", 1);
        var start = (groups - 1) * Rows * Columns;
        var adds = form.StartsWith("cp.reduce", StringComparison.Ordinal);
        return new Row(form, Ptx.Kernel(form, 1, $$"""
            { .shared .align 1024 .b8 t[{{Bytes}}]; .shared .align 8 .b64 bar;
            mov.b64 %d1, m0; cvta.param.u64 %d1, %d1; mov.b64 %d2, m1; cvta.param.u64 %d2, %d2; prefetch.tensormap [%d1];
            mov.u32 %r1, t; mov.u32 %r2, bar; mov.b32 %r3, 16; mov.b32 %r4, 8; mov.b32 %r5, 9; mov.b32 %r6, 24;
            elect.sync _|%p1, 0xFFFFFFFF; @!%p1 bra LOADED;
            mbarrier.init.shared::cta.b64 [%r2], 1; fence.mbarrier_init.release.cluster;
            setp.eq.u32 %p2, %r4, 8; @%p2 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], {{Bytes}}; @%p2 bra EXPECTED;
            mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 0;
            EXPECTED: cp.async.bulk.tensor.{{rank}}d.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d1, {%r3, %r4{{third}}}], [%r2];
            LOADED: bar.warp.sync 0xFFFFFFFF;
            AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r2], 0; @!%p3 bra AGAIN;
            mad.lo.s32 %r7, %r50, 4, %r1; mov.b32 %r8, 0;
            ROW: ld.shared.b32 %r9, [%r7]; add.s32 %r9, %r9, 1; st.shared.b32 [%r7], %r9; add.s32 %r7, %r7, {{BoxColumns * 4}}; add.s32 %r8, %r8, 1; setp.lt.u32 %p4, %r8, {{BoxRows}}; @%p4 bra ROW;
            fence.proxy.async.shared::cta; bar.warp.sync 0xFFFFFFFF; @!%p1 bra DONE;
            {{(adds ? form : $"cp.async.bulk.tensor.{rank}d.global.shared::cta.bulk_group")}} [%d2, {%r6, %r5{{third}}}], [%r1];
            cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;
            DONE: }
            """, 0, ".align 64 .b8 m0[128]", ".align 64 .b8 m1[128]"), 1, 32, () =>
        {
            var matrix = Enumerable.Range(0, groups * Rows * Columns).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
            var output = Enumerable.Range(0, groups * Rows * Columns).Select(n => (ulong)(7000 + n)).ToArray();
            var expected = output.ToArray();
            for (var y = 0; y < Rows - 9; y++)
                for (var x = 0; x < Columns - 24; x++)
                {
                    ref var to = ref expected[start + (9 + y) * Columns + 24 + x];
                    to = (adds ? to : 0) + (8 + y < Rows && 16 + x < Columns ? matrix[start + (8 + y) * Columns + 16 + x] : 0) + 1 & uint.MaxValue;
                }
            TensorMap Map(ulong address) => rank == 2
                ? TensorMap.Matrix(address, TensorMapElement.U32, Rows, Columns, BoxRows, BoxColumns)
                : new TensorMap(address, TensorMapElement.U32, [Columns, Rows, 2], [4 * Columns, 4 * Columns * Rows], [BoxColumns, BoxRows, 1]);
            return new Case([Bits.Bytes(matrix, 4)], [.. expected.Select(word => (Expected)word)], 4) { Output = Bits.Bytes(output, 4), Maps = [(0, Map), (1, Map)] };
        }) { Capability = 90 };
    }

    private static readonly string[] BarrierForms =
        ["mbarrier.arrive.shared::cta.b64", "@p mbarrier.arrive.shared::cta.b64", "cp.async.mbarrier.arrive.noinc.shared::cta.b64", "fence.proxy.async.shared::cta"];

    /// <summary>
    /// Warp 0 copies words, waits for a phase of 33 arrivals: its own lanes' when their copies are done, and one of warp 1. Warp 1 waits for a second
    /// barrier before it overwrites them, round after round.
    /// </summary>
    private static Row Barrier(string form) => new(form, Ptx.Kernel(form, 1, """
        { .shared .align 16 .b8 t[128]; .shared .align 8 .b8 bars[16];
        mov.u32 %r1, t; mov.u32 %r2, bars; mov.b32 %r3, 0; and.b32 %r4, %r50, 31; mad.lo.s32 %r5, %r4, 4, %r1; mad.wide.u32 %d1, %r4, 4, %d20; mov.b32 %r11, 0;
        setp.ne.u32 %p1, %r50, 0; @%p1 bra READY; mbarrier.init.shared::cta.b64 [%r2], 33; mbarrier.init.shared::cta.b64 [%r2+8], 32; fence.mbarrier_init.release.cluster;
        READY: fence.proxy.async.shared::cta; bar.sync 0; setp.lt.u32 %p2, %r50, 32; setp.eq.u32 %p5, %r4, 7; @!%p2 bra OTHER;
        ROUND: and.b32 %r6, %r3, 1; xor.b32 %r7, %r6, 1;
        FREE: mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r2+8], %r7; @!%p3 bra FREE;
        cp.async.ca.shared.global [%r5], [%d1], 4; cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%r2];
        add.s64 %d1, %d1, 128; add.s32 %r3, %r3, 1; setp.lt.u32 %p4, %r3, 5; @%p4 bra ROUND; bra DONE;
        OTHER: and.b32 %r6, %r3, 1; @%p5 mbarrier.arrive.shared::cta.b64 _, [%r2];
        FULL: mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r2], %r6; @!%p3 bra FULL;
        xor.b32 %r8, %r4, 5; mad.lo.s32 %r9, %r8, 4, %r1; ld.shared.b32 %r10, [%r9]; mad.lo.s32 %r11, %r11, 3, %r10;
        mbarrier.arrive.shared::cta.b64 _, [%r2+8]; add.s32 %r3, %r3, 1; setp.lt.u32 %p4, %r3, 5; @%p4 bra OTHER;
        mad.wide.u32 %d2, %r4, 4, %d29; st.global.b32 [%d2], %r11;
        DONE: }
        """), 1, 64, () =>
    {
        var words = Enumerable.Range(0, 5 * 32).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
        var sums = Enumerable.Range(0, 32).Select(lane => Enumerable.Range(0, 5).Aggregate(0u, (sum, round) => sum * 3 + (uint)words[32 * round + (lane ^ 5)]));
        return new Case([Bits.Bytes(words, 4)], [.. sums.Select(sum => (Expected)sum)], 4);
    }) { Capability = 90 };

    /// <summary>A lane copies 128 neighbouring bytes, not the first ones, to shared memory; all lanes wait for them and store them backwards.</summary>
    private static Row Bulk()
    {
        const string Form = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes";
        const int First = 12;
        return new Row(Form, Ptx.Kernel(Form, 1, $$"""
            { .shared .align 16 .b8 t[128]; .shared .align 8 .b64 bar;
            mov.u32 %r1, t; mov.u32 %r2, bar; mov.b32 %r3, 128; setp.ne.u32 %p1, %r50, 0; @%p1 bra READY;
            mbarrier.init.shared::cta.b64 [%r2], 1; fence.mbarrier_init.release.cluster; mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], %r3;
            {{Form}} [%r1], [%d20+{{4 * First}}], %r3, [%r2];
            READY: bar.warp.sync 0xFFFFFFFF;
            AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r2], 0; @!%p3 bra AGAIN;
            mad.lo.s32 %r4, %r50, 4, %r1; ld.shared.b32 %r5, [%r4]; sub.s32 %r6, 31, %r50; mad.wide.s32 %d1, %r6, 4, %d29; st.global.b32 [%d1], %r5; }
            """), 1, 32, () =>
        {
            var words = Enumerable.Range(0, 64).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
            return new Case([Bits.Bytes(words, 4)], [.. Enumerable.Range(0, 32).Select(n => (Expected)words[First + 31 - n])], 4);
        }) { Capability = 90 };
    }

    private static readonly string[] RegisterForms = ["setmaxnreg.dec.sync.aligned.u32", "setmaxnreg.inc.sync.aligned.u32"];

    /// <summary>One warpgroup gives registers up, the other takes them; values live through it.</summary>
    private static Row Registers(string form) => new(form, Ptx.Kernel(form, 0, """
        setp.lt.u32 %p1, %r50, 128; mad.lo.s32 %r1, %r50, 7, 3; @%p1 bra LESS;
        setmaxnreg.inc.sync.aligned.u32 160; add.s32 %r1, %r1, 1000; bra DONE;
        LESS: setmaxnreg.dec.sync.aligned.u32 40; add.s32 %r1, %r1, 5;
        DONE: mad.wide.u32 %d1, %r50, 4, %d29; st.global.b32 [%d1], %r1;
        """).Replace(")\n{\n", ")\n.maxntid 256, 1, 1\n.minnctapersm 1\n{\n"), 1, 256, () =>
        new Case([], [.. Enumerable.Range(0, 256).Select(n => (Expected)(uint)(n * 7 + 3 + (n < 128 ? 5 : 1000)))], 4)) { Capability = 90, IsForHopperAlone = true };

    private static readonly string[] ProductForms = ["wgmma.fence.sync.aligned", "wgmma.commit_group.sync.aligned", "wgmma.wait_group.sync.aligned"];

    /// <summary>
    /// 64 rows by N columns over 128 bytes of depth in swizzled rows, the first product overwriting the accumulators. Small whole numbers, so that sums are exact.
    /// </summary>
    private static Row Product(string form, string type, int n)
    {
        var isByte = type == "e4m3";
        var sums = string.Join(", ", Enumerable.Range(0, n / 2).Select(i => $"%q{i}"));
        var name = $"wgmma.mma_async.sync.aligned.m64n{n}k{(isByte ? 32 : 16)}.f32.{type}.{type}";
        var transposed = isByte ? "" : ", 0, 0";
        var products = string.Concat(Enumerable.Range(0, 4).Select(part => $$"""
            add.s32 %r5, %r3, {{2 * part}}; mov.b64 %d1, {%r5, 0x40000040}; add.s32 %r6, %r4, {{2 * part}}; mov.b64 %d2, {%r6, 0x40000040};
            {{name}} { {{sums}} }, %d1, %d2, %p{{(part == 0 ? 1 : 2)}}, 1, 1{{transposed}};

            """));
        var stores = string.Concat(Enumerable.Range(0, n / 2).Select(i => $"st.global.f32 [%d3+{4 * (i / 2 % 2 * 8 * n + i / 4 * 8 + i % 2)}], %q{i};\n"));
        var bytes = (TileRows + n) * TileBytes;
        return new Row(form, Ptx.Kernel(form, 1, $$"""
            { .shared .align 1024 .b8 t[{{bytes}}]; .reg .f32 %q<{{n / 2}}>;
            mov.u32 %r1, t; mad.lo.s32 %r2, %r50, 16, %r1; mad.wide.u32 %d1, %r50, 16, %d20; mov.b32 %r7, 0;
            COPY: ld.global.v4.b32 {%r10, %r11, %r12, %r13}, [%d1]; st.shared.v4.b32 [%r2], {%r10, %r11, %r12, %r13};
            add.s32 %r2, %r2, 2048; add.s64 %d1, %d1, 2048; add.s32 %r7, %r7, 2048; setp.lt.u32 %p3, %r7, {{bytes / 2048 * 2048}}; @%p3 bra COPY;
            setp.ge.u32 %p4, %r50, {{bytes % 2048 / 16}}; @%p4 bra COPIED;
            ld.global.v4.b32 {%r10, %r11, %r12, %r13}, [%d1]; st.shared.v4.b32 [%r2], {%r10, %r11, %r12, %r13};
            COPIED: fence.proxy.async.shared::cta; bar.sync 0;
            shr.u32 %r3, %r1, 4; add.s32 %r4, %r3, {{TileRows * TileBytes / 16}}; setp.ne.s32 %p1, %r7, %r7; setp.eq.s32 %p2, %r7, %r7;
            wgmma.fence.sync.aligned;
            {{products}}
            wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;
            shr.u32 %r20, %r53, 2; and.b32 %r21, %r53, 3; shr.u32 %r22, %r50, 5; mad.lo.s32 %r20, %r22, 16, %r20; mad.lo.s32 %r23, %r20, {{n}}, 0; mad.lo.s32 %r23, %r21, 2, %r23;
            mad.wide.u32 %d3, %r23, 4, %d29;
            {{stores}}
            }
            """), 1, 128, () =>
        {
            int depth = isByte ? TileBytes : TileBytes / 2;
            int Value(int row, int k) => (int)(Samples.Scatter((ulong)(row * 1000 + k), 32) % 9) - 4;
            var image = new byte[bytes];
            for (var row = 0; row < TileRows + n; row++)
                for (var k = 0; k < depth; k++)
                {
                    var at = row * TileBytes + (k * TileBytes / depth ^ row % 8 * 16);
                    if (isByte) image[at] = Whole(Value(row, k));
                    else BitConverter.GetBytes((float)Value(row, k)).AsSpan(2).CopyTo(image.AsSpan(at));
                }
            var expected = new Expected[TileRows * n];
            for (var row = 0; row < TileRows; row++)
                for (var column = 0; column < n; column++)
                    expected[row * n + column] = BitConverter.SingleToUInt32Bits(Enumerable.Range(0, depth).Sum(k => Value(row, k) * Value(TileRows + column, k)));
            return new Case([image], expected, 4) { Describe = cell => $"row {cell / n}, column {cell % n}" };
        }) { Capability = 90, IsForHopperAlone = true };
    }

    /// <summary>E4M3 of a whole number from -4 to 4.</summary>
    private static byte Whole(int value) => (byte)((value < 0 ? 0x80 : 0) | Math.Abs(value) switch { 0 => 0, 1 => 0x38, 2 => 0x40, 3 => 0x44, _ => 0x48 });
}
