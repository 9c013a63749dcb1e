using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Functions called from kernels, as nvcc writes them.</summary>
public sealed class CallTests : IDisposable
{
    private const string Header = ".version 8.4\n.target sm_80\n.address_size 64\n";
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void CallsFunctionsWithParametersInMemory()
    {
        IKernel kernel = _gpu.Load(Header + """
            .visible .func (.param .b32 func_retval0) _Z5clampif(.param .b32 _Z5clampif_param_0, .param .b32 _Z5clampif_param_1);

            .func  (.param .b32 func_retval0) twice(
                .param .b32 twice_param_0
            )
            {
                .reg .b32 %r<4>;
                ld.param.u32 %r1, [twice_param_0];
                add.s32 %r2, %r1, %r1;
                st.param.b32 [func_retval0+0], %r2;
                ret;
            }
            .visible .func  (.param .b32 func_retval0) _Z5clampif(
                .param .b32 _Z5clampif_param_0,
                .param .b32 _Z5clampif_param_1
            )
            {
                .reg .pred %p<2>;
                .reg .b32 %r<8>;
                ld.param.u32 %r1, [_Z5clampif_param_0];
                ld.param.u32 %r2, [_Z5clampif_param_1];
                setp.lt.s32 %p1, %r1, %r2;
                @%p1 bra $L__BB0_2;
                st.param.b32 [func_retval0+0], %r2;
                ret;
            $L__BB0_2:
                { // callseq 0, 0
                .reg .b32 temp_param_reg;
                .param .b32 param0;
                st.param.b32 [param0+0], %r1;
                .param .b32 retval0;
                call.uni (retval0),
                twice,
                (
                param0
                );
                ld.param.b32 %r4, [retval0+0];
                } // callseq 0
                st.param.b32 [func_retval0+0], %r4;
                ret;
            }
            .visible .entry k(.param .u64 k_param_0)
            {
                .reg .pred %p<2>; .reg .b32 %r<10>; .reg .b64 %rd<5>;
                ld.param.u64 %rd1, [k_param_0]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd2, %r1, 4; add.s64 %rd3, %rd1, %rd2;
                { .param .b32 param0; st.param.b32 [param0+0], %r1; .param .b32 param1; st.param.b32 [param1+0], 10; .param .b32 retval0;
                  call.uni (retval0), _Z5clampif, (param0, param1); ld.param.b32 %r2, [retval0+0]; }
                { .param .b32 param0; st.param.b32 [param0+0], %r2; .param .b32 param1; st.param.b32 [param1+0], 17; .param .b32 retval0;
                  setp.ne.u32 %p1, %r1, 3; @%p1 call (retval0), _Z5clampif, (param0, param1); @%p1 ld.param.b32 %r2, [retval0+0]; }
                st.global.u32 [%rd3], %r2; ret;
            }
            """);
        using DeviceMemory result = _gpu.Device.Allocate(128);
        _gpu.Launch(kernel, 1, 32, 0, result);
        static int Clamp(int x, int limit) => x < limit ? 2 * x : limit;
        Assert.Equal(Enumerable.Range(0, 32).Select(t => t == 3 ? Clamp(t, 10) : Clamp(Clamp(t, 10), 17)), _gpu.Download<int>(result));
    }

    [Fact]
    public void CallsFunctionsWithParametersInRegisters()
    {
        IKernel kernel = _gpu.Load(Header + """
            .func (.reg .u32 r) square(.reg .u32 x) { .reg .u32 t; mul.lo.u32 t, x, x; mov.u32 r, t; ret; }
            .visible .entry k(.param .u64 out)
            { .reg .u32 %r<5>; .reg .u64 %d<4>; ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; call (%r2), square, (%r1); call (%r3), square, (%r2); mul.wide.u32 %d2, %r1, 4; add.u64 %d3, %d1, %d2; st.global.u32 [%d3], %r3; ret; }
            """);
        using DeviceMemory result = _gpu.Device.Allocate(128);
        _gpu.Launch(kernel, 1, 32, 0, result);
        Assert.Equal(Enumerable.Range(0, 32).Select(t => t * t * t * t), _gpu.Download<int>(result));
    }

