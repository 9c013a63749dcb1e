using System.CommandLine;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Cli.Input;

/// <summary>The largest steps that the host is built for: <c>--max-prefill --max-sequences --max-context</c>.</summary>
public sealed class LimitOptions
{
    private readonly Option<int?> _prefill = new("--max-prefill") { Description = $"New tokens of one prefill step; {CompileDefaults.PrefillTokens} or the context if that is less." };

    private readonly Option<int?> _sequences = new("--max-sequences") { Description = "Sequences of one decode step; 1." };

    private readonly Option<int?> _context = new("--max-context")
    {
        Description = $"Tokens of one sequence; {CompileDefaults.ContextTokens} or what the model has room for if that is less.",
    };

    public void AddTo(Command verb)
    {
        verb.Options.Add(_prefill);
        verb.Options.Add(_sequences);
        verb.Options.Add(_context);
    }

    public PlanLimits For(ParseResult parsed, ModelSpec model)
    {
        var context = Positive(parsed.GetValue(_context), "--max-context");
        if (context > model.Context)
            throw TroubleException.Usage($"--max-context {context} is more than the {model.Context} positions of {model.Name}");
        return CompileDefaults.Limits(
            model, context, Positive(parsed.GetValue(_prefill), "--max-prefill"), Positive(parsed.GetValue(_sequences), "--max-sequences"));
    }

    private static int? Positive(int? value, string option) =>
        value is <= 0 ? throw TroubleException.Usage($"{option} {value} should be at least 1") : value;
}
