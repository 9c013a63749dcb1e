using System.Runtime.InteropServices;
using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Tests.Cuda;

/// <summary>What a GPU must do, whatever binding of the driver is in between.</summary>
internal static class GpuChecks
{
    // y[i] = a * x[i] + y[i], through dynamic shared memory so that more than 48 KiB of it can be asked for.
    private const string Axpy = """
        .version 7.0
        .target sm_80
        .address_size 64
        .extern .shared .align 16 .b8 tile[];
        .visible .entry axpy(.param .u64 x, .param .u64 y, .param .f32 a, .param .s32 n)
        {
            .reg .pred %p;
            .reg .b32 %r<8>;
            .reg .b64 %d<8>;
            .reg .f32 %f<5>;
            mov.u32 %r0, %ctaid.x;
            mov.u32 %r1, %ntid.x;
            mov.u32 %r2, %tid.x;
            mad.lo.s32 %r3, %r0, %r1, %r2;
            ld.param.s32 %r4, [n];
            setp.ge.s32 %p, %r3, %r4;
            @%p bra DONE;
            ld.param.u64 %d0, [x];
            ld.param.u64 %d1, [y];
            ld.param.f32 %f0, [a];
            mul.wide.s32 %d2, %r3, 4;
            add.s64 %d3, %d0, %d2;
            add.s64 %d4, %d1, %d2;
            ld.global.f32 %f1, [%d3];
            mov.u32 %r5, tile;
            mad.lo.s32 %r6, %r2, 4, %r5;
            st.shared.f32 [%r6], %f1;
            ld.shared.f32 %f2, [%r6];
            ld.global.f32 %f3, [%d4];
            fma.rn.f32 %f4, %f0, %f2, %f3;
            st.global.f32 [%d4], %f4;
        DONE:
            ret;
        }
        """;

    public static void RunAKernel(IDevice device)
    {
        using var stream = device.CreateStream();
        using var module = device.LoadModule(Encoding.UTF8.GetBytes(Axpy));
        var kernel = module.GetKernel("axpy");
        const int n = 1000;
        using var x = device.Allocate(n * 4);
        using var y = device.Allocate(n * 4);
        using var start = device.CreateEvent();
        using var end = device.CreateEvent();
        stream.Upload(MemoryMarshal.AsBytes(Enumerable.Range(0, n).Select(i => (float)i).ToArray().AsSpan()), x.Address);
        stream.Fill(y.Address, 0, y.Bytes);
        stream.Record(start);
        stream.Launch(kernel, (n + 127) / 128, 128, 512, x, y, 2f, n);
        stream.Launch(kernel, (n + 127) / 128, 128, 96 << 10, x, y, 3f, n);
        stream.Record(end);
        var result = new float[n];
        stream.Download(y.Address, MemoryMarshal.AsBytes(result.AsSpan()));
        Assert.Equal(Enumerable.Range(0, n).Select(i => 5f * i), result);
        Assert.InRange(end.Since(start), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.StartsWith("sm_", device.Target);
        Assert.True(device.MultiprocessorCount > 0);
    }

    public static void DoWhatGoesWrong(IDevice device)
    {
        var refused =
            Assert.Throws<DeviceException>(() => device.LoadModule(Encoding.UTF8.GetBytes(Axpy.Replace("fma.rn.f32", "fma.xx.f32"))));
        Assert.Contains("refuses the PTX", refused.Message);
        Assert.Contains("line", refused.Message);
        using var module = device.LoadModule(Encoding.UTF8.GetBytes(Axpy));
        Assert.Contains("no kernel 'axpby'; it has axpy", Assert.Throws<DeviceException>(() => module.GetKernel("axpby")).Message);
        Assert.Contains("bytes were asked for", Assert.Throws<DeviceException>(() => device.Allocate(1L << 50)).Message);
    }
}
