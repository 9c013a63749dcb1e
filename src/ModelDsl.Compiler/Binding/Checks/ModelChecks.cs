using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>
/// What must hold within a model, whatever it runs on. Works on what could be bound, so that one error does not hide another.
/// </summary>
internal static class ModelChecks
{
    private const double MostWeights = 1e15;

    public static void Check(BoundBlock model, DiagnosticBag diagnostics)
    {
        CheckLayers(model, diagnostics);
        foreach (var run in model.BlocksNamed("layers"))
        {
            var kinds = (run.Block("dense") is null ? 0 : 1) + (run.Block("moe") is null ? 0 : 1);
            if (kinds != 1) diagnostics.Add(Catalogue.FeedForwardCount(run.NameSpan, kinds));
            if (run.Block("moe") is { } moe) CheckExperts(moe, diagnostics);
        }

        if (model.Block("attention") is { } attention && attention.TryLong("rope_dim") is { } rope && rope % 2 != 0)
            diagnostics.Add(Catalogue.OddRopeDim(attention.SpanOf("rope_dim"), rope));
        CheckSizes(model, diagnostics);
    }

    /// <summary>Every layer from 0 on belongs to exactly one run.</summary>
    private static void CheckLayers(BoundBlock model, DiagnosticBag diagnostics)
    {
        var next = 0L;
        BoundBlock? previous = null;
        // A run whose range could not be read leaves a hole that is not the user's.
        if (model.BlocksNamed("layers").Any(b => b.Range is null)) return;
        foreach (var run in model.BlocksNamed("layers").OrderBy(b => b.Range!.Value.First))
        {
            var (first, last) = run.Range!.Value;
            if (first < next)
                diagnostics.Add(Catalogue.LayersOverlap(run.LabelSpan, Are(first, Math.Min(last, next - 1)), previous!.LabelSpan));
            else if (first > next)
                diagnostics.Add(Catalogue.LayersGap(run.LabelSpan, Are(next, first - 1)));
            if (last >= next) (next, previous) = (last + 1, run);
        }
    }

    private static string Are(long first, long last) => first == last ? $"layer {first} is" : $"layers {first}..{last} are";

    private static void CheckExperts(BoundBlock moe, DiagnosticBag diagnostics)
    {
        if (moe.TryLong("routed") is not { } routed || moe.TryLong("active") is not { } active) return;
        if (active > routed)
        {
            diagnostics.Add(Catalogue.ActiveExperts(moe.SpanOf("active"), active, routed, $"routed = {routed}"));
            return;
        }

        if (moe.TryCall("groups") is not { } groups) return;
        var (kept, count) = (groups.Int("kept"), groups.Int("of"));
        if (kept > count) diagnostics.Add(Catalogue.GroupsKept(groups.SpanOf("kept"), kept, count));
        else if (routed % count != 0) diagnostics.Add(Catalogue.ExpertsPerGroup(groups.SpanOf("of"), routed, count));
        else if (active > routed / count * kept)
            diagnostics.Add(Catalogue.ActiveExperts(moe.SpanOf("active"), active, routed / count * kept,
                $"{kept} of {count} groups, {routed / count} experts in each"));
        else if (routed / count < 2 && moe.TryCall("gate") is { } gate
            && ModelBuilder.By(groups, gate.Name == "sigmoid" ? ScoreFunction.Sigmoid : ScoreFunction.Softmax) == GroupScore.TopTwoSum)
            diagnostics.Add(Catalogue.TwoExpertsPerGroup(groups.Span, routed / count));
    }

    /// <summary>Offsets into a tensor are 64 bits, its extents 32: a matrix must stay below 2^31 rows and columns.</summary>
    private static void CheckSizes(BoundBlock model, DiagnosticBag diagnostics)
    {
        if (model.Block("attention") is { } attention && attention.TryLong("heads") is { } heads
            && attention.TryLong("nope_dim") is { } nope && attention.TryLong("rope_dim") is { } rope
            && attention.TryLong("v_dim") is { } value)
            Limit(heads * Math.Max(nope + Math.Max(rope, value), value), attention.NameSpan, "all heads together", diagnostics);
        foreach (var moe in model.BlocksNamed("layers").Select(r => r.Block("moe")).OfType<BoundBlock>())
            if (moe.TryLong("shared") is { } shared && moe.TryLong("width") is { } width)
                Limit(shared * width, moe.NameSpan, "the shared experts together", diagnostics);
    }

    /// <summary>Sizes in bytes are 64 bits; a thousand times the largest model there is leaves them far from full.</summary>
    public static bool HasSaneSize(ModelSpec model, DiagnosticBag diagnostics)
    {
        var weights = ParameterCounts.Of(model).Total;
        if (weights <= MostWeights) return true;
        var text = FormattableString.Invariant($"the model has {weights:0.0e0} weights; the limit is {MostWeights:0e0}");
        diagnostics.Add(Catalogue.ModelTooLarge(model.Origin.Span, text));
        return false;
    }

    private static void Limit(long width, SourceSpan at, string what, DiagnosticBag diagnostics)
    {
        if (width > int.MaxValue)
            diagnostics.Add(Catalogue.ModelTooLarge(at, $"{what} are {Catalogue.Count(width)} wide; the limit is {Catalogue.Count(int.MaxValue)}"));
    }
}
