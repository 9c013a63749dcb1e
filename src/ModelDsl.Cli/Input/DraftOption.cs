using System.CommandLine;

namespace ModelDsl.Cli.Input;

/// <summary><c>--speculate</c> and <c>--draft N</c>: whether the MTP module is compiled in, and how far it guesses.</summary>
internal sealed class DraftOption
{
    private readonly Option<bool> _speculate = new("--speculate") { Description = "Drafts with the MTP module; several tokens per step, the same text." };

    private readonly Option<int?> _draft = new("--draft")
    {
        Description = "Tokens drafted per step; what the serve block says, or 1 with --speculate.",
    };

    public void AddTo(Command verb)
    {
        verb.Options.Add(_speculate);
        verb.Options.Add(_draft);
    }

    /// <param name="serves">What the chosen serve block says; 0: nothing.</param>
    /// <returns>Tokens drafted per step; 0: none.</returns>
    public int Tokens(ParseResult parsed, int serves)
    {
        var (speculate, draft) = (parsed.GetValue(_speculate), parsed.GetValue(_draft));
        if (draft is < 0 or > 16) throw TroubleException.Usage($"--draft {draft} should be 0 to 16");
        if (speculate && draft == 0) throw TroubleException.Usage("--speculate and --draft 0 contradict each other");
        return draft ?? (serves > 0 ? serves : speculate ? 1 : 0);
    }
}
