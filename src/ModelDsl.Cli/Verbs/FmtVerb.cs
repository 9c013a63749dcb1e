using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Formatting;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc fmt FILE…</c>: the one layout. Files with errors stay as they are.</summary>
internal static class FmtVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("fmt", "Formats .dsm files in place.");
        var files = new Argument<string[]>("FILE") { Description = "The .dsm files.", Arity = ArgumentArity.OneOrMore };
        var check = new Option<bool>("--check") { Description = "Changes nothing; exit code 1 names the files that are not formatted." };
        var stdout = new Option<bool>("--stdout") { Description = "Prints the formatted text instead of writing it." };
        verb.Arguments.Add(files);
        verb.Options.Add(check);
        verb.Options.Add(stdout);
        verb.SetAction(parsed =>
        {
            var worst = ExitCode.Success;
            foreach (var path in parsed.GetValue(files)!)
                worst = Math.Max(worst, Format(path, parsed.GetValue(check), parsed.GetValue(stdout), io));
            return worst;
        });
        return verb;
    }

    private static int Format(string path, bool check, bool stdout, IoContext io)
    {
        var source = DiskSources.Read(path) ?? throw TroubleException.Failed($"cannot read '{path}'");
        var result = Formatter.Format(source);
        if (!result.Succeeded)
        {
            DiagnosticPrinter.Print(result.Diagnostics, _ => source, io);
            return ExitCode.Diagnostics;
        }

        if (stdout)
        {
            io.Out.Write(result.Text);
            return ExitCode.Success;
        }

        if (result.Text == source.Text) return ExitCode.Success;
        io.Out.WriteLine(check ? $"{path} is not formatted" : $"formatted {path}");
        if (check) return ExitCode.Diagnostics;
        AtomicFile.Write(path, result.Text);
        return ExitCode.Success;
    }
}
