using ModelDsl.Testing;
using static ModelDsl.Testing.Verifier;

namespace ModelDsl.Ptx.Tests;

public class AssemblyTests
{
    /// <summary>The kernel of the README.</summary>
    private static readonly Action<KernelBuilder> SumSquares = k =>
    {
        k.RequireThreads(32);
        var x = k.GlobalPtrParam<BF16>("x");
        var y = k.GlobalPtrParam<F32>("y");
        var n = k.S32Param("n");
        var row = x.Row(k.BlockIdX, n);

        var sum = k.Var<F32>(0f);
        k.Comment("One element per lane and round.");
        k.For(k.LaneId, n, 32, i =>
        {
            var v = k.ToF32(row[i]);
            sum.Value = v * v + sum.Value;
        });
        var total = k.WarpReduceSum(sum.Value, 32);
        y.StoreIf(k.LaneId == 0, total, k.BlockIdX);
    };

    /// <summary>A senseless kernel with an example of every instruction the builder knows.</summary>
    private static readonly Action<KernelBuilder> Everything = k =>
    {
        var x = k.GlobalPtrParam<E4M3>("x");
        var xb = k.GlobalPtrParam<BF16>("xb");
        var y = k.GlobalPtrParam<F32>("y");
        var n = k.S32Param("n");
        var i = k.BlockIdX * 128 + k.ThreadIdX;
        var tile = k.DynamicShared<BF16>(64 * 64, 128);
        var sw = new SwizzledTile<BF16>(tile, 128);
        k.CopyAsync(sw.Chunk(k.ThreadIdX / 8, k.ThreadIdX % 8), xb + i * 8, 16, k.Select<S32>(i < n, 16, 0));
        k.CopyAsyncCommit();
        k.CopyAsyncWait(0);
        k.SyncThreads();
        var a = k.LoadMatrix(sw.Chunk(k.LaneId % 16, k.LaneId / 16), 4);
        var b = k.LoadMatrix(sw.Chunk(k.LaneId % 8, (k.LaneId / 8) % 2), 2);
        var acc = k.Vars<F32>(4, 0f);
        k.Mma(MmaShape.BF16, acc, a, b);
        k.Mma(MmaShape.E4M3, acc, a, b);
        k.Mma(MmaShape.TF32, acc, a, b);
        var d = k.Mma(MmaShape.F16, [0f, 0f, 0f, 0f], a, b);
        var max = k.Var<F32>(d[0]);
        k.While(() => max.Value < 100f, () =>
        {
            var old = max.Value;
            max.Value = k.Max(max.Value * 2f, 1f);
            acc[0].Value = acc[0].Value * k.Exp2(old - max.Value);
        });
        for (var j = 0; j < 4; j++) y[i + j] = acc[j].Value;
        var (f, g) = k.ToF32(x.As<E4M3x2>().Load(i + 3));
        y.StoreVector([f, g], i * 2 + 8);
        k.If(f < g, () => y[i] = f, () => y[i + 1] = g - f * f);
        x[i] = k.ToE4M3(f * g);
        xb[i] = k.ToBF16(f);
        xb.As<BF16x2>()[i] = k.ToBF16x2(f, g);
        var old2 = y.AtomicAdd(f, i);
        y.ReduceAdd(old2, i);
        y.As<U32>().AtomicMax(3u, i);
        var s = k.WarpSum(i);
        var m2 = k.Ballot(f > g);
        y.As<S32>()[i] = s + k.PopCount(m2);
        k.If(k.Any(f > 2f) & !k.All(g < 1f), () => y.As<U32>()[i] = k.ActiveMask());
        y[i + 7] = k.Tanh(f) + k.Sqrt(g) + k.Reciprocal(f) + k.ReciprocalSqrt(g) + k.Log2(f) + f / g;
        var v4 = y.LoadVectorOr(i < n, 0f, 4, i * 4, LoadHint.Streaming);
        y.StoreVector(v4, i * 4 + 4);
        k.Guarded(i == 3, () => y[9] = 1f);
        var (p, q) = k.ToF32(xb.As<BF16x2>().Load(i));
        y[i] = p + q;
        y[i] = k.ToF32(k.ToF16(p)) - k.ToF32(i) * q;
        k.For(0, n, 1, (j, loop) => { loop.ContinueIf(j == 3); loop.BreakIf(j > 7); y[j] = 0f; }, nounroll: true);
        var fl = k.Var<Pred>(true);
        k.DoWhile(() => { fl.Value = k.ToF32(i) < y[i]; return fl.Value; });
        y.As<F64>()[i] = k.ToF64(f) * 3.0 + 1.0;
        k.ReturnIf(i > 3);
        y.As<U8>()[i] = U8.Low(k.PopCount(m2).As<U32>());
        y.As<B32>()[i + 2] = k.ToTF32(f);
        k.SyncWarp();
        k.FenceDevice();
        y[i] = k.ToF32(xb[i]);
        y.AddBytes(4).Row(i, 7168)[3] = k.Shuffle(f, 3) + k.ShuffleDown(f, 2) + k.ShuffleUp(f, 1);
    };

    [Fact]
    public Task The_text_reads_well() => Verify(PtxKernel.Write(PtxTarget.Sm80, "sum_squares", SumSquares).ToText(), "ptx");

    [Fact]
    public void The_text_is_the_same_every_time() => Assert.Equal(Emit.Text(Everything), Emit.Text(Everything));

    [PtxasTheory]
    [InlineData("sm_80")]
    [InlineData("sm_89")]
    [InlineData("sm_90a")]
    public void The_assembler_takes_a_plain_kernel_for(string target) =>
        Ptxas.AssembleClean(PtxKernel.Write(PtxTarget.Find(target)!, "sum_squares", SumSquares).ToText(), target);

    [PtxasTheory]
    [InlineData("sm_89")]
    [InlineData("sm_90")]
    [InlineData("sm_90a")]
    public void The_assembler_takes_every_instruction_for(string target) =>
        Ptxas.AssembleClean(Emit.Text(Everything, PtxTarget.Find(target)!), target);
}
