using System.CommandLine;
using ModelDsl.Cli.Verbs;

namespace ModelDsl.Cli;

/// <summary>The <c>dsmc</c> command line: verbs, and what they have in common.</summary>
public static class DsmcCommand
{
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> arguments, IoContext io)
    {
        var root = Create(io);
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
            return Refuse(parsed, io);
        return parsed.Invoke(new InvocationConfiguration { Output = io.Out, Error = io.Error, EnableDefaultExceptionHandler = false });
    }

    private static RootCommand Create(IoContext io) =>
        new("Compiles .dsm descriptions of DeepSeek-V3-like models to PTX kernels and a C# host, and runs them.")
        {
            TokenizeVerb.Create(io),
        };

    private static int Refuse(ParseResult parsed, IoContext io)
    {
        foreach (var error in parsed.Errors)
            io.Error.WriteLine($"dsmc: {error.Message}");
        var verb = parsed.CommandResult.Command;
        io.Error.WriteLine(verb is RootCommand ? "Try 'dsmc --help'." : $"Try 'dsmc {verb.Name} --help'.");
        return ExitCode.Usage;
    }
}
