using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Whatever text comes in, what comes out is a module or an error for people.</summary>
public sealed class DamagedTextTests
{
    private const string Text = """
        .version 8.4
        .target sm_90a
        .address_size 64
        .const .align 4 .f32 table[4] = {0f3F800000, 2.5, 3.0, -1.0};
        .global .align 8 .u64 pointer = table;
        .extern .shared .align 16 .b8 dynamic[];
        .func (.reg .u32 r) square(.reg .u32 x) { mul.lo.u32 r, x, x; ret; }
        .visible .entry k(.param .u64 .ptr .global .align 16 out, .param .u32 n)
        .maxntid 128, 1, 1
        {
            .reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<20>; .reg .b64 %d<8>; .reg .f32 %f<12>;
            .shared .align 16 .b8 tile[1024]; // a comment
            ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; /* another */
            mul.wide.u32 %d2, %r1, 4; add.s64 %d3, %d1, %d2;
            @!%p1 bra $L__BB0_2;
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r7, %r8, %r9, %r10}, [%r11+16];
            shfl.sync.bfly.b32 %r12|%p2, %r1, 1, 31, 0xffffffff;
            cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2; setp.lt.and.u32 %p1|%p3, %r1, 7, !%p2;
            cp.async.cg.shared.global [%r3], [%d3], 16, %r4; atom.global.add.u32 %r5, [%d3], 1;
            call (%r13), square, (%r1); bar.sync 0; ld.const.f32 %f5, [table+4]; lop3.b32 %r1, %r2, %r3, %r4, 0x96;
        $L__BB0_2:
            st.global.v2.u32 [%d3], {%r12, %r13};
            ret;
        }
        """;

    [Fact]
    public void NeverFailsOtherwiseThanForPeople()
    {
        using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 1 });
        device.LoadModule(Encoding.UTF8.GetBytes(Text)).Dispose();
        var random = new Random(17);
        string[] pieces = ["{", "}", "[", "]", "(", ")", ",", ";", ":", "::", "|", "@", "!", "-", "+", "0x", "1e999", "99999999999999999999", "77777777", "-1", "0", "%r", "%tid", "_", ".", ".reg", "\"", "/*", "<", ">", "\0", "é", ".v4", "ret", "bra", " "];
        for (int round = 0; round < 3000; round++)
        {
            var text = new StringBuilder(Text);
            for (int damage = random.Next(1, 4); damage > 0; damage--)
            {
                int at = random.Next(text.Length), length = Math.Min(random.Next(0, 12), text.Length - at);
                switch (random.Next(4))
                {
                    case 0: text.Remove(at, length); break;
                    case 1: text.Insert(at, pieces[random.Next(pieces.Length)]); break;
                    case 2: text.Remove(at, length).Insert(at, pieces[random.Next(pieces.Length)]); break;
                    default: text.Insert(at, text.ToString(random.Next(text.Length - 20), 20)); break;
                }
            }
            if (random.Next(50) == 0) text.Length = random.Next(text.Length);
            string damaged = text.ToString();
            try
            {
                device.LoadModule(Encoding.UTF8.GetBytes(damaged)).Dispose();
            }
            catch (DeviceException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"round {round}: {e}\n{damaged}");
            }
        }
    }
}
