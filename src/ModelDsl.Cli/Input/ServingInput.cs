using System.CommandLine;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Serving;

namespace ModelDsl.Cli.Input;

/// <summary>Which deployment is planned, and what is asked of it: <c>--serve NAME --context --prompt --acceptance --latency</c>.</summary>
internal sealed class ServingInput
{
    private readonly Option<string?> _serve = new("--serve") { Description = "Plans this serve block instead of a training run." };
    private readonly Option<double?> _context = new("--context") { Description = "Of --serve: tokens in the cache of a request, on average." };
    private readonly Option<int?> _prompt = new("--prompt") { Description = "Of --serve: tokens of a prompt." };
    private readonly Option<double?> _acceptance = new("--acceptance") { Description = "Of --serve: share of drafted tokens that are kept, 0 to 1." };
    private readonly Option<double?> _latency = new("--latency") { Description = "Of --serve: milliseconds that a user waits for a token at most." };

    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { _serve, _context, _prompt, _acceptance, _latency }) verb.Options.Add(option);
    }

    public bool IsGiven(ParseResult parsed) => parsed.GetValue(_serve) is not null;

    /// <exception cref="TroubleException">There is no such deployment.</exception>
    public ServeSpec Choose(ParseResult parsed, IReadOnlyCollection<ServeSpec> serves)
    {
        var name = parsed.GetValue(_serve)!;
        var declared = serves.Count == 0 ? "none" : string.Join(", ", serves.Select(serve => serve.Name));
        return serves.FirstOrDefault(serve => serve.Name == name) ?? throw TroubleException.Usage($"there is no serve '{name}'; declared are: {declared}");
    }

    /// <exception cref="TroubleException">A number makes no sense.</exception>
    public ServingOptions Options(ParseResult parsed, RoutingLoad? loads)
    {
        var standard = ServingOptions.Default;
        double Number(Option<double?> option, double @default, double most)
        {
            if (parsed.GetValue(option) is not { } given) return @default;
            return given >= 0 && given <= most && (given > 0 || option == _acceptance) ? given : throw TroubleException.Usage($"{option.Name} {given} should be above 0 and at most {most}");
        }

        return standard with
        {
            Context = Number(_context, standard.Context, 1e9),
            Prompt = parsed.GetValue(_prompt) is not { } tokens ? standard.Prompt
                : tokens is > 0 and <= 1 << 22 ? tokens : throw TroubleException.Usage($"--prompt {tokens} should be above 0 and at most {1 << 22}"),
            Acceptance = Number(_acceptance, standard.Acceptance, 1),
            TokenSeconds = Number(_latency, standard.TokenSeconds * 1e3, 1e6) / 1e3,
            Loads = loads,
        };
    }
}
