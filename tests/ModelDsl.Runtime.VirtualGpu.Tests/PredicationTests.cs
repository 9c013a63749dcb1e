using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>An instruction under a guard changes the lanes where the guard holds as it would unguarded, and no other.</summary>
public sealed class PredicationTests : IDisposable
{
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Theory]
    [InlineData("add.u32 %r3, %r1, %r2;", 4)]
    [InlineData("mad.lo.s32 %r3, %r1, %r2, %r1;", 4)]
    [InlineData("mul.wide.u32 %d3, %r1, %r2;", 8)]
    [InlineData("add.s64 %d3, %d1, %d2;", 8)]
    [InlineData("mad.lo.u64 %d3, %d1, %d2, %d1;", 8)]
    [InlineData("shl.b64 %d3, %d1, 3;", 8)]
    [InlineData("cvt.s64.s32 %d3, %r1;", 8)]
    [InlineData("cvt.u32.u64 %r3, %d1;", 4)]
    [InlineData("cvt.rn.f32.u64 %f3, %d1; ", 4)]
    [InlineData("mov.b64 %d3, {%r2, %r1};", 8)]
    [InlineData("mov.b64 {%r3, %r4}, %d1;", 4)]
    [InlineData("div.u32 %r3, %r2, %r1;", 4)]
    [InlineData("clz.b32 %r3, %r1;", 4)]
    [InlineData("bfe.s32 %r3, %r2, 3, 7;", 4)]
    [InlineData("bfi.b64 %d3, %d1, %d2, 5, 20;", 8)]
    [InlineData("prmt.b32 %r3, %r1, %r2, 0x4321;", 4)]
    [InlineData("lop3.b32 %r3, %r1, %r2, %r1, 0x1E;", 4)]
    [InlineData("selp.b32 %r3, %r1, %r2, %p2;", 4)]
    [InlineData("selp.b64 %d3, %d1, %d2, %p2;", 8)]
    [InlineData("fma.rn.f32 %f3, %f1, %f2, %f1;", 4)]
    [InlineData("ex2.approx.f32 %f3, %f1;", 4)]
    [InlineData("cvt.rn.bf16x2.f32 %r3, %f1, %f2;", 4)]
    [InlineData("fma.rn.f16x2 %r3, %r1, %r2, %r1;", 4)]
    [InlineData("ld.global.u32 %r3, [%d5];", 4)]
    [InlineData("ld.global.u32 %r3, [%d6];", 4)]
    [InlineData("ld.global.v2.u32 {%r3, %r4}, [%d5];", 4)]
    [InlineData("ld.global.u64 %d3, [%d5];", 8)]
    [InlineData("ld.global.s16 %r3, [%d6];", 4)]
    [InlineData("ld.shared.u32 %r3, [%r6];", 4)]
    [InlineData("ld.param.u64 %d3, [p0];", 8)]
    [InlineData("set.lt.u32.u32 %r3, %r1, 10;", 4)]
    [InlineData("setp.lt.u32 %p3, %r1, 10; selp.b32 %r3, 1, 0, %p3;", 4)]
    [InlineData("not.pred %p3, %p2; selp.b32 %r3, 1, 0, %p3;", 4)]
    [InlineData("atom.shared.add.u32 %r3, [%r6], 1;", 4)]
    [InlineData("shfl.sync.bfly.b32 %r3, %r1, 1, 31, %r7;", 4)]
    public void ChangesOnlyWhereTheGuardHolds(string instruction, int size)
    {
        byte[] all = Run(instruction, size, ""), guarded = Run(instruction, size, "@%p1 ");
        for (int lane = 0; lane < 32; lane++)
        {
            byte[] expected = (lane & 2) == 0 ? all[(lane * size)..((lane + 1) * size)] : Enumerable.Repeat((byte)0x77, size).ToArray();
            Assert.True(expected.SequenceEqual(guarded[(lane * size)..((lane + 1) * size)]), $"{instruction} lane {lane}");
        }
    }

    private byte[] Run(string instruction, int size, string guard)
    {
        string guarded = string.Concat(instruction.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(i => $"{guard}{i};\n"));
        string result = size == 8 ? "%d3" : instruction.Contains("%f3") ? "%f3" : "%r3";
        IKernel kernel = _gpu.Load(TestGpu.Program(2, $"""
            .shared .align 8 .b8 s[256];
            mov.u32 %r1, %tid.x; mad.lo.u32 %r2, %r1, 77, 3; cvt.u64.u32 %d1, %r2; mul.lo.u64 %d1, %d1, 123456789; mul.wide.u32 %d2, %r1, 55; cvt.rn.f32.u32 %f1, %r1; cvt.rn.f32.u32 %f2, %r2;
            and.b32 %r8, %r1, 2; setp.eq.u32 %p1, %r8, 0; and.b32 %r9, %r1, 5; setp.eq.u32 %p2, %r9, 1; activemask.b32 %r7; {(guard.Length > 0 ? "vote.sync.ballot.b32 %r7, %p1, -1;" : "")}
            ld.param.u64 %d4, [p0]; mul.wide.u32 %d7, %r1, 8; add.s64 %d5, %d4, %d7; xor.b32 %r10, %r1, 1; mul.wide.u32 %d8, %r10, 4; add.s64 %d6, %d4, %d8;
            mov.u32 %r11, s; shl.b32 %r12, %r1, 2; add.u32 %r6, %r11, %r12; st.shared.u32 [%r6], %r2; bar.sync 0;
            mov.u32 %r3, 0x77777777; mov.b32 %f3, %r3; mov.u64 %d3, 0x7777777777777777; mov.pred %p3, 0;
            {guarded}
            ld.param.u64 %d9, [p1]; mul.wide.u32 %d10, %r1, {size}; add.s64 %d9, %d9, %d10; st.global.b{8 * size} [%d9], {result};
            """));
        using DeviceMemory source = _gpu.Upload<byte>(Enumerable.Range(0, 256).Select(i => (byte)(i * 7 + 5)).ToArray()), target = _gpu.Device.Allocate(32 * size);
        _gpu.Launch(kernel, 1, 32, 0, source, target);
        byte[] bytes = _gpu.Download<byte>(target);
        // The parameter's value is an address; the two runs have different ones.
        if (instruction.Contains("[p0]"))
            for (int lane = 0; lane < 32; lane++)
                if (BitConverter.ToUInt64(bytes, lane * 8) == source.Address) BitConverter.TryWriteBytes(bytes.AsSpan(lane * 8), 1ul);
        return bytes;
    }
}
