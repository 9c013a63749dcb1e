using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Lowering;

/// <summary>Models as their publications give them, and the small one of the goldens.</summary>
internal static class Models
{
    public static ModelSpec V3 { get; } = Model(
        "DeepSeekV3", 129280, 7168, Mla(128, 1536, 512, 128, 64, 128, Yarn(4096, 1.0)), dense: 3, denseWidth: 18432, layers: 61,
        new MoeSpec(
            256, 1, 8, 2048, new GateSpec(ScoreFunction.Sigmoid, 2.5, true, Origin.None),
            new GroupSpec(4, 8, GroupScore.TopTwoSum, Origin.None),
            new BalanceSpec(0.001, 1e-4, Origin.None), Origin.None),
        mtp: 1, context: 163840);

    public static ModelSpec V2 { get; } = Model(
        "DeepSeekV2", 102400, 5120, Mla(128, 1536, 512, 128, 64, 128, Yarn(4096, 0.707)), dense: 1, denseWidth: 12288, layers: 60,
        new MoeSpec(
            160, 2, 6, 1536, new GateSpec(ScoreFunction.Softmax, 16, false, Origin.None), new GroupSpec(3, 8, GroupScore.Max, Origin.None),
            BalanceSpec.None, Origin.None),
        mtp: 0, context: 163840);

    public static ModelSpec V2Lite { get; } = Model(
        "DeepSeekV2Lite", 102400, 2048, Mla(16, null, 512, 128, 64, 128, Yarn(4096, 0.707)), dense: 1, denseWidth: 10944, layers: 27,
        new MoeSpec(64, 2, 6, 1408, new GateSpec(ScoreFunction.Softmax, 1, false, Origin.None), null, BalanceSpec.None, Origin.None),
        mtp: 0, context: 163840);

    /// <summary>The model of <c>tests/goldens/micro</c>.</summary>
    public static ModelSpec Micro { get; } = Model(
        "Micro", 256, 128, Mla(2, 64, 64, 32, 16, 32, Yarn(32, 1.0)), dense: 1, denseWidth: 192, layers: 3,
        new MoeSpec(
            8, 1, 2, 64, new GateSpec(ScoreFunction.Sigmoid, 2.5, true, Origin.None),
            new GroupSpec(2, 4, GroupScore.TopTwoSum, Origin.None),
            new BalanceSpec(0.001, null, Origin.None), Origin.None),
        mtp: 1, context: 1280);

    /// <summary>Micro without query compression, with two shared experts, no groups and widths that divide nothing.</summary>
    public static ModelSpec Odd { get; } = Model(
        "Odd", 251, 132, Mla(3, null, 40, 20, 6, 12, null), dense: 1, denseWidth: 77, layers: 4,
        new MoeSpec(5, 2, 3, 36, new GateSpec(ScoreFunction.Softmax, 1, false, Origin.None), null, BalanceSpec.None, Origin.None),
        mtp: 0, context: 512);

    private static MlaSpec Mla(int heads, int? qRank, int kvRank, int nope, int rope, int v, YarnSpec? yarn) =>
        new(heads, qRank, kvRank, nope, rope, v, new RopeSpec(10000, yarn, Origin.None), Origin.None);

    private static YarnSpec Yarn(int original, double mscale) => new(40, original, 32, 1, mscale, mscale, Origin.None);

    private static ModelSpec Model(
        string name, int vocabulary, int hidden, MlaSpec mla, int dense, int denseWidth, int layers, MoeSpec moe, int mtp, int context) =>
        new(
            name, vocabulary, hidden, 1e-6, 0.006, mla,
            Enumerable.Range(0, layers)
                .Select(layer => new LayerSpec(layer < dense ? new DenseSpec(denseWidth, Origin.None) : moe, Origin.None)).ToEquatable(),
            mtp, context, Origin.None);
}
