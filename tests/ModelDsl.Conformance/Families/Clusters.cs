using ModelDsl.Conformance.Reference;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Conformance.Families;

/// <summary>Blocks that share: one tile copied to both of a cluster, words written to the other's shared memory, sums made in memory by copies.</summary>
public static class Clusters
{
    private const int Words = 32, Blocks = 4;

    public static IEnumerable<Row> Rows => FormsOfPairs.Select(Pair);

    private static readonly string[] FormsOfPairs =
    [
        "mov.u32 %cluster_ctarank", "mapa.shared::cluster.u32", "barrier.cluster.arrive.release.aligned", "barrier.cluster.wait.acquire.aligned", "ld.shared::cluster.u32", "ld.shared::cluster.v4.f32",
        "st.shared::cluster.b32", "mbarrier.arrive.release.cluster.shared::cluster.b64", "mbarrier.arrive.shared::cluster.b64", "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster",
        "cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group", "cp.async.bulk.wait_group", "griddepcontrol.launch_dependents", "griddepcontrol.wait",
    ];

    /// <summary>
    /// Each block of a pair loads a row of the matrix into both blocks, under barriers that await two rows and an arrival from each block. The block with
    /// number r leaves 7 r + lane in the other's memory. The sum of both rows and what the other left is added to a row of the output;
    /// what the other left is read by words and by four words, and the difference added, too.
    /// </summary>
    private static Row Pair(string form) => new(form, Ptx.Kernel(form, 1, $$"""
        { .shared .align 128 .b8 t[{{12 * Words}}]; .shared .align 8 .b64 bar; .reg .b16 %mask; .reg .f32 %f<5>;
        griddepcontrol.wait; griddepcontrol.launch_dependents;
        mov.b64 %d1, m0; cvta.param.u64 %d1, %d1; mov.b64 %d2, m1; cvta.param.u64 %d2, %d2;
        mov.u32 %r1, t; mov.u32 %r2, bar; mov.u32 %r3, %cluster_ctarank; xor.b32 %r4, %r3, 1; mov.b32 %r5, 0;
        setp.ne.u32 %p1, %r50, 0; @%p1 bra READY;
        mbarrier.init.shared::cta.b64 [%r2], 3; fence.mbarrier_init.release.cluster; mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], {{8 * Words}};
        READY: barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;
        mapa.shared::cluster.u32 %r6, %r1, %r4; mad.lo.s32 %r6, %r50, 4, %r6; mad.lo.s32 %r7, %r3, 7, %r50;
        st.shared::cluster.b32 [%r6+{{8 * Words}}], %r7;
        mapa.shared::cluster.u32 %r8, %r2, %r3; mapa.shared::cluster.u32 %r9, %r2, %r4; mov.b32 %r10, 3; cvt.u16.u32 %mask, %r10; mad.lo.s32 %r11, %r3, {{4 * Words}}, %r1;
        @%p1 bra ARRIVED;
        cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r11], [%d1, {%r5, %r52}], [%r2], %mask;
        mbarrier.arrive.shared::cluster.b64 _, [%r8]; mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r9];
        ARRIVED: bar.warp.sync 0xFFFFFFFF;
        AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r2], 0; @!%p3 bra AGAIN;
        barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;
        mad.lo.s32 %r12, %r50, 4, %r1; ld.shared.u32 %r13, [%r12]; ld.shared.u32 %r14, [%r12+{{4 * Words}}];
        mapa.shared::cluster.u32 %r16, %r12, %r3; ld.shared::cluster.u32 %r15, [%r16+{{8 * Words}}];
        and.b32 %r17, %r16, -16; ld.shared::cluster.v4.f32 {%f1, %f2, %f3, %f4}, [%r17+{{8 * Words}}]; and.b32 %r18, %r50, 3;
        setp.eq.u32 %p4, %r18, 1; selp.f32 %f1, %f2, %f1, %p4; setp.eq.u32 %p4, %r18, 2; selp.f32 %f1, %f3, %f1, %p4; setp.eq.u32 %p4, %r18, 3; selp.f32 %f1, %f4, %f1, %p4;
        mov.b32 %r18, %f1; sub.u32 %r18, %r18, %r15; add.u32 %r13, %r13, %r18;
        add.u32 %r13, %r13, %r14; add.u32 %r13, %r13, %r15; st.shared.u32 [%r12], %r13;
        fence.proxy.async.shared::cta; bar.warp.sync 0xFFFFFFFF; @%p1 bra DONE;
        cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [%d2, {%r5, %r52}], [%r1]; cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;
        DONE: barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned; }
        """, 0, ".align 64 .b8 m0[128]", ".align 64 .b8 m1[128]").Replace(")\n{\n", ")\n.explicitcluster\n.reqnctapercluster 2, 1, 1\n{\n"), Blocks, Words, () =>
    {
        var matrix = Enumerable.Range(0, Blocks * Words).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
        var output = Enumerable.Range(0, Blocks * Words).Select(n => (ulong)(7000 + n)).ToArray();
        var expected = Enumerable.Range(0, Blocks * Words).Select(n =>
        {
            var (block, word) = (n / Words, n % Words);
            var other = block ^ 1;
            return (Expected)(output[n] + matrix[n] + matrix[other * Words + word] + (ulong)(other % 2 * 7 + word) & uint.MaxValue);
        });
        TensorMap Map(ulong address) => TensorMap.Matrix(address, TensorMapElement.U32, Blocks, Words, 1, Words);
        return new Case([Bits.Bytes(matrix, 4)], [.. expected], 4) { Output = Bits.Bytes(output, 4), Maps = [(0, Map), (1, Map)] };
    }) { Capability = 90 };
}
