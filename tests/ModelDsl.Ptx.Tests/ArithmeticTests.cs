namespace ModelDsl.Ptx.Tests;

public class ArithmeticTests
{
    private static string Floats(Func<KernelBuilder, F32, F32, F32, F32> formula) => Emit.Opcodes(k =>
    {
        var (y, a, b, c) = (k.GlobalPtrParam<F32>("y"), k.F32Param("a"), k.F32Param("b"), k.F32Param("c"));
        y.Store(formula(k, a, b, c));
    });

    private static string Integers(Func<KernelBuilder, S32, S32, S32, S32> formula) => Emit.Opcodes(k =>
    {
        var (y, a, b, c) = (k.GlobalPtrParam<S32>("y"), k.S32Param("a"), k.S32Param("b"), k.S32Param("c"));
        y.Store(formula(k, a, b, c));
    });

    [Fact]
    public void A_product_and_a_sum_are_one_fma()
    {
        Assert.Equal("fma.rn.f32 st.global.f32", Floats((_, a, b, c) => a * b + c));
        Assert.Equal("fma.rn.f32 st.global.f32", Floats((_, a, b, c) => c + a * b));
        Assert.Equal("mul.rn.f32 fma.rn.f32 st.global.f32", Floats((_, a, b, c) => a * b + b * c));
        Assert.Equal("neg.f32 fma.rn.f32 st.global.f32", Floats((_, a, b, c) => a * b - c));
        Assert.Equal("neg.f32 fma.rn.f32 st.global.f32", Floats((_, a, b, c) => c - a * b));
    }

    [Fact]
    public void A_product_that_is_also_read_alone_stays()
    {
        Assert.Equal("mul.rn.f32 fma.rn.f32 max.f32 st.global.f32", Floats((k, a, b, c) =>
        {
            var product = a * b;
            return k.Max(product + c, product);
        }));
    }

    [Fact]
    public void A_rounded_product_is_not_fused() =>
        Assert.Equal("mul.rn.f32 add.rn.f32 st.global.f32", Floats((k, a, b, c) => k.Rounded(a * b) + c));

    [Fact]
    public void An_integer_product_and_a_sum_are_one_mad()
    {
        Assert.Equal("mad.lo.s32 st.global.b32", Integers((_, a, b, c) => a * b + c));
        Assert.Equal("mad.lo.s32 st.global.b32", Integers((_, a, b, c) => c + a * 8));
    }

    [Fact]
    public void Powers_of_two_become_shifts_and_masks()
    {
        Assert.Equal("shl.b32 st.global.b32", Integers((_, a, _, _) => a * 16));
        Assert.Equal("shr.s32 st.global.b32", Integers((_, a, _, _) => a / 16));
        Assert.Equal("and.b32 st.global.b32", Integers((_, a, _, _) => a % 16));
        Assert.Equal("div.s32 rem.s32 add.s32 st.global.b32", Integers((_, a, _, _) => a / 12 + a % 12));
    }

    [Fact]
    public void Constants_fold_and_neutral_elements_vanish()
    {
        Assert.Equal("st.global.b32", Integers((k, a, _, _) => k.Min((S32)7 * 3 + 1, 100) - 22 + a * 1 + 0));
        Assert.Equal("st.global.f32", Floats((_, a, _, _) => a * 1f + 0f));
        Assert.Equal("add.s32 st.global.b32", Integers((_, a, _, _) => (a + 3) + 4 - 1));
    }

    [Fact]
    public void Constants_inside_a_sum_or_a_product_end_in_the_address()
    {
        var lines = Emit.Lines(k =>
        {
            var (y, a, b) = (k.GlobalPtrParam<S32>("y"), k.S32Param("a"), k.S32Param("b"));
            for (var i = 0; i < 2; i++)
            for (var j = 0; j < 2; j++)
                y[(a + i) * 10 + (b + j)] = 0;
        });
        Assert.Single(lines, l => l.StartsWith("mad.wide"));
        Assert.Single(lines, l => l.StartsWith("mad.lo"));
        Assert.Equal(["[%rd3],", "[%rd3+4],", "[%rd3+40],", "[%rd3+44],"], lines.Where(l => l.StartsWith("st.")).Select(l => l.Split(' ')[1]));
    }

    [Fact]
    public void Equal_computations_are_made_once_in_a_scope() =>
        Assert.Equal("mul.lo.s32 xor.b32 st.global.b32", Integers((_, a, b, _) => (a * b) ^ (a * b)));

    [Fact]
    public void Negation_of_a_condition_is_free_where_it_chooses()
    {
        var opcodes = Integers((k, a, b, c) => k.Select(!(a < b), b, c));
        Assert.Equal("setp.lt.s32 selp.b32 st.global.b32", opcodes);
    }

    [Fact]
    public void Float_literals_are_hex_bits()
    {
        var text = Emit.Text(k => k.GlobalPtrParam<F32>("y").Store(k.F32Param("a") * 1.5f));
        Assert.Contains(", 0f3FC00000;", text);
        Assert.Contains("0d4008000000000000", Emit.Text(k => k.GlobalPtrParam<F64>("y").Store(k.ToF64(k.F32Param("a")) * 3.0)));
    }

    [Fact]
    public void Seen_as_integers_floats_are_moved_and_seen_as_bits_they_are_not()
    {
        Assert.Equal("mov.b32 add.s32 st.global.b32", Emit.Opcodes(k => k.GlobalPtrParam<S32>("y").Store(k.F32Param("a").As<S32>() + 1)));
        Assert.Equal("and.b32 st.global.f32",
            Emit.Opcodes(k => k.GlobalPtrParam<F32>("y").Store((k.F32Param("a").As<B32>() & 0xFFFF0000u).As<F32>())));
    }

    [Fact]
    public void Sizes_must_agree_when_seen_as_another_type()
    {
        var error = Assert.Throws<PtxException>(() => Emit.Text(k => k.F32Param("a").As<U64>()));
        Assert.Equal("a f32 value cannot be seen as u64: sizes differ", error.Message);
    }
}
