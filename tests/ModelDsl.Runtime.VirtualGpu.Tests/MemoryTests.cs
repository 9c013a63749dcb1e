using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Loads, stores, atomics, asynchronous copies, address spaces.</summary>
public sealed class MemoryTests : IDisposable
{
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Theory]
    [InlineData("s8", "s32", -1)]
    [InlineData("u8", "u32", 255)]
    [InlineData("s16", "s32", -1)]
    [InlineData("u16", "u32", 65535)]
    public void ExtendsNarrowLoads(string type, string register, int lastElement)
    {
        int size = type.EndsWith('8') ? 1 : 2;
        byte[] data = Enumerable.Range(0, 64).Select(i => (byte)(255 - i)).ToArray();
        for (int i = 0; i < size; i++) data[31 * size + i] = 255;
        foreach (bool contiguous in (bool[])[true, false])
        {
            // The second time every lane but the last two keeps its place, so that the addresses are no sequence.
            IKernel kernel = _gpu.Load(TestGpu.Program(2, $"""
                mov.u32 %r1, %tid.x; {(contiguous ? "" : "setp.eq.u32 %p1, %r1, 30; @%p1 mov.u32 %r1, 29;")}
                ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, {size}; add.s64 %d1, %d1, %d2; ld.global.nc.{type} %r2, [%d1];
                ld.param.u64 %d3, [p1]; mov.u32 %r1, %tid.x; mul.wide.u32 %d2, %r1, 4; add.s64 %d3, %d3, %d2; st.global.{register} [%d3], %r2;
                """));
            using DeviceMemory source = _gpu.Upload<byte>(data), result = _gpu.Device.Allocate(128);
            _gpu.Launch(kernel, 1, 32, 0, source, result);
            int[] values = _gpu.Download<int>(result);
            for (int lane = 0; lane < 32; lane++)
            {
                int at = !contiguous && lane == 30 ? 29 : lane;
                int expected = type switch { "s8" => (sbyte)data[at], "u8" => data[at], "s16" => BitConverter.ToInt16(data, at * 2), _ => BitConverter.ToUInt16(data, at * 2) };
                Assert.Equal(expected, values[lane]);
            }
            Assert.Equal(lastElement, values[31]);
        }
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(4, 4)]
    [InlineData(2, 8)]
    [InlineData(4, 2)]
    [InlineData(2, 2)]
    [InlineData(4, 1)]
    public void MovesVectors(int count, int size)
    {
        string type = $"b{8 * size}", prefix = size == 8 ? "%d2" : size == 4 ? "%r2" : "%h2";
        string list = "{" + string.Join(", ", Enumerable.Range(0, count).Select(i => prefix + i)) + "}";
        string reversed = "{" + string.Join(", ", Enumerable.Range(0, count).Reverse().Select(i => prefix + i)) + "}";
        foreach (string lanes in (string[])["mov.u32 %r1, %tid.x;", "mov.u32 %r1, %tid.x; xor.b32 %r1, %r1, 5;", "mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 9; @%p1 ret;"])
        {
            IKernel kernel = _gpu.Load(TestGpu.Program(2, $"""
                {lanes} mul.wide.u32 %d1, %r1, {count * size}; ld.param.u64 %d2, [p0]; add.s64 %d2, %d2, %d1; ld.param.u64 %d3, [p1]; add.s64 %d3, %d3, %d1;
                ld.global.v{count}.{type} {list}, [%d2]; st.global.v{count}.{type} [%d3], {reversed};
                """));
            byte[] data = Enumerable.Range(0, 32 * count * size).Select(i => (byte)(i * 13 + i / 256)).ToArray();
            using DeviceMemory source = _gpu.Upload<byte>(data), result = _gpu.Device.Allocate(data.Length);
            _gpu.Launch(kernel, 1, 32, 0, source, result);
            byte[] moved = _gpu.Download<byte>(result);
            for (int lane = 0; lane < 32; lane++)
                for (int k = 0; k < count; k++)
                    for (int b = 0; b < size; b++)
                    {
                        byte expected = lanes.Contains("ret") && lane == 9 ? (byte)0 : data[(lane * count + count - 1 - k) * size + b];
                        Assert.Equal(expected, moved[(lane * count + k) * size + b]);
                    }
        }
    }

    [Fact]
    public void ReadsParametersOfEverySize()
    {
        IKernel kernel = _gpu.Load("""
            .version 8.4
            .target sm_80
            .address_size 64
            .visible .entry k(.param .u64 .ptr .global .align 16 out, .param .f32 x, .param .u32 n, .param .u64 big)
            { .reg .b64 %d<5>; .reg .f32 %f<3>; .reg .b32 %r<3>;
              ld.param.u64 %d1, [out]; ld.param.f32 %f1, [x]; ld.param.u32 %r1, [n]; ld.param.u64 %d2, [big];
              cvta.to.global.u64 %d3, %d1; st.global.f32 [%d3], %f1; st.global.u32 [%d3+4], %r1; st.global.u64 [%d3+8], %d2; ret; }
            """);
        using DeviceMemory result = _gpu.Device.Allocate(16);
        _gpu.Launch(kernel, 1, 1, 0, result, 1.5f, 42, 0x123456789ABCDEFul);
        uint[] words = _gpu.Download<uint>(result);
        Assert.Equal([0x3FC00000u, 42u, 0x89ABCDEFu, 0x01234567u], words);
    }

    [Fact]
    public void AddressesEverySpaceGenerically()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, """
            .local .align 8 .b8 mine[64]; .shared .align 8 .b8 ours[256];
            mov.u32 %r1, %tid.x; ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, 4; add.s64 %d1, %d1, %d2;
            mov.u64 %d3, mine; cvta.local.u64 %d4, %d3; mov.u64 %d5, ours; cvta.shared.u64 %d6, %d5; add.s64 %d6, %d6, %d2;
            st.u32 [%d4+8], %r1; mul.lo.u32 %r2, %r1, 100; st.u32 [%d6], %r2; ld.local.u32 %r3, [mine+8]; ld.shared.u32 %r4, [ours]; cvta.to.shared.u64 %d7, %d6; ld.shared.u32 %r5, [%d7];
            isspacep.shared %p1, %d6; isspacep.global %p2, %d1; isspacep.local %p3, %d6;
            add.u32 %r6, %r3, %r5; selp.u32 %r7, 100000, 0, %p1; add.u32 %r6, %r6, %r7; selp.u32 %r7, 200000, 0, %p2; add.u32 %r6, %r6, %r7; selp.u32 %r7, 400000, 0, %p3; add.u32 %r6, %r6, %r7;
            st.u32 [%d1], %r6;
            """));
        using DeviceMemory result = _gpu.Device.Allocate(128);
        _gpu.Launch(kernel, 1, 32, 0, result);
        uint[] values = _gpu.Download<uint>(result);
        for (uint t = 0; t < 32; t++) Assert.Equal(t * 101 + 300000, values[t]);
    }

    [Fact]
    public void InitialisesModuleVariables()
    {
        const string Variables = """
            .const .align 4 .f32 table[4] = {0f3F800000, 2.5, 3.0, -1.0};
            .global .align 4 .u32 counter = 7;
            .global .align 8 .u64 pointer = counter;
            .const .align 2 .b8 bytes[4] = {1, 2, 0xFF, -1};
            """;
        IKernel kernel = _gpu.Load(TestGpu.Program(1, """
            ld.param.u64 %d1, [p0]; ld.const.f32 %f1, [table+4]; ld.const.f32 %f2, [table+12]; st.global.f32 [%d1], %f1; st.global.f32 [%d1+4], %f2;
            ld.global.u64 %d2, [pointer]; ld.global.u32 %r1, [%d2]; st.global.u32 [%d1+8], %r1; ld.const.u8 %r2, [bytes+3]; st.global.u32 [%d1+12], %r2;
            mov.u64 %d3, table; ld.const.f32 %f3, [%d3+8]; st.global.f32 [%d1+16], %f3;
            """, Variables));
        using DeviceMemory result = _gpu.Device.Allocate(20);
        _gpu.Launch(kernel, 1, 1, 0, result);
        uint[] words = _gpu.Download<uint>(result);
        Assert.Equal([0x40200000u, 0xBF800000u, 7u, 255u, 0x40400000u], words);
    }

    public static TheoryData<string, uint, Func<uint, uint, uint>> Atomics => new()
    {
        { "add.u32", 5, (old, b) => old + b },
        { "min.s32", 3, (old, b) => (uint)Math.Min((int)old, (int)b) },
        { "max.u32", 3, Math.Max },
        { "and.b32", 0xFFFF, (old, b) => old & b },
        { "or.b32", 1, (old, b) => old | b },
        { "xor.b32", 1, (old, b) => old ^ b },
        { "exch.b32", 1, (_, b) => b },
        { "inc.u32", 2, (old, b) => old >= b ? 0 : old + 1 },
        { "dec.u32", 2, (old, b) => old == 0 || old > b ? b : old - 1 },
    };

    [Theory]
    [MemberData(nameof(Atomics))]
    public void AppliesAtomicsInLaneOrder(string operation, uint start, Func<uint, uint, uint> rule)
    {
        foreach (string space in (string[])["global", "shared"])
        {
            string cell = space == "global" ? "ld.param.u64 %d3, [p0];" : "mov.u64 %d3, s; ld.param.u64 %d4, [p0]; ld.global.u32 %r9, [%d4]; st.shared.u32 [%d3], %r9; bar.sync 0;";
            IKernel kernel = _gpu.Load(TestGpu.Program(2, $"""
                .shared .align 4 .b8 s[16];
                mov.u32 %r1, %tid.x; mad.lo.u32 %r2, %r1, 3, 1; {cell}
                atom.{space}.{operation} %r4, [%d3], %r2; ld.param.u64 %d1, [p1]; mul.wide.u32 %d2, %r1, 4; add.s64 %d1, %d1, %d2; st.global.u32 [%d1], %r4;
                """));
            using DeviceMemory counter = _gpu.Upload<uint>([start]), result = _gpu.Device.Allocate(128);
            _gpu.Launch(kernel, 1, 32, 0, counter, result);
            uint[] old = _gpu.Download<uint>(result);
            uint value = start;
            for (uint lane = 0; lane < 32; lane++)
            {
                Assert.Equal(value, old[lane]);
                value = rule(value, lane * 3 + 1);
            }
        }
    }

    [Fact]
    public void ReducesFloatsTheSameOnAnyNumberOfCores()
    {
        string program = TestGpu.Program(2, """
            mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.u32 %r4, %r1, %r2, %r3;
            cvt.rn.f32.u32 %f1, %r4; add.f32 %f1, %f1, 0f3DCCCCCD; rcp.rn.f32 %f1, %f1; ld.param.u64 %d1, [p0]; red.global.add.f32 [%d1], %f1;
            ld.param.u64 %d2, [p1]; red.global.add.u64 [%d2], 1; cvt.f64.f32 %g1, %f1; atom.global.add.f64 %g2, [%d2+8], %g1; mov.b32 %r5, 0x3C003C00; red.global.add.noftz.f16x2 [%d2+16], %r5;
            """);
        (float, ulong[])[] results = ((int[])[1, 2, 3]).Select(workers =>
        {
            using var gpu = new TestGpu(workers);
            IKernel kernel = gpu.Load(program);
            using DeviceMemory sum = gpu.Upload<float>([0]), others = gpu.Upload<ulong>([0, 0, 0]);
            gpu.Launch(kernel, 64, 32, 0, sum, others);
            return (gpu.Download<float>(sum)[0], gpu.Download<ulong>(others));
        }).ToArray();
        float expected = 0;
        for (int i = 0; i < 2048; i++) expected += 1 / (i + 0.1f);
        foreach (var (sum, others) in results)
        {
            Assert.Equal(expected, sum);
            Assert.Equal(2048ul, others[0]);
            Assert.Equal(results[0].Item2, others);
            Assert.Equal((Half)2048, BitConverter.UInt16BitsToHalf((ushort)others[2]));
        }
    }

    [Fact]
    public void SwapsAndCompares()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, """
            mov.u32 %r1, %tid.x; ld.param.u64 %d1, [p0]; add.u32 %r2, %r1, 1; atom.global.cas.b32 %r3, [%d1], %r1, %r2;
            mul.wide.u32 %d2, %r1, 4; add.s64 %d2, %d1, %d2; st.global.u32 [%d2+4], %r3;
            """));
        using DeviceMemory memory = _gpu.Upload<uint>(new uint[33]);
        _gpu.Launch(kernel, 1, 32, 0, memory);
        Assert.Equal([32u, .. Enumerable.Range(0, 32).Select(i => (uint)i)], _gpu.Download<uint>(memory));
    }

    [Fact]
    public void CopiesAsynchronouslyAndFillsWithZeros()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(2, """
            .shared .align 16 .b8 s[1024];
            mov.u32 %r1, %tid.x; mov.u32 %r2, s; shl.b32 %r3, %r1, 4; add.u32 %r3, %r2, %r3; mul.wide.u32 %d2, %r1, 16; ld.param.u64 %d1, [p0]; add.s64 %d1, %d1, %d2;
            and.b32 %r4, %r1, 15; setp.ge.u32 %p1, %r1, 16; selp.u32 %r4, 16, %r4, %p1;
            cp.async.cg.shared.global.L2::128B [%r3], [%d1], 16, %r4; cp.async.ca.shared.global [%r3+512], [%d1], 4; cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;
            ld.shared.v4.u32 {%r5, %r6, %r7, %r8}, [%r3]; ld.param.u64 %d3, [p1]; add.s64 %d3, %d3, %d2; st.global.v4.u32 [%d3], {%r5, %r6, %r7, %r8};
            ld.shared.u32 %r9, [%r3+512]; st.global.u32 [%d3+512], %r9;
            """));
        byte[] data = Enumerable.Range(0, 512).Select(i => (byte)(i * 5 + 1)).ToArray();
        using DeviceMemory source = _gpu.Upload<byte>(data), result = _gpu.Device.Allocate(1024);
        _gpu.Launch(kernel, 1, 32, 0, source, result);
        byte[] copied = _gpu.Download<byte>(result);
        for (int i = 0; i < 512; i++)
        {
            int lane = i / 16, kept = lane < 16 ? lane : 16;
            Assert.Equal(i % 16 < kept ? data[i] : (byte)0, copied[i]);
            if (i % 16 < 4) Assert.Equal(data[i], copied[512 + i]);
        }
    }

    [Fact]
    public void MultipliesTiledMatrices()
    {
        // C = A B, 48 by 40 by 56, 8 by 8 tiles through static and dynamic shared memory, edges guarded.
        const int M = 44, N = 37, K = 53;
        IKernel kernel = _gpu.Load(TestGpu.Program(3, $$"""
            .shared .align 4 .f32 a[64];
            mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ctaid.y; mad.lo.u32 %r5, %r3, 8, %r1; mad.lo.u32 %r6, %r4, 8, %r2;
            ld.param.u64 %d1, [p0]; ld.param.u64 %d2, [p1]; ld.param.u64 %d3, [p2]; mov.f32 %f1, 0f00000000; mov.u32 %r7, 0; mov.u32 %r8, a; mov.u32 %r9, dynamic;
            mad.lo.u32 %r10, %r2, 8, %r1; shl.b32 %r10, %r10, 2; add.u32 %r11, %r8, %r10; add.u32 %r12, %r9, %r10; shl.b32 %r13, %r2, 5; add.u32 %r13, %r8, %r13; shl.b32 %r14, %r1, 2; add.u32 %r14, %r9, %r14;
            TILE: add.u32 %r15, %r7, %r1; add.u32 %r16, %r7, %r2; mov.f32 %f2, 0f00000000; mov.f32 %f3, 0f00000000;
            setp.lt.u32 %p1, %r15, {{K}}; setp.lt.and.u32 %p1, %r6, {{M}}, %p1; mad.lo.u32 %r17, %r6, {{K}}, %r15; mul.wide.u32 %d4, %r17, 4; add.s64 %d4, %d1, %d4; @%p1 ld.global.f32 %f2, [%d4]; st.shared.f32 [%r11], %f2;
            setp.lt.u32 %p2, %r16, {{K}}; setp.lt.and.u32 %p2, %r5, {{N}}, %p2; mad.lo.u32 %r18, %r16, {{N}}, %r5; mul.wide.u32 %d5, %r18, 4; add.s64 %d5, %d2, %d5; @%p2 ld.global.f32 %f3, [%d5]; st.shared.f32 [%r12], %f3;
            bar.sync 0;
            {{string.Concat(Enumerable.Range(0, 8).Select(k => $"ld.shared.f32 %f4, [%r13+{4 * k}]; ld.shared.f32 %f5, [%r14+{32 * k}]; fma.rn.f32 %f1, %f4, %f5, %f1;\n"))}}
            bar.sync 0; add.u32 %r7, %r7, 8; setp.lt.u32 %p3, %r7, {{K}}; @%p3 bra TILE;
            setp.lt.u32 %p4, %r5, {{N}}; setp.lt.and.u32 %p4, %r6, {{M}}, %p4; @!%p4 bra DONE; mad.lo.u32 %r19, %r6, {{N}}, %r5; mul.wide.u32 %d6, %r19, 4; add.s64 %d6, %d3, %d6; st.global.f32 [%d6], %f1;
            DONE:
            """, ".extern .shared .align 16 .b8 dynamic[];"));
        var random = new Random(1);
        float[] a = Enumerable.Range(0, M * K).Select(_ => random.NextSingle()).ToArray(), b = Enumerable.Range(0, K * N).Select(_ => random.NextSingle()).ToArray();
        using DeviceMemory da = _gpu.Upload<float>(a), db = _gpu.Upload<float>(b), dc = _gpu.Device.Allocate(4 * M * N);
        _gpu.Launch(kernel, new Dim3((N + 7) / 8, (M + 7) / 8), new Dim3(8, 8), 256, da, db, dc);
        float[] c = _gpu.Download<float>(dc);
        for (int m = 0; m < M; m++)
            for (int n = 0; n < N; n++)
            {
                double expected = 0;
                for (int k = 0; k < K; k++) expected += (double)a[m * K + k] * b[k * N + n];
                Assert.Equal(expected, c[m * N + n], 1e-4);
            }
    }

    [Fact]
    public void ReservesMoreThanItTouches()
    {
        using DeviceMemory arena = _gpu.Device.Allocate(10L << 30);
        Assert.Equal(0ul, arena.Address % 256);
        _gpu.Stream.Upload([1, 2, 3], arena.Address + (9ul << 30));
        var back = new byte[4];
        _gpu.Stream.Download(arena.Address + (9ul << 30), back);
        Assert.Equal([1, 2, 3, 0], back);
        DeviceException error = Assert.Throws<DeviceException>(() => _gpu.Device.Allocate(60L << 30));
        Assert.Contains("out of device memory", error.Message);
    }
}
