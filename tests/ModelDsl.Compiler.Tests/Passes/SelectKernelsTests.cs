using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.SelectKernels;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Tests.Passes;

public class SelectKernelsTests
{
    [Fact]
    public void Every_op_but_views_becomes_a_launch()
    {
        foreach (var model in new[] { Models.Micro, Models.Odd, Models.V2Lite })
            foreach (var policy in Graphs.Policies)
                foreach (var phase in new[] { Phase.Prefill, Phase.Decode })
                    Assert.All(
                        Selected(model, phase, policy).Ops, op => Assert.True(op is LaunchOp || op.Mnemonic == "tail_rows", op.Mnemonic));
    }

    /// <summary>
    /// Of V3's products: everything but the experts', the experts', the head. The up-projection of a prefill has a row for each token of
    /// the context, however few are new.
    /// </summary>
    [Theory]
    [InlineData(Phase.Decode, 4, GemmShape.Skinny, GemmShape.Skinny, GemmShape.Skinny)]
    [InlineData(Phase.Decode, 64, GemmShape.Tile, GemmShape.Skinny, GemmShape.Tile)]
    [InlineData(Phase.Decode, 512, GemmShape.Tile, GemmShape.Tile, GemmShape.Tile)]
    [InlineData(Phase.Prefill, 8, GemmShape.Skinny, GemmShape.Skinny, GemmShape.Skinny)]
    [InlineData(Phase.Prefill, 512, GemmShape.Tile, GemmShape.Tile, GemmShape.Skinny)]
    public void Products_with_few_rows_stream_their_weights(Phase phase, int rows, GemmShape dense, GemmShape experts, GemmShape head)
    {
        var limits = new PlanLimits(PrefillTokens: rows, DecodeSequences: rows, Context: 4096);
        var kernels = Graphs.After(
                Graphs.Lowered(Models.V3, phase, limits: limits), BuiltInPrecision.Fp8, limits,
                new PassCall("place-precision"), new PassCall("fuse"), new PassCall("select-kernels"))
            .Ops.OfType<LaunchOp>().Select(op => op.Kernel).ToList();
        Assert.All(kernels.OfType<Fp8GemmKernel>(), kernel => Assert.Equal(kernel.N == 32768 ? GemmShape.Tile : dense, kernel.Shape));
        Assert.All(kernels.OfType<GroupedFp8GemmKernel>(), kernel => Assert.Equal(experts, kernel.Shape));
        Assert.Equal(head, kernels.OfType<GemmKernel>().Single(kernel => kernel.N == 129280).Shape);
    }

    /// <summary>FP8 products have kernels of Hopper's own, others for few rows than for many; experts of a few rows each, other targets and who says no have not.</summary>
    [Theory]
    [InlineData("sm_90a", "on", 4096, true)]
    [InlineData("sm_90a", "on", 2048, true)]
    [InlineData("sm_90a", "off", 4096, false)]
    [InlineData("sm_90a", "on", 8, true)]
    [InlineData("sm_89", "on", 4096, false)]
    [InlineData("sm_90", "on", 4096, false)]
    public void Hopper_has_products_of_its_own(string target, string option, int rows, bool expected)
    {
        var limits = new PlanLimits(PrefillTokens: rows, DecodeSequences: rows, Context: 4096);
        var graph = Pipeline.Run(
            Graphs.Lowered(Models.V3, Phase.Prefill, limits: limits), BuiltInPrecision.Fp8, limits,
            [new PassCall("place-precision"), new PassCall("fuse"), Graphs.With("select-kernels", "hopper", option)], target: PtxTarget.Find(target));
        var kernels = graph.Ops.OfType<LaunchOp>().Select(op => op.Kernel).ToList();
        // The up-projection of the latents has a row for each token of the context, so many as there are.
        var own = kernels.OfType<Fp8Gemm>().Where(kernel => kernel.N != 32768 && kernel.Groups is null).Distinct().ToList();
        var experts = kernels.OfType<Fp8Gemm>().Where(kernel => kernel.Groups is ListedGroups { Count: 256 }).Distinct().ToList();
        var few = kernels.OfType<Fp8GemmFewRows>().Distinct().ToList();
        Assert.Equal(expected && rows > 128, own.Count > 0);
        Assert.Equal(expected && rows <= 128, few.Count > 0);
        Assert.Equal(expected, !kernels.OfType<Fp8GemmKernel>().Any(kernel => kernel.N != 32768));
        Assert.Equal(expected && rows > 128, !kernels.OfType<GroupedFp8GemmKernel>().Any());
        Assert.Equal(expected && rows > 128 ? [(4096, 7168), (7168, 2048)] : [], experts.Select(kernel => (kernel.N, kernel.K)).Order());
        Assert.All(experts, kernel => Assert.Equal(rows * 8 / 256 > 96 ? Fp8GemmTile.Middle : Fp8GemmTile.FewRows, kernel.Tile));
        Assert.All(experts, kernel => Assert.Equal(kernel.Tile.Rows, kernels.OfType<DispatchKernel>().Distinct().Single().TileRows));
        if (!expected) return;
        if (rows <= 128)
        {
            Assert.Equal(8, few.Single(kernel => (kernel.N, kernel.K) == (24576, 1536)).Tile.Rows);
            return;
        }
        if (rows < 4096) return;
        Assert.Equal(Fp8GemmTile.Three, own.Single(kernel => (kernel.N, kernel.K) == (24576, 1536)).Tile);
        Assert.Equal(Fp8GemmTile.Many, own.Single(kernel => (kernel.N, kernel.K) == (7168, 16384)).Tile);
        Assert.Equal(Fp8GemmTile.Three, own.Single(kernel => (kernel.N, kernel.K) == (576, 7168)).Tile);
    }

