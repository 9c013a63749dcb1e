using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Checking;

/// <summary>What a finding says, and how checks are named.</summary>
public sealed class FindingTests
{
    [Fact]
    public void A_fault_is_a_finding_with_everything_a_person_needs()
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 2, Checks = VirtualGpuChecks.Memory });
        const string body = "mov.u32 %r1, %tid.x; ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, 4; add.s64 %d1, %d1, %d2;\nst.global.u32 [%d1], %r1;";
        IKernel kernel = device.LoadModule(Encoding.UTF8.GetBytes(TestGpu.Program(1, body))).GetKernel("k");
        using DeviceMemory memory = device.Allocate(40);
        for (int i = 0; i < 3; i++) Assert.Throws<DeviceException>(() => device.CreateStream().Launch(kernel, 2, 16, 0, memory));
        Finding finding = Assert.Single(device.Findings);
        Assert.Equal((FindingKind.OutOfBounds, "k", 15, "st.global.u32 [%d1], %r1;"), (finding.Kind, finding.Kernel, finding.At.Line, finding.At.Text));
        Assert.Equal((new Dim3(0, 0, 0), new Dim3(10, 0, 0), memory.Address + 40), (finding.Block, finding.Thread, finding.Address));
        string text = finding.ToString();
        Assert.StartsWith("out-of-bounds: kernel 'k', line 15 'st.global.u32 [%d1], %r1;', block (0, 0, 0), thread (10, 0, 0), address 0x", text);
        Assert.Contains("0 bytes past the end of the allocation", text);
        Assert.Contains("remedy: guard the access", text);
        Assert.DoesNotContain('\n', text);
    }

    [Fact]
    public void Lines_of_the_program_behind_the_text_are_named()
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1, Checks = VirtualGpuChecks.All });
        string ptx = TestGpu.Program(0, ".loc 1 11 3\nmov.u64 %d1, 64;\n\t.loc\t2 12 5, function_name $L__info_string0, inlined_at 1 30 9\nld.global.u32 %r1, [%d1];", ".file 1 \"/src/a.cu\"\n.file\t2 \"/src/b.cuh\", 1700000000, 99\n");
        IKernel kernel = device.LoadModule(Encoding.UTF8.GetBytes(ptx)).GetKernel("k");
        Assert.Throws<DeviceException>(() => device.CreateStream().Launch(kernel, 1, 1, 0));
        Assert.Equal("b.cuh:12", Assert.Single(device.Findings).At.Source);
        Assert.Contains("(b.cuh:12)", device.Findings[0].ToString());
    }

    [Fact]
    public void Freed_memory_is_called_freed()
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1, Checks = VirtualGpuChecks.Memory });
        IKernel kernel = device.LoadModule(Encoding.UTF8.GetBytes(TestGpu.Program(1, "ld.param.u64 %d1, [p0]; ld.global.u32 %r1, [%d1+16];"))).GetKernel("k");
        DeviceMemory memory = device.Allocate(64);
        memory.Dispose();
        using DeviceMemory other = device.Allocate(64);
        Assert.Throws<DeviceException>(() => device.CreateStream().Launch(kernel, 1, 1, 0, memory));
        Assert.Equal(FindingKind.UseAfterFree, Assert.Single(device.Findings).Kind);
    }

    [Fact]
    public void Without_checks_there_are_no_findings()
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1 });
        IKernel kernel = device.LoadModule(Encoding.UTF8.GetBytes(TestGpu.Program(0, "trap;"))).GetKernel("k");
        Assert.Throws<DeviceException>(() => device.CreateStream().Launch(kernel, 1, 1, 0));
        Assert.Empty(device.Findings);
    }

    [Theory]
    [InlineData("memory", VirtualGpuChecks.Memory)]
    [InlineData("race, Init", VirtualGpuChecks.Race | VirtualGpuChecks.Init)]
    [InlineData("all", VirtualGpuChecks.All)]
    [InlineData("none", VirtualGpuChecks.None)]
    public void Checks_have_names(string text, VirtualGpuChecks expected)
    {
        Assert.True(VirtualGpuCheckNames.TryParse(text, out VirtualGpuChecks checks, out _));
        Assert.Equal(expected, checks);
    }

    [Theory]
    [InlineData("memory,leaks", "leaks")]
    [InlineData("15", "15")]
    [InlineData("memory,,race", "")]
    [InlineData("", "")]
    public void Other_names_are_refused(string text, string expected)
    {
        Assert.False(VirtualGpuCheckNames.TryParse(text, out _, out string unknown));
        Assert.Equal(expected, unknown);
    }
}
