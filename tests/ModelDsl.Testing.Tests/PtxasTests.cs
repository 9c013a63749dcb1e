using Xunit.Sdk;

namespace ModelDsl.Testing.Tests;

public class PtxasTests
{
    private const string Module = """
        .version 8.4
        .target sm_90a
        .address_size 64
        .visible .entry twice(.param .u64 at)
        {
            .reg .b64 %p; .reg .f32 %x;
            .shared .align 4 .b8 scratch[256];
            ld.param.u64 %p, [at];
            ld.global.f32 %x, [%p];
            add.f32 %x, %x, %x;
            st.shared.f32 [scratch], %x;
            st.global.f32 [%p], %x;
            ret;
        }
        """;

    [PtxasFact]
    public void ReportsWhatAKernelUses()
    {
        var report = Ptxas.AssembleClean(Module, "sm_90a");

        var kernel = Assert.Single(report.Kernels);
        Assert.Equal("twice", kernel.Name);
        Assert.Equal(256, kernel.SharedMemory);
        Assert.InRange(kernel.Registers, 4, 32);
        Assert.Equal(0, report.SpillStores + report.SpillLoads + report.Stack);
        Assert.Empty(report.Warnings);
    }

    [PtxasFact]
    public void QuotesTheLineThatIsWrong()
    {
        var failure = Assert.Throws<FailException>(() => Ptxas.Assemble(Module.Replace("add.f32", "add.f31"), "sm_90a"));

        Assert.Contains("10:     add.f31 %x, %x, %x;", failure.Message);
    }

    [Fact]
    public void ReadsSpillsAndWarnings()
    {
        var report = PtxasReport.Parse(0, """
            ptxas warning : Value of threads per SM for entry k is out of range. .minnctapersm will be ignored
            ptxas info    : Compiling entry function 'k' for 'sm_80'
            ptxas info    : Function properties for k
                48 bytes stack frame, 40 bytes spill stores, 44 bytes spill loads
            ptxas info    : Used 32 registers, 368 bytes cmem[0]
            """);

        Assert.Equal(new PtxasKernel("k", 32, 48, 40, 44, 0), Assert.Single(report.Kernels));
        Assert.Single(report.Warnings);
    }
}
