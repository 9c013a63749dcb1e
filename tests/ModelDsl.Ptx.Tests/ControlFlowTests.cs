namespace ModelDsl.Ptx.Tests;

public class ControlFlowTests
{
    [Fact]
    public void If_jumps_over_what_does_not_apply()
    {
        var lines = Emit.Lines(k =>
        {
            var (y, n) = (k.GlobalPtrParam<S32>("y"), k.S32Param("n"));
            k.If(n > 3, () => y[0] = 1, () => y[0] = 2);
        });
        Assert.Equal(
            [
                "setp.gt.s32 %p1, %r1, 3;", "@!%p1 bra L1_else;", "st.global.b32 [%rd2], 1;", "bra L1_end;", "L1_else:",
                "st.global.b32 [%rd2], 2;", "L1_end:", "ret;",
            ], lines);
    }

    [Fact]
    public void A_known_condition_leaves_one_side()
    {
        Assert.Equal("st.global.b32", Emit.Opcodes(k => k.If((S32)1 < 2, () => k.GlobalPtrParam<S32>("y").Store(1), k.Return)));
    }

    [Fact]
    public void A_loop_tests_before_it_enters_and_at_its_end()
    {
        var lines = Emit.Lines(k =>
        {
            var (y, n) = (k.GlobalPtrParam<S32>("y"), k.S32Param("n"));
            k.For(0, n, 4, i => y[i] = i, nounroll: true);
        });
        Assert.Equal(
            [
                "setp.ge.s32 %p1, 0, %r1;", "@%p1 bra L1_end;", "mov.b32 %r2, 0;", "L1_loop:", "mad.wide.s32 %rd3, %r2, 4, %rd2;",
                "st.global.b32 [%rd3], %r2;", "add.s32 %r2, %r2, 4;", "setp.lt.s32 %p2, %r2, %r1;", "@%p2 bra L1_loop;", "L1_end:", "ret;",
            ], lines);
        var text = Emit.Text(k => k.For(0, k.S32Param("n"), i => k.GlobalPtrParam<S32>("y").Store(i), nounroll: true));
        Assert.Contains(".pragma \"nounroll\";", text);
    }

    [Fact]
    public void A_loop_that_surely_runs_is_entered_without_a_test_and_one_that_does_not_is_left_out()
    {
        Assert.Equal(
            "mov.b32 L1_loop: st.global.b32 add.s32 setp.lt.s32 bra",
            Emit.Opcodes(k => { var y = k.GlobalPtrParam<S32>("y"); k.For(0, 8, i => y.Store(i)); }));
        Assert.Equal("", Emit.Opcodes(k => k.For(8, 8, i => k.GlobalPtrParam<S32>("y").Store(i))));
    }

    [Fact]
    public void Break_and_continue_jump_to_labels_that_exist()
    {
        var lines = Emit.Lines(k =>
        {
            var (y, n) = (k.GlobalPtrParam<S32>("y"), k.S32Param("n"));
            k.For(0, n, 1, (i, loop) =>
            {
                loop.ContinueIf(i == 3);
                loop.BreakIf(y[i] < 0);
                y[i] = 0;
            });
        });
        Assert.Contains("@%p2 bra L1_next;", lines);
        Assert.Contains("@%p3 bra L1_end;", lines);
        Assert.Contains("L1_next:", lines);
    }

    [Fact]
    public void Guarded_instructions_do_not_jump()
    {
        Assert.Contains("@!%p1 st.global.b32 [%rd2], 5;", Emit.Lines(k =>
        {
            var y = k.GlobalPtrParam<S32>("y");
            k.Guarded(!(k.ThreadIdX == 0), () => y[0] = 5);
        }));
        Assert.Throws<PtxException>(() => Emit.Text(k => k.Guarded(k.ThreadIdX == 0, () => k.If(k.LaneId == 1, k.Return))));
    }

    [Fact]
    public void What_a_branch_computed_is_computed_again_after_it()
    {
        Assert.Equal("setp.gt.s32 bra mul.lo.s32 st.global.b32 L1_end: mul.lo.s32 st.global.b32", Emit.Opcodes(k =>
        {
            var (y, n) = (k.GlobalPtrParam<S32>("y"), k.S32Param("n"));
            k.If(n > 3, () => y[0] = n * n);
            y[1] = n * n;
        }));
    }

    [Fact]
    public void A_value_from_another_builder_is_caught()
    {
        S32? stray = null;
        Emit.Text(k => stray = k.GlobalPtrParam<S32>("x").Load());
        var error = Assert.Throws<PtxException>(() => Emit.Text(k => k.GlobalPtrParam<S32>("y").Store(stray!)));
        Assert.StartsWith("kernel 'k': st.global.b32 reads a B32 register that nothing wrote", error.Message);
    }
}
