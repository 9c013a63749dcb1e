using System.CommandLine;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Cli.Input;

/// <summary>The largest steps that the host is built for: <c>--max-prefill --max-sequences --max-context</c>.</summary>
public sealed class LimitOptions
{
    private const int UsualPrefill = 512;
    private const int UsualContext = 4096;

    private readonly Option<int?> _prefill = new("--max-prefill") { Description = $"New tokens of one prefill step; {UsualPrefill} or the context if that is less." };

    private readonly Option<int?> _sequences = new("--max-sequences") { Description = "Sequences of one decode step; 1." };

    private readonly Option<int?> _context = new("--max-context")
    {
        Description = $"Tokens of one sequence; {UsualContext} or what the model has room for if that is less.",
    };

    public void AddTo(Command verb)
    {
        verb.Options.Add(_prefill);
        verb.Options.Add(_sequences);
        verb.Options.Add(_context);
    }

    public PlanLimits For(ParseResult parsed, ModelSpec model)
    {
        var context = Positive(parsed.GetValue(_context), "--max-context") ?? Math.Min(UsualContext, model.Context);
        if (context > model.Context)
            throw TroubleException.Usage($"--max-context {context} is more than the {model.Context} positions of {model.Name}");
        var prefill = Positive(parsed.GetValue(_prefill), "--max-prefill") ?? Math.Min(UsualPrefill, context);
        var sequences = Positive(parsed.GetValue(_sequences), "--max-sequences") ?? 1;
        return new PlanLimits(Math.Min(prefill, context), sequences, context);
    }

    private static int? Positive(int? value, string option) =>
        value is <= 0 ? throw TroubleException.Usage($"{option} {value} should be at least 1") : value;
}
