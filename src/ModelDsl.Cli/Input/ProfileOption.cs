using System.CommandLine;
using ModelDsl.Cli.Output;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Cli.Input;

/// <summary><c>--profile</c> and <c>--profile-trace OUT</c>: where the time goes.</summary>
public sealed class ProfileOption
{
    private readonly Option<bool> _profile = new("--profile")
    {
        Description = "Ends with tables of the time by phase and kernel, and of the instructions by class. On a GPU each launch is waited for, which costs some speed.",
    };

    private readonly Option<string?> _trace = new("--profile-trace", "--trace") { Description = "Writes every step and launch in the trace format that chrome://tracing and Perfetto read." };

    public void AddTo(Command verb)
    {
        verb.Options.Add(_profile);
        verb.Options.Add(_trace);
    }

    /// <summary>Starts the clock; null where no profile is asked for.</summary>
    public RunProfile? Begin(ParseResult parsed) => parsed.GetValue(_profile) || parsed.GetValue(_trace) is not null ? new RunProfile() : null;

    /// <summary>Writes what was asked for. The table goes to the error stream, so that the output stays the text.</summary>
    public void Report(ParseResult parsed, IoContext io, RunProfile? profile)
    {
        if (profile is null) return;
        if (parsed.GetValue(_profile)) io.Error.Write(ProfileText.Render(profile.Phases()));
        if (parsed.GetValue(_trace) is { } path) AtomicFile.Write(path, ChromeTrace.Write(profile));
    }
}
