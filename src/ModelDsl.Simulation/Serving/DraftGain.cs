using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Serving;

/// <summary>
/// What drafting with the MTP module gains while a step takes as long for a few tokens more: tokens of a step over what the module costs.
/// </summary>
/// <param name="TokensPerStep"><c>1 + p + p^2 …</c>: a draft counts when all before it were kept.</param>
/// <param name="Overhead">Weights that take part in a draft, head included, over those of the model.</param>
public sealed record DraftGain(int Draft, double Acceptance, double TokensPerStep, double Overhead)
{
    public double SpeedUp => TokensPerStep / (1 + Overhead);

    public static DraftGain? Of(ServeSpec serve, double acceptance)
    {
        if (serve.Decode is not { Draft: > 0 and var draft } || serve.Model.MtpDepth == 0) return null;
        var (model, counts) = (serve.Model, ParameterCounts.Of(serve.Model));
        var moes = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().ToArray();
        double Idle(MoeSpec moe) => 3.0 * model.Hidden * moe.Width * (moe.Routed - moe.Active);
        var last = model.Layers[model.Layers.Count - 1].FeedForward as MoeSpec;
        var module = counts.Mtp / model.MtpDepth - (last is null ? 0 : Idle(last)) + counts.Embedding / 2;
        var active = counts.Total - counts.Embedding / 2 - moes.Sum(Idle);
        return new DraftGain(draft, acceptance, Enumerable.Range(0, draft + 1).Sum(i => Math.Pow(acceptance, i)), draft * module / active);
    }
}
