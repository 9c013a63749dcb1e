using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.PlacePrecision;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>
/// What a plan cannot be made of, although it binds: formats without kernels, targets that lack them, limits out of range.
/// </summary>
internal static class CompileChecks
{
    // Kernels keep a token's expert scores, and a head's row, in registers and shared memory, written out: beyond this no GPU has them.
    private const int MostExperts = 4096, MostActive = 256, WidestHead = 1024, WidestLatent = 4096;

    public static ImmutableArray<Diagnostic> Check(ModelSpec model, PrecisionSpec precision, CompileOptions options)
    {
        var target = options.Target;
        var found = ImmutableArray.CreateBuilder<Diagnostic>();
        CheckFormats(precision, found);
        if (precision.Gemm.IsFp8 && !target.Supports(Feature.Fp8Mma))
            found.Add(Catalogue.Fp8Unsupported(precision.Origin.Span, "the target", target.Name));
        CheckLimits(model, options.Limits, found);
        if (options.DraftTokens > 0 && model.MtpDepth == 0)
            found.Add(Catalogue.DraftWithoutMtp(model.Origin.Span, options.DraftTokens, model.Name));
        CheckWidths(model, found);
        if (options.Limits.Fp8Cache) CheckCache(model, precision, options, found);
        return found.ToImmutable();
    }

    public static Diagnostic PassRefused(ModelSpec model, PassException exception) =>
        Catalogue.PassRefused(model.Origin.Span, exception.Message, exception.Remedy);

    private static void CheckFormats(PrecisionSpec precision, ImmutableArray<Diagnostic>.Builder found)
    {
        var gemm = precision.Gemm;
        var at = gemm.Origin.Span;
        void Unsupported(string what, string has, string can) => found.Add(Catalogue.PolicyUnsupported(at, what, has, can));

        if (gemm.Format is not (NumberFormat.Fp32 or NumberFormat.Bf16 or NumberFormat.E4M3))
            Unsupported("gemm.format", Text(gemm.Format), "fp32, bf16 and e4m3");
        if (gemm.IsFp8)
        {
            if (gemm.Activations != new TileShape(1, 128)) Unsupported("gemm.activations", Text(gemm.Activations), "tile(1, 128)");
            if (gemm.Weights != new TileShape(128, 128)) Unsupported("gemm.weights", Text(gemm.Weights), "block(128, 128)");
            if (gemm.Promote != 128) Unsupported("gemm.promote", $"{gemm.Promote}", "128");
        }

        foreach (var keep in precision.Keep)
            if (keep.Format is not (NumberFormat.Fp32 or NumberFormat.Bf16))
                Unsupported("keep", Text(keep.Format), "fp32 and bf16");
    }

    private static void CheckLimits(ModelSpec model, PlanLimits limits, ImmutableArray<Diagnostic>.Builder found)
    {
        void Require(string name, long value, long least, long most)
        {
            var range = most == int.MaxValue ? $"at least {least}" : $"from {least} to {most}";
            if (value < least || value > most) found.Add(Catalogue.PlanLimit(model.Origin.Span, name, value, range));
        }

        Require("context", limits.Context, 1, int.MaxValue);
        Require("prefill tokens", limits.PrefillTokens, 1, Math.Max(1, limits.Context));
        Require("decode sequences", limits.DecodeSequences, 1, int.MaxValue);
        Require("logit rows", limits.LogitRows, 1, Math.Max(1, limits.PrefillTokens));
        Require("page", limits.Page, 1, int.MaxValue);
        Require("split pages", limits.SplitPages, 1, int.MaxValue);
    }

    private static void CheckCache(ModelSpec model, PrecisionSpec precision, CompileOptions options, ImmutableArray<Diagnostic>.Builder found)
    {
        var mla = model.Attention;
        var fits = MlaDecode.Fits(mla.KvRank, mla.NopeDim, mla.RopeDim, options.Limits.Page) && Fp8CacheRow.Fits(mla.KvRank, mla.RopeDim);
        if (!fits || !options.Target.Supports(Feature.Wgmma) || new FormatTable(precision).Activation != DType.BF16)
            found.Add(Catalogue.Fp8CacheUnsupported(mla.Origin.Span, model.Name, options.Target.Name));
    }

    private static void CheckWidths(ModelSpec model, ImmutableArray<Diagnostic>.Builder found)
    {
        void AtMost(Origin origin, string name, int value, int most)
        {
            if (value > most) found.Add(Catalogue.PlanLimit(origin.Span, name, value, $"from 1 to {most}"));
        }

        var attention = model.Attention;
        AtMost(attention.Origin, "kv_rank", attention.KvRank, WidestLatent);
        AtMost(attention.Origin, "nope_dim", attention.NopeDim, WidestHead);
        AtMost(attention.Origin, "rope_dim", attention.RopeDim, WidestHead);
        AtMost(attention.Origin, "v_dim", attention.VDim, WidestHead);
        foreach (var moe in model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Distinct())
        {
            AtMost(moe.Origin, "routed experts", moe.Routed, MostExperts);
            AtMost(moe.Origin, "active experts", moe.Active, MostActive);
        }
    }

    private static string Text(NumberFormat format) => format.ToString().ToLowerInvariant();

    private static string Text(TileShape tile) => $"{tile.Rows} x {tile.Columns}";
}
