using System.Text;
using BenchmarkDotNet.Attributes;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Benchmarks;

/// <summary>Time per warp instruction of the virtual GPU on one core, by kind.</summary>
public class InstructionBenchmarks
{
    private const int Iterations = 125, Repeats = 128, Warps = 4;

    private VirtualDevice _device = null!;
    private IStream _stream = null!;
    private IKernel _kernel = null!;
    private DeviceMemory _memory = null!;

    /// <summary>Instruction under test; <c>@</c> is the number of the repetition.</summary>
    [Params(
        "add.u32 %r1@, %r1, %r2;",
        "fma.rn.f32 %f1@, %f1, %f2, %f1@;",
        "ex2.approx.ftz.f32 %f1@, %f1;",
        "cvt.rn.bf16x2.f32 %r1@, %f1, %f2;",
        "cvt.rn.satfinite.e4m3x2.f32 %h1@, %f1, %f2;",
        "ld.global.f32 %f1@, [%d1];",
        "ld.global.v4.f32 {%f10, %f11, %f12, %f13}, [%d2];",
        "ld.shared.f32 %f1@, [%r3];",
        "shfl.sync.bfly.b32 %r1@, %r1, 4, 31, -1;",
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r4];",
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f10, %f11, %f12, %f13}, {%r7, %r7, %r7, %r7}, {%r7, %r7}, {%f10, %f11, %f12, %f13};",
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%f10, %f11, %f12, %f13}, {%r7, %r7, %r7, %r7}, {%r7, %r7}, {%f10, %f11, %f12, %f13};")]
    public string Instruction { get; set; } = "";

    protected virtual VirtualGpuChecks Checks => VirtualGpuChecks.None;

    [GlobalSetup]
    public void Setup()
    {
        _device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1, Checks = Checks });
        _stream = _device.CreateStream();
        _memory = _device.Allocate(1 << 16);
        string body = string.Concat(Enumerable.Range(0, Repeats).Select(i => Instruction.Replace("@", $"{i % 10}") + "\n"));
        _kernel = _device.LoadModule(Encoding.UTF8.GetBytes($$"""
            .version 8.4
            .target sm_90a
            .address_size 64
            .visible .entry k(.param .u64 p)
            {
            .reg .pred %p<2>; .reg .b16 %h<20>; .reg .b32 %r<20>; .reg .b64 %d<6>; .reg .f32 %f<20>; .shared .align 16 .b8 s[4096];
            mov.u32 %r1, %tid.x; add.u32 %r2, %r1, 7; cvt.rn.f32.u32 %f1, %r1; cvt.rn.f32.u32 %f2, %r2; mov.u32 %r5, s; mad.lo.u32 %r3, %r1, 4, %r5; mad.lo.u32 %r4, %r1, 16, %r5;
            ld.param.u64 %d3, [p]; mul.wide.u32 %d4, %r1, 4; add.s64 %d1, %d3, %d4; mul.wide.u32 %d5, %r1, 16; add.s64 %d2, %d3, %d5; mov.u32 %r6, 0;
            // Normal numbers in every format of a matrix element.
            mov.u32 %r7, %laneid; mad.lo.u32 %r7, %r7, 0x01010101, 0x38383838;
            L: {{body}}
            add.u32 %r6, %r6, 1; setp.lt.u32 %p1, %r6, {{Iterations}}; @%p1 bra L; ret;
            }
            """)).GetKernel("k");
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(OperationsPerInvoke = Iterations * (Repeats + 3) * Warps)]
    public void Run() => _stream.Launch(_kernel, 1, 32 * Warps, 0, _memory);
}

/// <summary>The same with all checks on.</summary>
public class CheckedInstructionBenchmarks : InstructionBenchmarks
{
    protected override VirtualGpuChecks Checks => VirtualGpuChecks.All;
}
