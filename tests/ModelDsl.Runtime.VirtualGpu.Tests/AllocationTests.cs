namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Tests that no other may run beside, since they count what the whole process allocates.</summary>
[CollectionDefinition(nameof(AloneTests), DisableParallelization = true)]
public class AloneTests;

/// <summary>Executing allocates nothing on the managed heap: a launch may, its instructions may not.</summary>
[Collection(nameof(AloneTests))]
public class AllocationTests
{
    private const int Launches = 20;

    [Fact]
    public void A_hundred_times_the_instructions_allocate_no_more_bytes()
    {
        using var gpu = new TestGpu();
        var memory = gpu.Upload<int>(new int[1024]);
        var kernel = gpu.Load(TestGpu.Program(2, """
            ld.param.u64 %d1, [p0]; ld.param.u64 %d2, [p1]; cvt.u32.u64 %r9, %d2;
            mov.u32 %r1, %tid.x; mul.wide.u32 %d3, %r1, 4; add.s64 %d4, %d1, %d3; mov.u32 %r5, s; mad.lo.u32 %r6, %r1, 16, %r5; mov.u32 %r2, 0;
            mov.b32 %r50, 0; mov.b32 %r51, 0; mov.b32 %r52, 0; mov.b32 %r53, 0; mov.b32 %r10, 0; mov.b32 %r11, 0; mov.b32 %r12, 0; mov.b32 %r13, 0;
            mov.b32 %f1, %r10; mov.b32 %f2, %r10; mov.b32 %f3, %r10; mov.b32 %f4, %r10;
            L:
            ld.global.u32 %r3, [%d4]; add.u32 %r3, %r3, 1; st.global.u32 [%d4], %r3;
            st.shared.u32 [%r6], %r3; bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r6];
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r10, %r11, %r12, %r13}, {%r10, %r11}, {%f1, %f2, %f3, %f4};
            shfl.sync.bfly.b32 %r7, %r3, 4, 31, -1; atom.global.add.u32 %r8, [%d1], 1;
            setp.lt.u32 %p2, %r1, 16; @%p2 bra M; add.u32 %r3, %r3, %r7;
            M:
            add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, %r9; @%p1 bra L;
            """, ".shared .align 16 .b8 s[1024];"));

        long Allocated(int iterations)
        {
            gpu.Launch(kernel, 1, 64, 0, memory, (ulong)iterations);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < Launches; i++) gpu.Launch(kernel, 1, 64, 0, memory, (ulong)iterations);
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        // The test runner may allocate a little meanwhile; one byte per warp instruction would be a hundred times that.
        var few = Enumerable.Range(0, 5).Min(_ => Allocated(10));
        var many = Enumerable.Range(0, 5).Min(_ => Allocated(1000));
        Assert.InRange(many - few, long.MinValue, 64 * 1024);
    }
}
