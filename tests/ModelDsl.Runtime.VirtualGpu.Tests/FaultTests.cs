using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>What a person is told when a kernel or its text is wrong.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly TestGpu _gpu = new(2);

    public void Dispose() => _gpu.Dispose();

    private string Fault(string body, Dim3 grid, Dim3 block, long bytes = 128)
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, body));
        using DeviceMemory memory = _gpu.Device.Allocate(bytes);
        string message = Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, grid, block, 0, memory)).Message;
        // The device still works.
        Assert.Equal([3u], _gpu.Map32([1], [2], null, "add.u32 %r4, %r1, %r2;"));
        return message;
    }

    [Theory]
    [InlineData("")]
    [InlineData("xor.b32 %r1, %r1, 1;")]
    [InlineData("setp.eq.u32 %p1, %r1, 63; @%p1 ret;")]
    public void ReportsWhereAnAccessWentWrong(string shuffle)
    {
        // 33 elements: thread 33 of block 2 is the first beyond them (32 where neighbours have changed places).
        string message = Fault($"""
            mov.u32 %r1, %tid.x;
            {shuffle}
            mov.u32 %r2, %ctaid.x; setp.ne.u32 %p2, %r2, 2; @%p2 ret;
            ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, 4; add.s64 %d1, %d1, %d2;
            ld.global.u32 %r3, [%d1+0];
            """, 4, 64, 33 * 4);
        Assert.Contains("kernel 'k', block (2, 0, 0), thread (" + (shuffle.StartsWith("xor") ? "32" : "33") + ", 0, 0): out of bounds: 4 bytes at 0x", message);
        Assert.Contains("0 bytes past the end of the allocation", message);
        Assert.Contains("of 132 bytes", message);
        Assert.Contains("ld.global.u32 %r3, [%d1+0];", message);
        Assert.Contains("ptx line 18", message);
    }

    [Fact]
    public void ReportsTheFirstBlockWhateverTheCores()
    {
        for (int i = 0; i < 20; i++)
        {
            string message = Fault("mov.u32 %r2, %ctaid.x; setp.lt.u32 %p2, %r2, 5; @%p2 ret; mov.u64 %d1, 64; st.global.u32 [%d1], %r2;", 64, 32);
            Assert.Contains("block (5, 0, 0), thread (0, 0, 0)", message);
        }
    }

    [Theory]
    [InlineData("ld.param.u64 %d1, [p0]; ld.global.u32 %r1, [%d1+2];", "misaligned access: 4 bytes")]
    [InlineData("ld.param.u64 %d1, [p0]; ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%d1+8];", "misaligned access: 16 bytes")]
    [InlineData("ld.param.u64 %d1, [p0]; ld.global.u64 %d2, [%d1+-8];", "8 bytes before the allocation")]
    [InlineData("ld.param.u64 %d1, [p0]; ld.global.u64 %d2, [%d1+124];", "misaligned")]
    [InlineData("ld.param.u64 %d1, [p0]; ld.global.v2.u32 {%r1, %r2}, [%d1+128];", "past the end")]
    [InlineData(".shared .align 16 .b8 s[64]; mov.u32 %r1, s; ld.shared.u32 %r2, [%r1+64];", "out of bounds: 4 bytes at shared offset 64, the block has 64 bytes")]
    [InlineData(".shared .align 16 .b8 s[64]; mov.u32 %r1, s; st.shared.u32 [%r1+-4], %r1;", "out of bounds: 4 bytes at shared offset 4294967292")]
    [InlineData(".shared .align 16 .b8 s[64]; mov.u32 %r1, s; ld.shared.u64 %d2, [%r1+4];", "misaligned access: 8 bytes at shared offset 4")]
    [InlineData(".local .align 16 .b8 s[64]; mov.u64 %d1, s; ld.local.u32 %r2, [%d1+64];", "local offset 64, the thread has 64 bytes")]
    [InlineData("mov.u64 %d1, 0; ld.u32 %r1, [%d1];", "out of bounds: 4 bytes at 0x0")]
    [InlineData("trap;", "stopped itself")]
    public void NamesTheFault(string body, string expected)
    {
        string message = Fault(body, 1, 32);
        Assert.Contains(expected, message);
        Assert.Contains("thread (0, 0, 0)", message);
    }

    [Fact]
    public void CatchesUseAfterFree()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, "ld.param.u64 %d1, [p0]; ld.global.u32 %r1, [%d1];"));
        DeviceMemory memory = _gpu.Device.Allocate(64);
        _gpu.Launch(kernel, 1, 32, 0, memory);
        memory.Dispose();
        Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 32, 0, memory));
        using DeviceMemory other = _gpu.Device.Allocate(64);
        Assert.NotEqual(memory.Address, other.Address);
    }

    [Fact]
    public void ReportsBarriersNobodyOpens()
    {
        // Warp 1 waits at a barrier for two warps of which the other has left.
        string message = Fault("mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 32; @%p1 ret; bar.sync 3, 64;", 1, 64);
        Assert.Contains("deadlock", message);
        Assert.Contains("barrier 3", message);
        Assert.Contains("thread (32, 0, 0)", message);
        Assert.Contains("bar.sync 3, 64;", message);
    }

    [Fact]
    public void ReportsLanesThatNeverCome()
    {
        string message = Fault("mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 3; @!%p1 bra W; shfl.sync.idx.b32 %r2, %r1, 0, 31, -1; W: bar.sync 0;", 1, 32);
        Assert.Contains("deadlock", message);
        Assert.Contains("shfl.sync", message);
    }

    [Fact]
    public void StopsEndlessLoops()
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1, BranchBudget = 10_000 });
        IKernel kernel = device.LoadModule(System.Text.Encoding.UTF8.GetBytes(TestGpu.Program(0, "L: bra L;"))).GetKernel("k");
        Assert.Contains("loop forever", Assert.Throws<DeviceException>(() => device.CreateStream().Launch(kernel, 1, 32, 0)).Message);
    }

    [Theory]
    [InlineData("frobnicate.u32 %r1, %r2;", "instruction 'frobnicate.u32' is not supported", 14)]
    [InlineData("add.u32 %r1, %r2;", "'add.u32' takes 3 operands, not 2", 14)]
    [InlineData("add.u32 %r1, %r2, %nope;", "'%nope' is neither a declared register nor a special register", 14)]
    [InlineData("add.u32 %r1, %r2, %d1;", "wants a register of 32 bits here, this one is .b64", 14)]
    [InlineData("\nmov.u32 %r1, somewhere;", "'somewhere'", 15)]
    [InlineData("bra NOWHERE;", "'NOWHERE'", 14)]
    [InlineData("@%r1 mov.u32 %r1, 1;", "not a declared predicate", 14)]
    [InlineData("mov.u32 %r1 1;", "expected ',' or ';'", 14)]
    [InlineData("ld.shared.u32 %r1, [p0];", "'p0' is in .param", 14)]
    [InlineData("ld.global.u32 %r1, [%d1-8];", "an offset is added: write '+-8'", 14)]
    [InlineData(".reg .b32 %big<999999999>;", "registers can be declared at once", 14)]
    [InlineData(".shared .align 4 .b8 big[99999999999];", "'big' is too large", 14)]
    [InlineData(".shared .align 4 .b8 big[9999999];", "'big' does not fit in .shared", 14)]
    [InlineData(".local .align 3 .b8 odd[8];", "an alignment of 3 is no power of two", 14)]
    [InlineData(".reg .q32 %x;", "unknown register type", 14)]
    [InlineData("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};", "has 4 registers, not 2", 14)]
    public void PointsAtBadText(string line, string expected, int lineNumber)
    {
        string message = Assert.Throws<DeviceException>(() => _gpu.Load(TestGpu.Program(1, line))).Message;
        Assert.Contains(expected, message);
        Assert.StartsWith($"ptx({lineNumber},", message);
        Assert.Contains(line.Trim().Split(' ')[0], message);
    }

    [Fact]
    public void RefusesBadLaunches()
    {
        IKernel kernel = _gpu.Load(TestGpu.Program(1, ""));
        string Refusal(Dim3 grid, Dim3 block, int shared, params KernelArgument[] arguments) =>
            Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, grid, block, shared, arguments)).Message;
        Assert.Contains("takes 1 arguments, not 0", Refusal(1, 32, 0));
        Assert.Contains("has 4 bytes, but parameter 'p0' has 8", Refusal(1, 32, 0, 1));
        Assert.Contains("at most 1024", Refusal(1, 1025, 0, 0ul));
        Assert.Contains("shared memory", Refusal(1, 32, 300_000, 0ul));
        Assert.Contains("cannot be launched", Refusal(0, 32, 0, 0ul));
        Assert.Contains("it has 'k'", Assert.Throws<DeviceException>(() => _gpu.Load(TestGpu.Program(1, ""), "other")).Message);
    }

    [Fact]
    public void RefusesNewerTargetsAndDisposedModules()
    {
        string text = TestGpu.Program(0, "");
        Assert.Contains("is for sm_100a", Assert.Throws<DeviceException>(() => _gpu.Load(text.Replace("sm_90a", "sm_100a"))).Message);
        IModule module = _gpu.Device.LoadModule(System.Text.Encoding.UTF8.GetBytes(text));
        IKernel kernel = module.GetKernel("k");
        module.Dispose();
        Assert.Contains("its module has been disposed", Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 32, 0)).Message);
    }

    [Fact]
    public void LoadsModulesOnSeveralThreads()
    {
        string text = TestGpu.Program(1, "ld.param.u64 %d1, [p0]; ld.global.u32 %r1, [counter]; st.global.u32 [%d1], %r1;", ".global .align 4 .u32 counter = 41;");
        IKernel[] kernels = new IKernel[16];
        Parallel.For(0, kernels.Length, i => kernels[i] = _gpu.Load(text));
        using DeviceMemory result = _gpu.Device.Allocate(4);
        foreach (IKernel kernel in kernels)
        {
            _gpu.Stream.Fill(result.Address, 0, 4);
            _gpu.Launch(kernel, 1, 1, 0, result);
            Assert.Equal([41u], _gpu.Download<uint>(result));
        }
    }
}
