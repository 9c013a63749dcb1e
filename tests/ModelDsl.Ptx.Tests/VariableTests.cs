namespace ModelDsl.Ptx.Tests;

public class VariableTests
{
    [Fact]
    public void An_accumulator_is_updated_in_place()
    {
        var lines = Emit.Lines(k =>
        {
            var (y, a) = (k.GlobalPtrParam<F32>("y"), k.F32Param("a"));
            var sum = k.Var<F32>(0f);
            k.For(0, 8, _ => sum.Value = a * a + sum.Value);
            y.Store(sum.Value);
        });
        Assert.Equal(["mov.f32 %f1, 0f00000000;", "mov.b32 %r1, 0;", "L1_loop:", "fma.rn.f32 %f1, %f2, %f2, %f1;"],
            lines.Take(4).Select(Swap));

        // The parameter is read first, so it is %f1 and the sum %f2.
        static string Swap(string line) => line.Replace("%f1", "%f#").Replace("%f2", "%f1").Replace("%f#", "%f2");
    }

    [Fact]
    public void Several_updates_in_a_row_need_no_copies() =>
        Assert.Equal("fma.rn.f32 fma.rn.f32 st.global.f32", Emit.Opcodes(k =>
        {
            var (y, a) = (k.GlobalPtrParam<F32>("y"), k.F32Param("a"));
            var sum = k.Var(k.F32Param("b"));
            sum.Value = k.Fma(a, a, sum.Value);
            sum.Value = k.Fma(a, a, sum.Value);
            y.Store(sum.Value);
        }));

    [Fact]
    public void A_snapshot_survives_the_next_write()
    {
        var lines = Emit.Lines(k =>
        {
            var (y, a) = (k.GlobalPtrParam<F32>("y"), k.F32Param("a"));
            var max = k.Var(a);
            k.If(k.ThreadIdX == 0, () =>
            {
                var old = max.Value;
                max.Value = k.Max(old, 1f);
                y[0] = old - max.Value;
            });
            y[1] = max.Value;
        });
        Assert.Equal(["mov.f32", "max.f32"], lines.Select(l => l.Split(' ')[0]).Where(o => o is "mov.f32" or "max.f32"));
        Assert.Contains("sub.rn.f32 %f3, %f2, %f1;", lines);
    }

    [Fact]
    public void Two_variables_can_be_exchanged()
    {
        var lines = Emit.Lines(k =>
        {
            var y = k.GlobalPtrParam<F32>("y");
            var (a, b) = (k.Var(k.F32Param("a")), k.Var(k.F32Param("b")));
            k.For(0, k.S32Param("n"), _ =>
            {
                var (x, z) = (a.Value, b.Value);
                a.Value = z;
                b.Value = x;
            });
            y[0] = a.Value;
            y[1] = b.Value;
        });
        // a's old value is saved before a is overwritten, and b gets the saved one.
        var body = lines.SkipWhile(l => l != "L1_loop:").Skip(1).TakeWhile(l => l.StartsWith("mov")).ToList();
        Assert.Equal(3, body.Count);
        var saved = body[0].Split(' ')[1].TrimEnd(',');
        Assert.EndsWith($" {saved};", body[2]);
    }

    [Fact]
    public void An_accumulator_nobody_reads_is_dropped() =>
        Assert.Equal("", Emit.Opcodes(k =>
        {
            var sum = k.Var<F32>(0f);
            sum.Value = sum.Value + k.F32Param("a");
        }));

    [Fact]
    public void A_guarded_write_keeps_the_old_value_elsewhere() =>
        Assert.Contains("@%p1 mov.f32 %f1, 0f40000000;", Emit.Lines(k =>
        {
            var y = k.GlobalPtrParam<F32>("y");
            var v = k.Var(k.F32Param("a"));
            v.SetIf(k.ThreadIdX < 3, 2f);
            y.Store(v.Value);
        }));
}