    [Fact]
    public void Dispatch_makes_tiles_as_the_grouped_products_take_them()
    {
        foreach (var phase in new[] { Phase.Prefill, Phase.Decode })
        {
            var launches = Selected(Models.Micro, phase, BuiltInPrecision.Bf16).Ops.OfType<LaunchOp>().ToList();
            var tileRows = launches.Select(op => op.Kernel).OfType<GroupedGemmKernel>().Select(kernel => kernel.TileRows)
                .Distinct().Single();
            var dispatch = launches.First(op => op.Kernel is DispatchKernel);
            Assert.Equal(tileRows, ((DispatchKernel)dispatch.Kernel).TileRows);

            // min(R, ceil(R / rows) + E) with R = 2 T rows and E = 8 experts; the grid of the product covers the same list.
            var rows = 2 * 37;
            var tiles = Math.Min(rows, (rows + tileRows - 1) / tileRows + 8);
            Assert.Equal(tiles, ((SizeArgument)dispatch.Arguments[^1]).Size.Evaluate(_ => 37));
        }
    }

    [Fact]
    public void Absorption_walks_the_blocks_of_kv_b()
    {
        var kernels = Selected(Models.V3, Phase.Decode, BuiltInPrecision.Bf16).Ops.OfType<LaunchOp>()
            .Select(op => op.Kernel).OfType<HeadGemmKernel>().Distinct().ToList();
        Assert.Equal(
            [
                new HeadGemmKernel(
                    128, N: 512, K: 128, ARow: 24576, AHead: 192, WHead: 131072, WOffset: 0, Transposed: true, CRow: 65536, CHead: 512,
                    DType.BF16),
                new HeadGemmKernel(
                    128, N: 128, K: 512, ARow: 65536, AHead: 512, WHead: 131072, WOffset: 65536, Transposed: false, CRow: 16384,
                    CHead: 128, DType.BF16),
            ],
            kernels);
    }

    [Fact]
    public void An_op_without_a_kernel_of_its_own_says_what_is_missing()
    {
        var refused = Assert.Throws<PassException>(() =>
            Graphs.After(Graphs.Lowered(Models.Micro, Phase.Prefill), BuiltInPrecision.Bf16, "place-precision", "select-kernels"));
        Assert.Contains("rope_key", refused.Message);
        Assert.Contains("fuse", refused.Remedy);
    }

    private static ModelGraph Selected(ModelSpec model, Phase phase, PrecisionSpec policy) =>
        Graphs.After(Graphs.Lowered(model, phase), policy, "place-precision", "fuse", "select-kernels");
}
