using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Hopper;

/// <summary><c>wgmma.mma_async</c> against a plain loop in double precision; inputs are small integers, so sums are exact.</summary>
public sealed class WarpgroupMultiplyTests : IDisposable
{
    private readonly TestGpu _gpu = new();
    private readonly Random _random = new(5);

    public void Dispose() => _gpu.Dispose();

    public static TheoryData<string, int, int, bool, bool> Products()
    {
        var data = new TheoryData<string, int, int, bool, bool>();
        foreach (int n in new[] { 8, 24, 64, 256 })
            foreach (int swizzle in new[] { 0, 32, 64, 128 }) data.Add("e4m3.e4m3", n, swizzle, false, false);
        foreach (string types in new[] { "e4m3.e5m2", "e5m2.e4m3", "e5m2.e5m2", "f16.f16", "bf16.bf16", "tf32.tf32" }) data.Add(types, 40, 128, false, false);
        foreach (int swizzle in new[] { 0, 32, 64, 128 })
        {
            data.Add("bf16.bf16", 128, swizzle, true, true);
            data.Add("f16.f16", 64, swizzle, false, true);
            data.Add("bf16.bf16", 192, swizzle, true, false);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void MultipliesTilesInSharedMemory(string types, int n, int swizzle, bool transposeA, bool transposeB)
    {
        const int KBytes = 128;
        var a = new SharedTile(64, KBytes, swizzle, transposeA, 0);
        var b = new SharedTile(n, KBytes, swizzle, transposeB, a.Bytes);
        Check(types, n, a, b, KBytes, "1, 1", 1);
    }

    [Fact]
    public void EveryNumberOfColumnsFromEightToAllThatThereAre()
    {
        for (int n = 8; n <= 256; n += 8)
            Check("e4m3.e4m3", n, new SharedTile(64, 32, 32, false, 0), new SharedTile(n, 32, 32, false, 2048), 32, "1, 1", 1);
    }

    [Theory]
    [InlineData("-1, 1", -1)]
    [InlineData("1, -1", -1)]
    [InlineData("-1, -1", 1)]
    public void NegatesOperands(string signs, int sign) =>
        Check("bf16.bf16", 16, new SharedTile(64, 64, 64, false, 0), new SharedTile(16, 64, 64, false, 4096), 64, signs, sign);

    [Fact]
    public void TakesAFromRegisters() =>
        Check("e4m3.e4m3", 48, new SharedTile(64, 32, 32, false, 0), new SharedTile(48, 32, 32, false, 2048), 32, "1, 1", 1, fromRegisters: true);

    [Fact]
    public void TakesTransposedBWithAFromRegisters() =>
        Check("f16.f16", 64, new SharedTile(64, 32, 32, false, 0), new SharedTile(64, 32, 128, true, 2048), 32, "1, 1", 1, fromRegisters: true);

    [Fact]
    public void WithoutScaleDTheAccumulatorIsOverwritten() =>
        Check("e5m2.e5m2", 8, new SharedTile(64, 32, 32, false, 0), new SharedTile(8, 32, 32, false, 2048), 32, "1, 1", 1, accumulates: false);

    [Fact]
    public void APatternMayStartWhereTheBaseOffsetSays()
    {
        // The tile of A lies three rows of the pattern behind a multiple of 1024, its own pattern with it.
        var a = new SharedTile(64, 128, 128, false, 1024 + 3 * 128);
        Check("e4m3.e4m3", 8, a, new SharedTile(8, 128, 128, false, 16384), 128, "1, 1", 1, extraA: 3ul << 49);
    }

    [Fact]
    public void ALoneWarpIsAFault()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(0, """
            .shared .align 128 .b8 s[4096];
            mov.b64 %d1, 0; setp.ne.b32 %p1, 0, 1; mov.f32 %f1, 0f00000000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1;
            wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 {%f1, %f2, %f3, %f4}, %d1, %d1, %p1, 1, 1;
            """));
        var fault = Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 32, 0));
        Assert.Contains("wgmma needs four whole warps", fault.Message);
    }

    [Fact]
    public void WarpsOfAWarpgroupAtDifferentProductsAreAFault()
    {
        const string Product = "wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 {%f1, %f2, %f3, %f4}, %d1, %d1, %p1, 1, 1;\n";
        IKernel kernel = _gpu.Load(TestGpu.Program(0, $$"""
            .shared .align 128 .b8 s[4096];
            mov.b64 %d1, 0; setp.ne.b32 %p1, 0, 1; mov.f32 %f1, 0f00000000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1;
            mov.u32 %r1, %tid.x; setp.lt.u32 %p2, %r1, 64; @%p2 bra OTHER;
            {{Product}} bra DONE;
            OTHER: {{Product}} DONE:
            """));
        var fault = Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 128, 0));
        Assert.Contains("execute different wgmma instructions", fault.Message);
    }

    [Fact]
    public void ADescriptorThatLeadsOutOfSharedMemoryIsAFault()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(0, """
            .shared .align 128 .b8 s[1024];
            mov.b64 %d1, 0x0000001000010000; setp.ne.b32 %p1, 0, 1; mov.f32 %f1, 0f00000000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1;
            wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 {%f1, %f2, %f3, %f4}, %d1, %d1, %p1, 1, 1;
            """));
        var fault = Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 128, 0));
        Assert.Contains("leads to shared offset", fault.Message);
    }

    [Theory]
    [InlineData("m64n8k32.f32.e4m3.e4m3", 6, "the accumulator")]
    [InlineData("m64n8k16.f32.e4m3.e4m3", 4, "not supported")]
    [InlineData("m64n12k32.f32.e4m3.e4m3", 6, "not supported")]
    [InlineData("m64n264k32.f32.e4m3.e4m3", 132, "not supported")]
    public void WhatTheInstructionDoesNotHaveIsRefused(string form, int registers, string expected)
    {
        string sums = string.Join(", ", Enumerable.Range(1, registers).Select(i => $"%q{i}"));
        string text = TestGpu.Program(0, $"wgmma.mma_async.sync.aligned.{form} {{{sums}}}, %d1, %d1, %p1, 1, 1;", registers: ".reg .f32 %q<200>;");
        var refusal = Assert.Throws<DeviceException>(() => _gpu.Load(text));
        Assert.Contains(expected, refusal.Message);
    }

    private void Check(
        string types, int n, SharedTile a, SharedTile b, int kBytes, string signs, int sign, bool accumulates = true, bool fromRegisters = false, ulong extraA = 0)
    {
        string[] type = types.Split('.');
        int size = type[0] switch { "tf32" => 4, "f16" or "bf16" => 2, _ => 1 }, k = kBytes / size;
        int[,] va = Values(64, k), vb = Values(n, k);
        float[] c = Enumerable.Range(0, 64 * n).Select(_ => (float)_random.Next(-50, 50)).ToArray();
        var image = new byte[Math.Max(a.Start + a.Bytes, b.Start + b.Bytes)];
        var plainA = new byte[64 * kBytes];
        for (int x = 0; x < k; x++)
        {
            for (int row = 0; row < 64; row++) Put(image, a.Start, a, row, x * size, Encode(va[row, x], type[0]), size);
            for (int row = 0; row < 64; row++) Encode(va[row, x], type[0]).AsSpan(0, size).CopyTo(plainA.AsSpan(row * kBytes + x * size));
            for (int row = 0; row < n; row++) Put(image, b.Start, b, row, x * size, Encode(vb[row, x], type[1]), size);
        }
        float[] actual = Run(types, n, a, b, kBytes, size, signs, accumulates, fromRegisters, extraA, image, plainA, c);
        for (int row = 0; row < 64; row++)
        {
            for (int column = 0; column < n; column++)
            {
                double expected = accumulates ? c[row * n + column] : 0;
                for (int x = 0; x < k; x++) expected += sign * va[row, x] * vb[column, x];
                Assert.True(expected == actual[row * n + column], $"{types} n={n} row {row} column {column}: expected {expected}, got {actual[row * n + column]}");
            }
        }
    }

    /// <summary>Loads the image of shared memory and the accumulators, multiplies, and stores the accumulators as the ISA says which lane has what.</summary>
    private float[] Run(
        string types, int n, SharedTile a, SharedTile b, int kBytes, int size, string signs, bool accumulates, bool fromRegisters, ulong extraA,
        byte[] image, byte[] plainA, float[] c)
    {
        var text = new StringBuilder($"""
            ld.param.u64 %d1, [p0]; ld.param.u64 %d2, [p1]; ld.param.u64 %d3, [p2]; ld.param.u64 %d4, [p3];
            mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 4; mov.u32 %r3, s;
            COPY: setp.ge.u32 %p1, %r2, {image.Length}; @%p1 bra COPIED;
            cvt.u64.u32 %d5, %r2; add.s64 %d5, %d5, %d1; ld.global.v4.u32 {"{%r10, %r11, %r12, %r13}"}, [%d5];
            add.u32 %r4, %r3, %r2; st.shared.v4.u32 [%r4], {"{%r10, %r11, %r12, %r13}"}; add.u32 %r2, %r2, 2048; bra COPY;
            COPIED: fence.proxy.async.shared::cta; bar.sync 0;
            and.b32 %r5, %r1, 31; shr.u32 %r6, %r1, 5; shr.u32 %r7, %r5, 2; and.b32 %r8, %r5, 3; mad.lo.u32 %r9, %r6, 16, %r7;
            mad.lo.u32 %r14, %r9, {4 * n}, 0; mad.lo.u32 %r14, %r8, 8, %r14; cvt.u64.u32 %d6, %r14; add.s64 %d2, %d2, %d6; add.s64 %d3, %d3, %d6;
            mad.lo.u32 %r15, %r9, {kBytes}, 0; mad.lo.u32 %r15, %r8, 4, %r15; cvt.u64.u32 %d7, %r15; add.s64 %d4, %d4, %d7;
            setp.{(accumulates ? "ne" : "eq")}.b32 %p2, 0, 1;

            """);
        int registers = n / 2;
        int Offset(int i) => (i / 2 % 2 * 8 * n + i / 4 * 8 + i % 2) * 4;
        for (int i = 0; i < registers; i++) text.AppendLine($"ld.global.f32 %q{i}, [%d2+{Offset(i)}];");
        if (fromRegisters) text.AppendLine($"ld.global.u32 %r20, [%d4]; ld.global.u32 %r21, [%d4+{8 * kBytes}]; ld.global.u32 %r22, [%d4+16]; ld.global.u32 %r23, [%d4+{8 * kBytes + 16}];");
        text.AppendLine("wgmma.fence.sync.aligned;");
        string transposed = size != 2 ? "" : fromRegisters ? $", {(b.IsTransposed ? 1 : 0)}" : $", {(a.IsTransposed ? 1 : 0)}, {(b.IsTransposed ? 1 : 0)}";
        for (int at = 0; at < kBytes; at += 32)
        {
            text.AppendLine($"mov.b64 %d10, {a.Descriptor(at) | extraA}; mov.b64 %d11, {b.Descriptor(at)};");
            string operandA = fromRegisters ? "{%r20, %r21, %r22, %r23}" : "%d10", sums = string.Join(", ", Enumerable.Range(0, registers).Select(i => $"%q{i}"));
            text.AppendLine($"wgmma.mma_async.sync.aligned.m64n{n}k{32 / size}.f32.{types} {{{sums}}}, {operandA}, %d11, %p2, {signs}{transposed};");
        }
        text.AppendLine("wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;");
        for (int i = 0; i < registers; i++) text.AppendLine($"st.global.f32 [%d3+{Offset(i)}], %q{i};");
        IKernel kernel = _gpu.Load(TestGpu.Program(4, text.ToString(), ".extern .shared .align 1024 .b8 s[];", ".reg .f32 %q<200>;"));
        using DeviceMemory memory = _gpu.Upload<byte>([.. image, .. new byte[16]]), from = _gpu.Upload<float>(c), to = _gpu.Upload<float>(new float[c.Length]), rows = _gpu.Upload<byte>(plainA);
        _gpu.Launch(kernel, 1, 128, (image.Length + 15) / 16 * 16, memory, from, to, rows);
        return _gpu.Download<float>(to);
    }

    private int[,] Values(int rows, int columns)
    {
        var values = new int[rows, columns];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) values[i, j] = _random.Next(-4, 5);
        return values;
    }

    private static void Put(byte[] image, int start, SharedTile tile, int row, int k, byte[] element, int size)
    {
        for (int part = 0; part < size; part++) image[start + tile.Offset(row, k + part)] = element[part];
    }

    private static byte[] Encode(int value, string type) => type switch
    {
        "e4m3" => [SmallFloats.Nearest(value, 3)],
        "e5m2" => [SmallFloats.Nearest(value, 2)],
        "f16" => BitConverter.GetBytes((Half)value),
        "bf16" => BitConverter.GetBytes((float)value)[2..],
        _ => BitConverter.GetBytes((float)value),
    };
}
