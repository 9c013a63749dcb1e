using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;
using KernelParameter = ModelDsl.Compiler.Kernels.KernelParameter;

namespace ModelDsl.Kernels.Tests;

/// <summary>Kernels that say which line of C# their instructions come from.</summary>
public sealed class LineInfoTests
{
    private static int _faulty;

    [Fact]
    public void A_finding_names_the_line_of_the_kernel()
    {
        using var run = new KernelRun(new Overrun(), VirtualGpuChecks.All).Output("x", 32);
        Assert.Throws<DeviceException>(() => run.Launch(1));
        var finding = Assert.Single(run.Findings);
        Assert.Equal(FindingKind.OutOfBounds, finding.Kind);
        Assert.Equal($"LineInfoTests.cs:{_faulty}", finding.At.Source);
    }

    [PtxasFact]
    public void Lines_are_those_of_the_kernel_file_and_assemble()
    {
        var kernel = new Fp8Gemm(4096, 7168, DType.BF16, Fp8GemmTile.Many, HopperGpu.Multiprocessors);
        var text = kernel.Emit(PtxTarget.Sm90a, lines: true).ToText();
        Assert.Contains("\n.file 1 \"src/ModelDsl.Compiler/Kernels/", text);
        Assert.Contains("\"src/ModelDsl.Compiler/Kernels/Hopper/Fp8Gemm.cs\"", text);
        Ptxas.AssembleClean(text, "sm_90a");

        // Without them it is the same text but for the marks.
        var plain = text.Split('\n').Where(line => !line.StartsWith("    .loc ", StringComparison.Ordinal) && !line.StartsWith(".file ", StringComparison.Ordinal));
        Assert.Equal(kernel.Emit(PtxTarget.Sm90a).ToText().Trim(), string.Join('\n', plain).Trim());
    }

    [Fact]
    public void The_same_kernel_has_the_same_lines()
    {
        var kernel = new SwiGluKernel(2048, 2048, 4096, DType.BF16, ScaleRounding.Exact);
        Assert.Equal(kernel.Emit(PtxTarget.Sm90a, lines: true).ToText(), kernel.Emit(PtxTarget.Sm90a, lines: true).ToText());
    }

    /// <summary>32 values have room, the last lane stores a 33rd.</summary>
    private sealed record Overrun : Kernel
    {
        public override string Name => "overrun";

        public override ImmutableArray<KernelParameter> Parameters => [KernelParameter.Out("x", DType.F32)];

        public override LaunchGeometry Geometry => new(1, 32);

        protected override void Write(KernelBuilder k)
        {
            var x = k.GlobalPtrParam<F32>("x") + k.LaneId;
            x.Store(1f, 1); _faulty = Here();
        }

        private static int Here([CallerLineNumber] int line = 0) => line;
    }
}