    [Fact]
    public void CallsFunctionsThatCallThemselves()
    {
        // fib(n) with the two halves' sums kept in registers across the calls; lanes of a warp go to different depths.
        IKernel kernel = _gpu.Load(Header + """
            .func (.param .b32 result) fib(.param .b32 n)
            {
                .reg .pred %p; .reg .b32 %r<6>;
                ld.param.u32 %r1, [n]; mov.u32 %r5, %r1; setp.lt.u32 %p, %r1, 2; @%p bra DONE;
                { .param .b32 p; .param .b32 q; sub.u32 %r2, %r1, 1; st.param.b32 [p], %r2; call.uni (q), fib, (p); ld.param.b32 %r3, [q]; }
                { .param .b32 p; .param .b32 q; sub.u32 %r2, %r1, 2; st.param.b32 [p], %r2; call.uni (q), fib, (p); ld.param.b32 %r4, [q]; }
                add.u32 %r5, %r3, %r4;
            DONE:
                st.param.b32 [result], %r5;
                ret;
            }
            .visible .entry k(.param .u64 out)
            { .reg .u32 %r<5>; .reg .u64 %d<4>; ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; and.b32 %r2, %r1, 15;
              { .param .b32 p; .param .b32 q; st.param.b32 [p], %r2; call.uni (q), fib, (p); ld.param.b32 %r3, [q]; }
              mul.wide.u32 %d2, %r1, 4; add.u64 %d3, %d1, %d2; st.global.u32 [%d3], %r3; ret; }
            """);
        using DeviceMemory result = _gpu.Device.Allocate(256);
        _gpu.Launch(kernel, 1, 64, 0, result);
        static int Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2);
        Assert.Equal(Enumerable.Range(0, 64).Select(t => Fib(t % 16)), _gpu.Download<int>(result));
    }

    [Fact]
    public void CallsFunctionsThroughPointersAndJumpsThroughTables()
    {
        IKernel kernel = _gpu.Load(Header + """
            .func (.param .b32 r) inc(.param .b32 x) { .reg .b32 %r; ld.param.u32 %r, [x]; add.u32 %r, %r, 1; st.param.b32 [r], %r; ret; }
            .func (.param .b32 r) sqr(.param .b32 x) { .reg .b32 %r; ld.param.u32 %r, [x]; mul.lo.u32 %r, %r, %r; st.param.b32 [r], %r; ret; }
            .global .align 8 .u64 table[2] = {inc, sqr};
            .visible .entry k(.param .u64 out)
            { .reg .u32 %r<9>; .reg .u64 %d<9>; ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; and.b32 %r2, %r1, 1;
              mul.wide.u32 %d2, %r2, 8; mov.u64 %d3, table; add.u64 %d3, %d3, %d2; ld.global.u64 %d4, [%d3];
              { .param .b32 p; .param .b32 q; st.param.b32 [p], %r1; proto : .callprototype (.param .b32 _) _ (.param .b32 _);
                call (q), %d4, (p), proto; ld.param.b32 %r3, [q]; }
              and.b32 %r4, %r1, 3;
              ts: .branchtargets A, B, A, C;
              brx.idx %r4, ts;
            A: add.u32 %r3, %r3, 1000; bra.uni END;
            B: add.u32 %r3, %r3, 2000; bra.uni END;
            C: add.u32 %r3, %r3, 3000;
            END: mul.wide.u32 %d2, %r1, 4; add.u64 %d3, %d1, %d2; st.global.u32 [%d3], %r3; ret; }
            """);
        using DeviceMemory result = _gpu.Device.Allocate(128);
        _gpu.Launch(kernel, 1, 32, 0, result);
        Assert.Equal(Enumerable.Range(0, 32).Select(t => (t % 2 == 0 ? t + 1 : t * t) + (t % 4 == 1 ? 2000 : t % 4 == 3 ? 3000 : 1000)), _gpu.Download<int>(result));
    }

    [Fact]
    public void FaultsWhereACallCannotGoOn()
    {
        string Message(string text)
        {
            IKernel kernel = _gpu.Load(Header + text);
            return Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 32, 0)).Message;
        }
        Assert.Contains("stack overflow", Message(".func f() { call f; ret; }\n.entry k() { call f; ret; }"));
        const string Prototype = "proto : .callprototype _ (.param .b32 _);";
        Assert.Contains("no function is at 0x40", Message($".entry k() {{ .reg .u64 %d; .param .b32 p; {Prototype} mov.u64 %d, 64; call %d, (p), proto; ret; }}"));
        Assert.Contains("other parameters", Message($".func f(.param .b64 x) {{ ret; }}\n.entry k() {{ .reg .u64 %d; .param .b32 p; {Prototype} mov.u64 %d, f; call %d, (p), proto; ret; }}"));
        Assert.Contains("not there in the virtual GPU", Message(".extern .func vprintf;\n.entry k() { call vprintf; ret; }"));
    }

    [Fact]
    public void RefusesCallsOfUnknownFunctions()
    {
        string Message(string text) => Assert.Throws<DeviceException>(() => _gpu.Load(Header + text)).Message;
        Assert.Contains("function 'vprintf' is not defined", Message(".entry k() { call vprintf; ret; }"));
        Assert.Contains("takes 1 arguments", Message(".func f(.reg .u32 x) { ret; }\n.entry k() { call f; ret; }"));
        Assert.Contains("must be in .param", Message(".func f(.reg .u32 x) { call f, (x); ret; }\n.entry k() { .reg .u32 x; call f, (x); ret; }"));
    }
}
