using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.SelectKernels;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Scheduling;

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

    [Fact]
    public void Products_stream_weights_in_decode_and_tile_in_prefill()
    {
        Assert.All(Shapes(Selected(Models.V3, Phase.Decode, BuiltInPrecision.Fp8)), shape => Assert.Equal(GemmShape.Skinny, shape));

        // The head has one row to do in a prefill whose last logits alone are wanted.
        var prefill = Graphs.After(
            Graphs.Lowered(Models.V3, Phase.Prefill), BuiltInPrecision.Fp8, ModelCompilerTests.SmallLimits with { LogitRows = 1 },
            new PassCall("place-precision"), new PassCall("fuse"), new PassCall("select-kernels"));
        var shapes = Shapes(prefill).ToList();
        Assert.All(shapes[..^1], shape => Assert.Equal(GemmShape.Tile, shape));
        Assert.Equal(GemmShape.Skinny, shapes[^1]);
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

    private static IEnumerable<GemmShape> Shapes(ModelGraph graph) => graph.Ops.OfType<LaunchOp>().Select(op => op.Kernel switch
    {
        GemmKernel gemm => gemm.Shape,
        Fp8GemmKernel gemm => gemm.Shape,
        GroupedFp8GemmKernel gemm => gemm.Shape,
        _ => (GemmShape?)null,
    }).OfType<GemmShape>();
}
