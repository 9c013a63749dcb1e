using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding;

/// <summary>Bound block to <see cref="PrecisionSpec"/>.</summary>
internal static class PrecisionBuilder
{
    private static readonly string[] KeptFormats = ["fp32", "bf16", "fp16"];

    public static PrecisionSpec Build(string name, BoundBlock block)
    {
        var gemm = block.Block("gemm")!;
        return new PrecisionSpec(
            name,
            new GemmSpec(Format(gemm.Word("format")), Tile(gemm.Call("activations")), Tile(gemm.Call("weights")), gemm.Int("promote"),
                Rounding(gemm.Word("scale")), gemm.Origin),
            Keep(block.Block("keep")),
            block.Block("state") is { } state
                ? new StateSpec(Format(state.Word("master")), Format(state.Word("gradients")), Format(state.Word("moments")))
                : StateSpec.Default,
            block.Block("cache") is { } cache
                ? new CacheSpec(
                    Scaled(cache.Call("activations")), Scaled(cache.Call("attention_output")), Scaled(cache.Call("swiglu_input")),
                    cache.WordList("recompute").ToEquatable(), cache.Origin)
                : null,
            block.Block("wire") is { } wire ? new WireSpec(Scaled(wire.Call("dispatch")), Scaled(wire.Call("combine")), wire.Origin) : null,
            block.Origin);
    }

    public static void Check(BoundBlock block, DiagnosticBag diagnostics)
    {
        if (block.Block("keep") is not { } keep) return;
        var kept = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var format in KeptFormats)
        foreach (var item in (keep.Find(format) as BoundList)?.Items.OfType<BoundCall>() ?? [])
        {
            if (kept.TryGetValue(item.Name, out var first)) diagnostics.Add(Catalogue.PartKeptTwice(item.Span, item.Name, first, format));
            kept[item.Name] = format;
        }
    }

    public static NumberFormat Format(string word) => word switch
    {
        "fp32" => NumberFormat.Fp32,
        "fp16" => NumberFormat.Fp16,
        "e4m3" => NumberFormat.E4M3,
        "e5m2" => NumberFormat.E5M2,
        "e5m6" => NumberFormat.E5M6,
        _ => NumberFormat.Bf16,
    };

    private static EquatableArray<KeepSpec> Keep(BoundBlock? block) => block is null
        ? EquatableArray<KeepSpec>.Empty
        : KeptFormats.SelectMany(format => block.WordList(format).Select(word => new KeepSpec(Part(word), Format(format)))).ToEquatable();

    private static ModelPart Part(string word) => PrecisionSchema.Parts.First(p => p.Word == word).Part;

    private static TileShape Tile(BoundCall call) => new(call.Int("rows"), call.Int("columns"));

    private static ScaleRounding Rounding(string word) => word == "pow2" ? ScaleRounding.PowerOfTwo : ScaleRounding.Exact;

    private static ScaledFormat Scaled(BoundCall call) => call.Name == "logfmt"
        ? new ScaledFormat(call.Int("bits") == 8 ? NumberFormat.LogFmt8 : NumberFormat.LogFmt10, ScaleRounding.Exact)
        : new ScaledFormat(Format(call.Name), call.Has("scale") ? Rounding(call.Word("scale")) : ScaleRounding.Exact);
}
