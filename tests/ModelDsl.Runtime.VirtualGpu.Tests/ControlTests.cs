using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Divergence, loops, exits, barriers, exchange between lanes.</summary>
public sealed class ControlTests : IDisposable
{
    private const string ThreadInR1AddressInD1 = """
        mov.u32 %r90, %ctaid.x; mov.u32 %r91, %ntid.x; mov.u32 %r1, %tid.x; mad.lo.u32 %r92, %r90, %r91, %r1;
        ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r92, 4; add.s64 %d1, %d1, %d2;

        """;

    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    /// <summary>Runs a body that leaves its result in <c>%r4</c>; <c>%r1</c> is the thread.</summary>
    private uint[] Run(string body, int threads = 32, int blocks = 1, string moduleScope = "")
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, ThreadInR1AddressInD1 + body + "\nst.global.u32 [%d1], %r4;", moduleScope));
        using DeviceMemory result = _gpu.Device.Allocate(4 * threads * blocks);
        _gpu.Stream.Fill(result.Address, 0xEE, result.Bytes);
        _gpu.Launch(kernel, blocks, threads, 0, result);
        return _gpu.Download<uint>(result);
    }

    [Fact]
    public void DivergesInNestedBranchesAndLoops()
    {
        // Collatz steps of thread + 1 (a loop each lane leaves at its own time, a branch inside), then a nested choice.
        uint[] result = Run("""
            mov.u32 %r4, 0; add.u32 %r2, %r1, 1;
            LOOP: setp.eq.u32 %p1, %r2, 1; @%p1 bra OUT;
            and.b32 %r3, %r2, 1; setp.ne.u32 %p2, %r3, 0; @%p2 bra ODD;
            shr.u32 %r2, %r2, 1; bra.uni NEXT;
            ODD: mad.lo.u32 %r2, %r2, 3, 1;
            NEXT: add.u32 %r4, %r4, 1; bra LOOP;
            OUT: and.b32 %r5, %r1, 3; setp.lt.u32 %p3, %r5, 2; @!%p3 bra HIGH;
            setp.eq.u32 %p4, %r5, 0; @%p4 add.u32 %r4, %r4, 1000; @!%p4 add.u32 %r4, %r4, 2000; bra DONE;
            HIGH: setp.eq.u32 %p4, %r5, 2; @%p4 bra TWO; add.u32 %r4, %r4, 3000; bra DONE;
            TWO: add.u32 %r4, %r4, 4000;
            DONE:
            """, 64);
        for (uint t = 0; t < 64; t++)
        {
            uint n = t + 1, steps = 0;
            for (; n != 1; steps++) n = n % 2 == 1 ? 3 * n + 1 : n / 2;
            Assert.Equal(steps + (t & 3) switch { 0 => 1000u, 1 => 2000, 2 => 4000, _ => 3000 }, result[t]);
        }
    }

    [Fact]
    public void ConvergesBeforeAShuffle()
    {
        // Lanes part, come back, and the shuffle sees all of them.
        uint[] result = Run("""
            and.b32 %r2, %r1, 1; setp.eq.u32 %p1, %r2, 0; @%p1 bra EVEN;
            mul.lo.u32 %r3, %r1, 10; bra JOIN;
            EVEN: mul.lo.u32 %r3, %r1, 100;
            JOIN: shfl.sync.bfly.b32 %r4, %r3, 1, 31, 0xffffffff;
            """);
        for (uint t = 0; t < 32; t++) Assert.Equal((t ^ 1) % 2 == 0 ? (t ^ 1) * 100 : (t ^ 1) * 10, result[t]);
    }

    [Fact]
    public void WaitsForNamedLanesWhenCodeIsOutOfOrder()
    {
        // The even lanes go to code laid out behind the shuffle and come back: the others must wait for them at it.
        uint[] result = Run("""
            and.b32 %r2, %r1, 1; setp.eq.u32 %p1, %r2, 0; mov.u32 %r3, %r1; @%p1 bra FAR;
            BACK: shfl.sync.idx.b32 %r4, %r3, 0, 31, 0xffffffff; bra DONE;
            FAR: add.u32 %r3, %r3, 77; bra BACK;
            DONE:
            """);
        Assert.All(result, value => Assert.Equal(77u, value));
    }

    [Fact]
    public void EndsThreadsEarly()
    {
        uint[] result = Run("""
            setp.lt.u32 %p1, %r1, 5; @%p1 ret;
            and.b32 %r2, %r1, 1; setp.eq.u32 %p2, %r2, 1; @%p2 exit;
            bar.sync 0; activemask.b32 %r4;
            """, 64);
        for (uint t = 0; t < 64; t++)
        {
            uint expected = t < 5 || t % 2 == 1 ? 0xEEEEEEEE : t < 32 ? 0x55555540u : 0x55555555u;
            Assert.Equal(expected, result[t]);
        }
    }

    [Fact]
    public void RunsPartialWarps()
    {
        uint[] result = Run("mov.u32 %r5, %ntid.x; add.u32 %r4, %r1, %r5;", 45, 3);
        for (uint i = 0; i < 135; i++) Assert.Equal(i % 45 + 45, result[i]);
    }

    [Fact]
    public void KnowsSpecialRegisters()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, """
            mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %tid.z; mov.u32 %r4, %ntid.x; mov.u32 %r5, %ntid.y; mov.u32 %r6, %ntid.z;
            mad.lo.u32 %r7, %r3, %r5, %r2; mad.lo.u32 %r7, %r7, %r4, %r1;
            mov.u32 %r8, %ctaid.x; mov.u32 %r9, %ctaid.y; mov.u32 %r10, %ctaid.z; mov.u32 %r11, %nctaid.x; mov.u32 %r12, %nctaid.y;
            mad.lo.u32 %r13, %r10, %r12, %r9; mad.lo.u32 %r13, %r13, %r11, %r8; mul.lo.u32 %r14, %r4, %r5; mul.lo.u32 %r14, %r14, %r6; mad.lo.u32 %r15, %r13, %r14, %r7;
            mov.u32 %r16, %laneid; mov.u32 %r17, %warpid; mad.lo.u32 %r18, %r17, 32, %r16; mov.u32 %r19, %lanemask_lt; popc.b32 %r20, %r19; mad.lo.u32 %r18, %r20, 1000, %r18;
            ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r15, 4; add.s64 %d1, %d1, %d2; st.global.u32 [%d1], %r18;
            """));
        using DeviceMemory result = _gpu.Device.Allocate(4 * 60 * 24);
        _gpu.Launch(kernel, new Dim3(2, 3, 4), new Dim3(3, 4, 5), 0, result);
        uint[] values = _gpu.Download<uint>(result);
        for (int i = 0; i < values.Length; i++) Assert.Equal((uint)(i % 60 + 1000 * (i % 60 % 32)), values[i]);
    }

    public static TheoryData<string, Func<int, int, int, (int From, bool InRange)>> Shuffles => new()
    {
        { "up", (lane, b, segment) => (lane - b, lane - b >= (lane & segment)) },
        { "down", (lane, b, segment) => (lane + b, lane + b <= (lane | (31 & ~segment))) },
        { "bfly", (lane, b, segment) => (lane ^ b, (lane ^ b) <= (lane | (31 & ~segment))) },
        { "idx", (lane, b, segment) => ((lane & segment) | (b & ~segment), true) },
    };

    [Theory]
    [MemberData(nameof(Shuffles))]
    public void Shuffles_WithinSegments(string mode, Func<int, int, int, (int From, bool InRange)> rule)
    {
        foreach (int width in (int[])[32, 16, 8, 4])
        {
            foreach (int b in (int[])[0, 1, 3, 7, 15, 16, 31])
            {
                int segment = 32 - width & 31, clamp = mode == "up" ? 0 : 31, c = segment << 8 | clamp;
                uint[] result = Run($"mul.lo.u32 %r2, %r1, 3; shfl.sync.{mode}.b32 %r3|%p1, %r2, {b}, {c}, -1; selp.u32 %r5, 1000, 0, %p1; add.u32 %r4, %r3, %r5;");
                for (int lane = 0; lane < 32; lane++)
                {
                    var (from, inRange) = rule(lane, b, segment);
                    Assert.True((uint)((inRange ? from : lane) * 3 + (inRange ? 1000 : 0)) == result[lane], $"{mode} {b} width {width} lane {lane}: {result[lane]}");
                }
            }
        }
    }

    [Fact]
    public void VotesAndReduces()
    {
        uint[] result = Run("""
            setp.lt.u32 %p1, %r1, 7; vote.sync.ballot.b32 %r2, %p1, -1; vote.sync.any.pred %p2, %p1, -1; vote.sync.all.pred %p3, %p1, -1; vote.sync.uni.pred %p4, %p3, -1;
            selp.u32 %r3, 0x1000, 0, %p2; or.b32 %r2, %r2, %r3; selp.u32 %r3, 0x2000, 0, %p3; or.b32 %r2, %r2, %r3; selp.u32 %r3, 0x4000, 0, %p4; or.b32 %r2, %r2, %r3;
            redux.sync.add.s32 %r5, %r1, -1; redux.sync.max.u32 %r6, %r1, -1; shl.b32 %r5, %r5, 16; add.u32 %r4, %r2, %r5; add.u32 %r4, %r4, %r6;
            """);
        Assert.All(result, value => Assert.Equal(0x7Fu + 0x1000 + 0x4000 + (496u << 16) + 31, value));
    }

    [Fact]
    public void MatchesEqualLanes()
    {
        uint[] result = Run("and.b32 %r2, %r1, 3; match.any.sync.b32 %r4, %r2, -1;");
        for (int lane = 0; lane < 32; lane++) Assert.Equal(0x11111111u << (lane & 3), result[lane]);
    }

    [Fact]
    public void BarriersOrderSharedMemory()
    {
        // Each thread reads what the thread at the other end of the block wrote, three rounds.
        uint[] result = Run("""
            .shared .align 4 .b32 s[256];
            mov.u32 %r2, s; shl.b32 %r3, %r1, 2; add.u32 %r3, %r2, %r3; sub.u32 %r5, 255, %r1; shl.b32 %r5, %r5, 2; add.u32 %r5, %r2, %r5;
            mov.u32 %r4, %r1; mov.u32 %r6, 0;
            L: st.shared.u32 [%r3], %r4; bar.sync 0; ld.shared.u32 %r7, [%r5]; bar.sync 0; mad.lo.u32 %r4, %r7, 3, %r1;
            add.u32 %r6, %r6, 1; setp.lt.u32 %p1, %r6, 3; @%p1 bra L;
            """, 256);
        uint[] expected = Enumerable.Range(0, 256).Select(i => (uint)i).ToArray();
        for (int round = 0; round < 3; round++) expected = Enumerable.Range(0, 256).Select(i => expected[255 - i] * 3 + (uint)i).ToArray();
        Assert.Equal(expected, result);
    }

    [Fact]
    public void NamedBarriersPairProducersWithConsumers()
    {
        // Warp 0 arrives at barrier 1 and goes on; warp 1 waits for it there.
        uint[] result = Run("""
            .shared .align 4 .b32 s[32];
            mov.u32 %r2, s; and.b32 %r3, %r1, 31; shl.b32 %r3, %r3, 2; add.u32 %r3, %r2, %r3; mov.u32 %r4, 5;
            setp.ge.u32 %p1, %r1, 32; @%p1 bra CONSUMER;
            mul.lo.u32 %r5, %r1, 9; st.shared.u32 [%r3], %r5; bar.arrive 1, 64; bra DONE;
            CONSUMER: bar.sync 1, 64; ld.shared.u32 %r4, [%r3];
            DONE:
            """, 64);
        for (uint t = 0; t < 64; t++) Assert.Equal(t < 32 ? 5u : (t - 32) * 9, result[t]);
    }

    [Fact]
    public void BarriersReduce()
    {
        uint[] result = Run("""
            rem.u32 %r2, %r1, 3; setp.eq.u32 %p1, %r2, 0; barrier.red.popc.u32 %r3, 2, %p1; bar.red.or.pred %p2, 0, !%p1; bar.red.and.pred %p3, 0, %p1;
            selp.u32 %r5, 1000, 0, %p2; selp.u32 %r6, 2000, 0, %p3; add.u32 %r4, %r3, %r5; add.u32 %r4, %r4, %r6;
            """, 96);
        Assert.All(result, value => Assert.Equal(1032u, value));
    }

    [Fact]
    public void BarriersWithinParts()
    {
        // Both halves of a warp come to the barrier by different instructions.
        uint[] result = Run("""
            .shared .align 4 .b32 s[64];
            mov.u32 %r2, s; shl.b32 %r3, %r1, 2; add.u32 %r3, %r2, %r3; xor.b32 %r5, %r1, 63; shl.b32 %r5, %r5, 2; add.u32 %r5, %r2, %r5; st.shared.u32 [%r3], %r1;
            and.b32 %r6, %r1, 1; setp.eq.u32 %p1, %r6, 0; @%p1 bra EVEN;
            barrier.sync 0; bra JOIN;
            EVEN: barrier.sync 0;
            JOIN: ld.shared.u32 %r4, [%r5];
            """, 64);
        for (uint t = 0; t < 64; t++) Assert.Equal(63 - t, result[t]);
    }

    [Fact]
    public void CombinesPredicates()
    {
        uint[] result = Run("""
            setp.gt.u32 %p1, %r1, 10; setp.lt.and.u32 %p2|%p3, %r1, 20, %p1; setp.eq.or.u32 %p4, %r1, 3, !%p1; xor.pred %p5, %p2, %p4; not.pred %p6, %p5; mov.pred %p7, %p3;
            selp.u32 %r4, 1, 0, %p2; @%p3 add.u32 %r4, %r4, 2; @%p4 add.u32 %r4, %r4, 4; @!%p6 add.u32 %r4, %r4, 8; @%p7 add.u32 %r4, %r4, 16;
            """);
        for (uint t = 0; t < 32; t++)
        {
            bool p1 = t > 10, p2 = t < 20 && p1, p3 = t >= 20 && p1, p4 = t == 3 || !p1;
            Assert.Equal((p2 ? 1u : 0) + (p3 ? 18u : 0) + (p4 ? 4u : 0) + (p2 ^ p4 ? 8u : 0), result[t]);
        }
    }

    [Theory]
    [InlineData("lt", false)]
    [InlineData("ltu", true)]
    [InlineData("ne", false)]
    [InlineData("neu", true)]
    [InlineData("equ", true)]
    [InlineData("ge", false)]
    [InlineData("geu", true)]
    [InlineData("num", false)]
    [InlineData("nan", true)]
    public void ComparesWithNaN(string comparison, bool holds)
    {
        uint[] result = Run($"setp.{comparison}.f32 %p1, 0f7FC00000, 0f3F800000; selp.u32 %r4, 1, 0, %p1;");
        Assert.Equal(holds ? 1u : 0, result[0]);
    }

    [Fact]
    public void LabelsBelongToTheirBraces()
    {
        var body = new StringBuilder("mov.u32 %r4, 0;\n");
        for (int i = 0; i < 2; i++) body.Append("{ .reg .u32 %r2; mov.u32 %r2, 0; AGAIN: add.u32 %r2, %r2, 1; add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r2, 3; @%p1 bra AGAIN; }\n");
        Assert.Equal(6u, Run(body.ToString())[0]);
    }

    [Fact]
    public void LanesTakeTurnsAtALock()
    {
        // Each lane spins for a lock that one of its neighbours holds; warps spin for a flag another warp sets.
        uint[] result = Run("""
            .shared .align 4 .b32 s[3];
            mov.u32 %r2, s; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r2], 0; @%p1 st.shared.u32 [%r2+4], 0; @%p1 st.shared.u32 [%r2+8], 0; bar.sync 0;
            SPIN: atom.shared.cas.b32 %r3, [%r2], 0, 1; setp.ne.u32 %p2, %r3, 0; @%p2 bra SPIN;
            ld.shared.u32 %r4, [%r2+4]; add.u32 %r5, %r4, 1; st.shared.u32 [%r2+4], %r5; atom.shared.exch.b32 %r6, [%r2], 0;
            setp.eq.u32 %p3, %r1, 95; @%p3 st.shared.u32 [%r2+8], 7;
            WAIT: ld.volatile.shared.u32 %r7, [%r2+8]; setp.ne.u32 %p4, %r7, 7; @%p4 bra WAIT;
            """, 96);
        Assert.Equal(Enumerable.Range(0, 96).Select(i => (uint)i), result.Order());
    }
}
