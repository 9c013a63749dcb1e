using System.CommandLine;
using System.CommandLine.Parsing;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Verbs;
using ModelDsl.Runtime.Chat;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Cli;

/// <summary>The <c>dsmc</c> command line: verbs, and what they have in common.</summary>
public static class DsmcCommand
{
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> arguments, IoContext io)
    {
        var root = Create(io);
        // An '@' starts a file name of ours (--ids @FILE) or a prompt's first word, never a file with more arguments.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return Refuse(parsed, io);
        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = io.Out, Error = io.Error, EnableDefaultExceptionHandler = false });
        }
        catch (TroubleException trouble)
        {
            io.Error.WriteLine($"dsmc: {trouble.Message}");
            return trouble.ExitCode;
        }
        catch (ModelException request)
        {
            io.Error.WriteLine($"dsmc: {request.Message}");
            return ExitCode.Usage;
        }
        catch (Exception failure) when (failure is CheckpointException or DeviceException or TokenizerException or ChatTemplateException)
        {
            io.Error.WriteLine($"dsmc: {failure.Message}");
            return ExitCode.Trouble;
        }
        catch (Exception mistake)
        {
            var place = mistake.StackTrace?.Split('\n')[0].Trim();
            io.Error.WriteLine($"dsmc: this is a mistake in dsmc, not in your files: {mistake.GetType().Name}: {mistake.Message} ({place})");
            return ExitCode.Trouble;
        }
    }

    private static RootCommand Create(IoContext io) =>
        new("Compiles .dsm descriptions of DeepSeek-V3-like models to PTX kernels and a C# host, and runs them.")
        {
            CheckVerb.Create(io),
            BuildVerb.Create(io),
            SnapshotVerb.Create(io),
            RunVerb.Create(io),
            ExecVerb.Create(io),
            BenchVerb.Create(io),
            ImportVerb.Create(io),
            FmtVerb.Create(io),
            PlanVerb.Create(io),
            ExplainVerb.Create(io),
            TokenizeVerb.Create(io),
        };

    private static int Refuse(ParseResult parsed, IoContext io)
    {
        foreach (var error in parsed.Errors)
            io.Error.WriteLine($"dsmc: {Say(error)}");
        var verb = parsed.CommandResult.Command;
        io.Error.WriteLine(verb is RootCommand ? "Try 'dsmc --help'." : $"Try 'dsmc {verb.Name} --help'.");
        return ExitCode.Usage;
    }

    /// <summary>The parser names .NET types where a value is of the wrong kind.</summary>
    private static string Say(ParseError error)
    {
        if (error.SymbolResult is not OptionResult { Tokens: [var token], Option: var option }) return error.Message;
        var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        if (type == typeof(int)) return $"{option.Name} {token.Value}: a whole number is expected";
        if (type == typeof(ulong)) return $"{option.Name} {token.Value}: a whole number from 0 up is expected";
        return type == typeof(float) ? $"{option.Name} {token.Value}: a number is expected" : error.Message;
    }
}
