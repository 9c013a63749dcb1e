using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Passes;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc explain DSM0108 | model.attention.q_rank | fuse</c>: the documentation of codes, attributes and passes.</summary>
internal static class ExplainVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("explain", "Says more about a diagnostic code, a block or attribute of the language, or a compiler pass.");
        var topic = new Argument<string>("TOPIC")
        {
            Description = "DSM0108, model.attention.q_rank, a pass such as fuse; without it: what there is.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        verb.Arguments.Add(topic);
        verb.SetAction(parsed =>
        {
            io.Out.WriteLine(parsed.GetValue(topic) is { } asked ? Explain(asked) : Overview());
            return ExitCode.Success;
        });
        return verb;
    }

    private static string Explain(string topic)
    {
        if (DiagnosticCodes.TryParse(topic, out var code)) return Explanations.Of(code).TrimEnd();
        if (Pipeline.Catalogue.FirstOrDefault(pass => pass.Name == topic) is { } found) return Describe(found);
        return SchemaText.Explain(topic, out var hint)?.TrimEnd()
            ?? throw TroubleException.Usage($"nothing is called '{topic}'{(hint is null ? "" : $" ({hint})")}; 'dsmc explain' lists what there is");
    }

    private static string Describe(Pass pass)
    {
        var options = pass.Options.Select(option => $"\n  {option.Name} (default: {(option.Default.Length == 0 ? "nothing" : option.Default)}): {option.Summary}");
        return $"pass {pass.Name}: {pass.Summary}\n\n{pass.Description}{(pass.Options.Count == 0 ? "" : "\n\nOptions:" + string.Concat(options))}";
    }

    private static string Overview() =>
        "Blocks (explain NAME, then NAME.attribute or NAME.block.attribute):\n"
        + string.Concat(Schemas.All.Select(block => $"  {block.Name,-16} {block.Doc}\n"))
        + "\nPasses, in the order they run:\n"
        + string.Concat(Pipeline.Catalogue.Select(pass => $"  {pass.Name,-16} {pass.Summary}\n"))
        + "\nDiagnostics: explain DSM0108 says more about that code.";
}
