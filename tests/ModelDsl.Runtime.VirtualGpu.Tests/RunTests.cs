using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Instructions of a kind behind each other run as one; branches, masks, counts and changed operands must not notice.</summary>
public sealed class RunTests : IDisposable
{
    private const string Product = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f0, %f1, %f2, %f3}, {%r10, %r11, %r12, %r13}, {%r20, %r21}, {%f8, %f8, %f8, %f8};";
    private const string Ones = "0x3F803F80", Twos = "0x40004000";

    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void IsEnteredInTheMiddle()
    {
        uint[] counts = Words("""
            mov.u32 %r1, 0; mov.u32 %r2, 0; mov.u32 %r3, 0; mov.u32 %r4, 0;
            add.u32 %r2, %r2, 1;
            AGAIN: add.u32 %r3, %r3, 1; add.u32 %r4, %r4, 1; add.u32 %r1, %r1, 1;
            setp.lt.u32 %p1, %r1, 10; @%p1 bra AGAIN;
            """, "%r2", "%r3", "%r4");
        Assert.Equal(Rows(1, 10, 10), counts);
    }

    [Fact]
    public void IsEnteredByAFewLanes()
    {
        // Lanes below 5 skip the first two; those above 20 leave out one in between.
        uint[] sums = Words("""
            mov.u32 %r1, 0; mov.u32 %r2, 0; mov.u32 %r3, 0; mov.u32 %r4, %tid.x;
            setp.lt.u32 %p1, %r4, 5; setp.gt.u32 %p2, %r4, 20; @%p1 bra LATE;
            add.u32 %r1, %r1, 1; add.u32 %r1, %r1, 10;
            LATE: add.u32 %r1, %r1, 100; @!%p2 add.u32 %r1, %r1, 1000; add.u32 %r1, %r1, 10000; add.u32 %r2, %r1, 7;
            """, "%r1", "%r2");
        for (uint lane = 0; lane < 32; lane++)
        {
            uint expected = 10100 + (lane < 5 ? 0u : 11) + (lane > 20 ? 0u : 1000);
            Assert.Equal((expected, expected + 7), (sums[lane], sums[32 + lane]));
        }
    }

    [Fact]
    public void ReadsWhatItHasWritten()
    {
        uint[] powers = Words("mov.u32 %r1, 1; add.u32 %r1, %r1, %r1; add.u32 %r2, %r1, %r1; add.u32 %r1, %r2, %r1; add.u32 %r2, %r2, %r1;", "%r1", "%r2");
        Assert.Equal(Rows(6, 10), powers);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CountsEveryInstruction(bool byClass)
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1, CountsClasses = byClass });
        string ptx = TestGpu.Program(0, """
            mov.u32 %r1, 0; mov.u32 %r2, 0;
            AGAIN: add.u32 %r2, %r2, 1; add.u32 %r2, %r2, 1; add.u32 %r1, %r1, 1;
            mul.f32 %f1, %f1, %f2; mul.f32 %f1, %f1, %f2; mul.f32 %f1, %f1, %f2;
            setp.lt.u32 %p1, %r1, 4; @%p1 bra AGAIN;
            """);
        using IStream stream = device.CreateStream();
        stream.Launch(device.LoadModule(System.Text.Encoding.UTF8.GetBytes(ptx)).GetKernel("k"), 2, 64, 0);
        stream.Synchronize();
        KernelCost cost = device.Profile.Kernels.Single();
        // Two blocks of two warps; eight instructions a turn and one to return.
        Assert.Equal(4u * (2 + 4 * 8 + 1), cost.WarpInstructions);
        ulong classes = 0;
        for (int i = 0; i < InstructionMix.Classes; i++) classes += cost.Mix[i];
        Assert.Equal(byClass ? cost.WarpInstructions : 0, classes);
    }

    [Theory]
    [InlineData("", 16)]
    [InlineData($"mov.b32 %r12, {Twos};", 24)]
    [InlineData($"mov.b32 %r5, {Twos}; st.shared.b32 [%r6], %r5; bar.warp.sync -1; ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{%r20}}, [%r7];", 24)]
    [InlineData($"mov.b32 %r5, {Twos}; st.shared.b32 [%r6], %r5; bar.warp.sync -1; ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{%r11}}, [%r7];", 24)]
    public void MultipliesByWhatOperandsHold(string between, float expected)
    {
        float[] sums = Singles($"{Prepare(Ones)} {Product} {between} {Product}", "%f0", "%f2");
        // Rows 0 to 7 are of registers 0 and 2 of A, those below of 1 and 3.
        bool isBelow = between.Contains("%r11}");
        Assert.Equal(isBelow ? 16 : expected, sums[0]);
        Assert.Equal(between.Contains("%r12") ? 16 : expected, sums[32]);
        Assert.All(sums[..32], s => Assert.Equal(sums[0], s));
        Assert.All(sums[32..], s => Assert.Equal(sums[32], s));
    }

    [Fact]
    public void MultipliesByALoadedTileAtOnce()
    {
        float[] sums = Singles($"""
            {Prepare(Ones)} mov.b32 %r5, {Twos}; st.shared.b32 [%r6], %r5; bar.warp.sync -1;
            {Product} ldmatrix.sync.aligned.m8n8.x1.shared.b16 {"{%r11}"}, [%r7]; {Product.Replace("%f0, %f1, %f2, %f3", "%f4, %f5, %f6, %f7")}
            ldmatrix.sync.aligned.m8n8.x1.shared.b16 {"{%r21}"}, [%r7]; {Product}
            """, "%f4", "%f6", "%f0", "%f2");
        Assert.Equal([16, 24, 24, 32], [sums[0], sums[32], sums[64], sums[96]]);
    }

    [Fact]
    public void MultipliesByTheSumBefore()
    {
        // The first sum, 16 everywhere, is half of the second product's A.
        const string half = "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r10, %r11}, {%r10, %r11, %r12, %r13}, {%r20, %r20}, {%r30, %r30};";
        uint[] sums = Words($"{Prepare("0x3C003C00")} mov.b32 %r30, 0; {half} {half}", "%r10");
        Assert.All(sums, s => Assert.Equal(0x5840_5840u, s));
    }

    [Fact]
    public void MultipliesByABThatIsTheSumBefore()
    {
        // 16 everywhere after the first product, as halves; times ones it is 256.
        const string first = "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r20, %r21}, {%r10, %r11, %r12, %r13}, {%r22, %r22}, {%r30, %r30};";
        const string second = "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r31, %r32}, {%r10, %r11, %r12, %r13}, {%r20, %r21}, {%r30, %r30};";
        Assert.All(Words($"{Prepare("0x3C003C00")} mov.b32 %r22, 0x3C003C00; mov.b32 %r30, 0; {first} {second}", "%r31", "%r32"), s => Assert.Equal(0x5C00_5C00u, s));
        // The bits of 16 in single precision are two BF16: 16 and 0.
        string single = Product.Replace("{%f0, %f1, %f2, %f3}", "{%f20, %f21, %f22, %f23}"), next = Product.Replace("{%r20, %r21}", "{%f20, %f21}");
        Assert.All(Singles($"{Prepare(Ones)} {single} {next}", "%f0", "%f3"), s => Assert.Equal(128, s));
    }

    [Fact]
    public void PassesInfinitiesInTheMiddleOfARow()
    {
        // E4M3 has NaN only, E5M2 infinity: the second of three products meets one.
        string Of(string d, string b) => $"mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32 {d}, {{%r10, %r11, %r12, %r13}}, {{{b}, %r21}}, {{%f8, %f8, %f8, %f8}};";
        float[] sums = Singles($"""
            {Prepare("0x3C3C3C3C")} mov.b32 %r22, 0x7C3C3C3C;
            {Of("{%f0, %f1, %f2, %f3}", "%r20")} {Of("{%f4, %f5, %f6, %f7}", "%r22")} {Of("{%f10, %f11, %f12, %f13}", "%r20")}
            """, "%f0", "%f4", "%f10");
        Assert.Equal([32, float.PositiveInfinity, 32], [sums[0], sums[32], sums[64]]);
    }

    [Fact]
    public void WarpsDoNotShareWhatTheyMultiply()
    {
        // Warps take turns at each barrier; warp w has ones where it multiplies for the w-th time.
        float[] sums = Singles($"""
            {Prepare(Ones)} mov.u32 %r1, %tid.x; shr.u32 %r1, %r1, 5; setp.ne.u32 %p1, %r1, 0;
            @%p1 mov.b32 %r10, {Twos}; @%p1 mov.b32 %r12, {Twos};
            {Product} bar.sync 0; {Product.Replace("%f0, %f1, %f2, %f3", "%f4, %f5, %f6, %f7")}
            """, 2, "%f0", "%f4");
        Assert.Equal([16, 32, 16, 32], [sums[0], sums[32], sums[64], sums[96]]);
    }

    private static string Prepare(string a) =>
        $"mov.b32 %r10, {a}; mov.b32 %r11, {a}; mov.b32 %r12, {a}; mov.b32 %r13, {a}; mov.b32 %r20, {a}; mov.b32 %r21, {a}; mov.f32 %f8, 0f00000000; "
        + "mov.u32 %r1, %tid.x; and.b32 %r1, %r1, 31; mov.u32 %r2, s; mad.lo.u32 %r6, %r1, 4, %r2; and.b32 %r3, %r1, 7; mad.lo.u32 %r7, %r3, 16, %r2;";

    private static uint[] Rows(params uint[] values) => [.. values.SelectMany(v => Enumerable.Repeat(v, 32))];

    private uint[] Words(string body, params string[] registers) => Run<uint>(body, 1, "u32", registers);

    private float[] Singles(string body, params string[] registers) => Run<float>(body, 1, "f32", registers);

    private float[] Singles(string body, int warps, params string[] registers) => Run<float>(body, warps, "f32", registers);

    /// <summary>The registers of all threads after a body, register by register.</summary>
    private T[] Run<T>(string body, int warps, string type, string[] registers)
        where T : unmanaged
    {
        int threads = 32 * warps;
        string stores = string.Concat(registers.Select((r, n) => $"st.global.{type} [%d3+{4 * threads * n}], {r};\n"));
        using DeviceMemory memory = _gpu.Upload<T>(new T[threads * registers.Length]);
        IKernel kernel = _gpu.Load(TestGpu.Program(1, $"""
            {body}
            mov.u32 %r99, %tid.x; ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r99, 4; add.s64 %d3, %d1, %d2;
            {stores}
            """, registers: ".shared .align 16 .b8 s[512];"));
        _gpu.Launch(kernel, 1, threads, 0, memory);
        return _gpu.Download<T>(memory);
    }
}
