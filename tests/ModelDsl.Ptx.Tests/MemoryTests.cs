namespace ModelDsl.Ptx.Tests;

public class MemoryTests
{
    [Fact]
    public void Constant_parts_of_an_index_go_into_the_address()
    {
        var lines = Emit.Lines(k =>
        {
            var (x, i) = (k.GlobalPtrParam<F32>("x"), k.S32Param("i"));
            x[i + 3] = x[i];
            x[i - 1] = x[(i + 4) * 8 + 5];
        });
        Assert.Contains(lines, l => l.StartsWith("st.global.f32 [%rd3+12]"));
        Assert.Contains(lines, l => l.StartsWith("st.global.f32 [%rd3+-4]"));
        Assert.Equal(2, lines.Count(l => l.StartsWith("mad.wide.s32")));
    }

    [Fact]
    public void A_row_is_found_with_a_64_bit_product()
    {
        Assert.Contains("mad.wide.s32 %rd3, %r1, 1058996224, %rd2;", Emit.Lines(k =>
        {
            var x = k.GlobalPtrParam<BF16>("x");
            x.Row(k.BlockIdX, 529498112)[1] = k.ToBF16(k.F32Param("v"));
        }));
        Assert.Equal("mov.u32 mul.wide.s32 mad.lo.s64 st.global.f32", Emit.Opcodes(k =>
            k.GlobalPtrParam<F32>("x").Row(k.BlockIdX, k.S32Param("stride")).Store(1f)));
    }

    [Fact]
    public void Vectors_load_and_store_at_once()
    {
        var text = Emit.Text(k =>
        {
            var x = k.GlobalPtrParam<F32>("x");
            x.StoreVector(x.LoadVector(4, k.ThreadIdX * 4, LoadHint.ReadOnly), k.ThreadIdX * 4);
            x.StoreVector(x.LoadVectorOr(k.ThreadIdX < 7, 0f, 2, k.ThreadIdX * 2), k.ThreadIdX * 2);
        });
        Assert.Contains("ld.global.nc.v4.f32", text);
        Assert.Contains("@%p1 ld.global.v2.f32", text);
        Assert.Throws<PtxException>(() => Emit.Text(k => k.GlobalPtrParam<F64>("x").LoadVector(4)));
        Assert.Throws<PtxException>(() => Emit.Text(k => k.GlobalPtrParam<F32>("x").LoadVector(3)));
    }

    [Fact]
    public void Shared_arrays_are_addressed_by_name_or_register()
    {
        var lines = Emit.Lines(k =>
        {
            var tile = k.Shared<F32>("tile", 64);
            tile[3] = k.F32Param("a");
            tile[k.ThreadIdX + 1] = 1f;
        });
        Assert.Contains("st.shared.f32 [tile+12], %f1;", lines);
        Assert.Contains(lines, l => l.StartsWith("st.shared.f32 [%r") && l.Contains("+4]"));
    }

    [Fact]
    public void Dynamic_shared_memory_is_counted()
    {
        var kernel = PtxKernel.Write(PtxTarget.Sm80, "k", k =>
        {
            k.DynamicShared<BF16>(3).Store(k.ToBF16(k.F32Param("a")));
            k.DynamicShared<F32>(5, align: 128).Store(1f);
        });
        Assert.Equal(128 + 20, kernel.DynamicSharedBytes);
        Assert.Contains("[dynamic_shared+128]", kernel.ToText());
        Assert.Contains(".extern .shared .align 128 .b8 dynamic_shared[];", kernel.ToText());
    }

    /// <summary>
    /// Eight rows of one column of chunks must lie in eight different 16-byte bank groups, and no two chunks may share a place.
    /// </summary>
    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    public void The_swizzle_has_no_bank_conflicts(int rowBytes)
    {
        var places = new HashSet<long>();
        PtxKernel.Write(PtxTarget.Sm80, "k", k =>
        {
            var tile = new SwizzledTile<BF16>(k.DynamicShared<BF16>(4096), rowBytes);
            for (var chunk = 0; chunk < rowBytes / 16; chunk++)
            for (var start = 0; start < 16; start += 8)
            {
                var offsets = Enumerable.Range(start, 8).Select(row => tile.Chunk(row, chunk).ByteOffset).ToList();
                Assert.Equal(8, offsets.Select(o => o % 128 / 16).Distinct().Count());
                Assert.All(offsets, o => Assert.True(places.Add(o)));
            }
        });
    }

    [Fact]
    public void Atomics_name_the_type_they_work_on()
    {
        var text = Emit.Text(k =>
        {
            var y = k.GlobalPtrParam<F32>("y");
            y[0] = y.AtomicAdd(1f, 4);
            y.ReduceAdd(2f);
            y[1] = k.ToF32(y.As<U32>().AtomicMax(3u, 5));
            y[2] = k.ToF32(y.As<S32>().AtomicCompareSwap(3, 4));
        });
        Assert.Contains("atom.global.add.f32", text);
        Assert.Contains("red.global.add.f32", text);
        Assert.Contains("atom.global.max.u32", text);
        Assert.Contains("atom.global.cas.b32", text);
    }
}
