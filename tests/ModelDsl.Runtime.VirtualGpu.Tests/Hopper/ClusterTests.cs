using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Hopper;

/// <summary>Clusters: ranks, each other's shared memory, the cluster's barrier, copies to several blocks.</summary>
public sealed class ClusterTests : IDisposable
{
    private readonly TestGpu _gpu = new(workers: 2);

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void BlocksKnowTheirPlaceInTheirCluster()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, """
            ld.param.u64 %d1, [p0];
            mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ctaid.y; mov.u32 %r3, %nctaid.x; mad.lo.u32 %r4, %r2, %r3, %r1; mul.wide.u32 %d2, %r4, 32; add.s64 %d1, %d1, %d2;
            mov.u32 %r5, %clusterid.x; mov.u32 %r6, %clusterid.y; mov.u32 %r7, %cluster_ctaid.x; mov.u32 %r8, %cluster_ctaid.y;
            mov.u32 %r9, %cluster_ctarank; mov.u32 %r10, %cluster_nctarank; mov.u32 %r11, %nclusterid.x; mov.u32 %r12, %cluster_nctaid.y;
            st.global.v4.u32 [%d1], {%r5, %r6, %r7, %r8}; st.global.v4.u32 [%d1+16], {%r9, %r10, %r11, %r12};
            """));
        using DeviceMemory to = _gpu.Upload<uint>(new uint[8 * 24]);
        _gpu.Stream.LaunchClusters(kernel, new Dim3(6, 4), 1, new Dim3(3, 2), 0, to);
        uint[] actual = _gpu.Download<uint>(to);
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 6; x++)
                Assert.Equal([(uint)x / 3, (uint)y / 2, (uint)x % 3, (uint)y % 2, (uint)(x % 3 + y % 2 * 3), 6, 2, 2], actual[(8 * (6 * y + x))..(8 * (6 * y + x) + 8)]);
    }

    [Fact]
    public void BlocksReadAndWriteEachOthersSharedMemory()
    {
        // Each block gives its number to the next of its cluster, by mapped addresses of both kinds, and counts at block 0 by atomics.
        IKernel kernel = _gpu.Load(TestGpu.Program(1, """
            .shared .align 8 .b32 s[4];
            ld.param.u64 %d1, [p0]; mov.u32 %r1, %cluster_ctarank; mov.u32 %r2, %ctaid.x; mov.u32 %r3, s;
            mov.u32 %r4, 0; st.shared.u32 [s+8], %r4;
            barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
            add.u32 %r5, %r1, 1; and.b32 %r5, %r5, 3; mapa.shared::cluster.u32 %r6, %r3, %r5; st.shared::cluster.u32 [%r6], %r2;
            cvt.u64.u32 %d2, %r3; cvta.shared.u64 %d2, %d2; mapa.u64 %d3, %d2, %r5; st.u32 [%d3+4], %r2;
            mov.u32 %r7, 0; mapa.shared::cluster.u32 %r8, %r3, %r7; add.u32 %r9, %r1, 1; red.shared::cluster.add.u32 [%r8+8], %r9;
            getctarank.shared::cluster.u32 %r10, %r6;
            barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;
            ld.shared.u32 %r11, [s]; ld.shared.u32 %r12, [s+4]; ld.shared::cluster.u32 %r13, [%r8+8];
            mul.wide.u32 %d4, %r2, 16; add.s64 %d4, %d4, %d1; st.global.v4.u32 [%d4], {%r11, %r12, %r13, %r10};
            barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
            """));
        using DeviceMemory to = _gpu.Upload<uint>(new uint[4 * 8]);
        _gpu.Stream.LaunchClusters(kernel, 8, 1, 4, 0, to);
        uint[] actual = _gpu.Download<uint>(to);
        for (uint block = 0; block < 8; block++)
        {
            uint before = block / 4 * 4 + (block + 3) % 4;
            Assert.Equal([before, before, 10, (block + 1) % 4], actual[(int)(4 * block)..(int)(4 * block + 4)]);
        }
    }

    [Fact]
    public void ATileGoesToAllBlocksThatTheMaskNames()
    {
        IKernel kernel = _gpu.Load("""
            .version 8.4
            .target sm_90a
            .address_size 64
            .visible .entry k(.param .align 64 .b8 map[128], .param .u64 p) .reqnctapercluster 4, 1, 1
            {
            .reg .pred %p<8>; .reg .b16 %h<4>; .reg .b32 %r<20>; .reg .b64 %d<8>;
            .shared .align 128 .b32 s[32]; .shared .align 8 .b64 bar;
            ld.param.u64 %d1, [p]; mov.b64 %d2, map; cvta.param.u64 %d2, %d2; mov.u32 %r1, %cluster_ctarank; mov.u32 %r2, bar; mov.u32 %r3, s; mov.u32 %r9, %tid.x;
            setp.ne.u32 %p1, %r9, 0; @%p1 bra READY;
            mbarrier.init.shared::cta.b64 [%r2], 1; fence.mbarrier_init.release.cluster;
            setp.eq.u32 %p2, %r1, 2; @%p2 bra READY; mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 128;
            READY: barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
            mov.u32 %r4, 0; mov.b16 %h1, 11; or.b32 %r10, %r1, %r9; setp.ne.u32 %p3, %r10, 0; @%p3 bra WAIT;
            cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r3], [%d2, {%r4}], [%r2], %h1;
            WAIT: bar.warp.sync -1; setp.eq.u32 %p2, %r1, 2; @%p2 bra DONE;
            AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p4, [%r2], 0; @!%p4 bra AGAIN;
            shl.b32 %r5, %r9, 2; add.u32 %r6, %r3, %r5; ld.shared.u32 %r7, [%r6]; shl.b32 %r8, %r1, 7; add.u32 %r8, %r8, %r5; cvt.u64.u32 %d3, %r8; add.s64 %d3, %d3, %d1; st.global.u32 [%d3], %r7;
            DONE: barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
            ret;
            }
            """);
        uint[] values = [.. Enumerable.Range(0, 32).Select(i => (uint)i * 3 + 1)];
        using DeviceMemory from = _gpu.Upload<uint>(values), to = _gpu.Upload<uint>(new uint[4 * 32]);
        _gpu.Launch(kernel, 4, 32, 0, _gpu.Device.Encode(new TensorMap(from.Address, TensorMapElement.U32, [32], [], [32])), to);
        Assert.Equal([.. values, .. values, .. new uint[32], .. values], _gpu.Download<uint>(to));
    }

    [Fact]
    public void AGridThatDoesNotFallIntoClustersIsRefused()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(0, ""));
        Assert.Contains("does not fall into clusters", Assert.Throws<DeviceException>(() => _gpu.Stream.LaunchClusters(kernel, 6, 1, 4, 0)).Message);
        Assert.Contains("16 blocks is the most", Assert.Throws<DeviceException>(() => _gpu.Stream.LaunchClusters(kernel, 32, 1, 32, 0)).Message);
    }

    [Fact]
    public void SharedMemoryOfABlockThatHasExitedIsAFault()
    {
        // Block 1 leaves at once; block 0 looks for it behind a long loop.
        IKernel kernel = _gpu.Load(TestGpu.Program(0, """
            .shared .align 4 .b32 s[1];
            mov.u32 %r1, %cluster_ctarank; setp.ne.u32 %p1, %r1, 0; @%p1 bra DONE;
            mov.u32 %r2, 0;
            LOOP: add.u32 %r2, %r2, 1; setp.lt.u32 %p2, %r2, 10000; @%p2 bra LOOP;
            mov.u32 %r3, s; mov.u32 %r4, 1; mapa.shared::cluster.u32 %r5, %r3, %r4; ld.shared::cluster.u32 %r6, [%r5];
            DONE:
            """));
        Assert.Contains("have exited", Assert.Throws<DeviceException>(() => _gpu.Stream.LaunchClusters(kernel, 2, 1, 2, 0)).Message);
    }

    [Fact]
    public void ABlockThatNeverComesToTheClustersBarrierIsADeadlock()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(0, """
            mov.u32 %r1, %cluster_ctarank; setp.ne.u32 %p1, %r1, 0; @%p1 bra OTHER;
            barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned; bra DONE;
            OTHER: bar.sync 1, 64;
            DONE:
            """));
        Assert.Contains("deadlock", Assert.Throws<DeviceException>(() => _gpu.Stream.LaunchClusters(kernel, 2, 32, 2, 0)).Message);
    }

    [Fact]
    public void AnMbarrierThatWaitsForBytesThatNeverComeSaysHowMany()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(0, """
            .shared .align 8 .b64 bar;
            mov.u32 %r1, bar; mbarrier.init.shared::cta.b64 [%r1], 1; mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 4096;
            AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0; @!%p1 bra AGAIN;
            """));
        var fault = Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 1, 0));
        Assert.Contains("the mbarrier at shared offset 0 still expects 0 of 1 arrivals and 4096 bytes of copies", fault.Message);
    }
}
