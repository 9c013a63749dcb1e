using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc check FILE</c>: diagnostics only.</summary>
internal static class CheckVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("check", "Reports what is wrong with a .dsm file, all of it at once.");
        var input = new ProgramInput();
        var format = new Option<string>("--format") { Description = "text, json or sarif.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json", "sarif");
        input.AddTo(verb);
        verb.Options.Add(format);
        verb.SetAction(parsed =>
        {
            var program = input.Read(parsed);
            switch (parsed.GetValue(format))
            {
                case "json":
                    io.Out.WriteLine(DiagnosticJson.Render(program.Diagnostics, program.Source));
                    break;
                case "sarif":
                    io.Out.WriteLine(DiagnosticSarif.Render(program.Diagnostics, program.Source));
                    break;
                default:
                    ProgramInput.Report(program, io);
                    io.Out.WriteLine(Summary(program.Diagnostics.Count(d => d.IsError), program.Diagnostics.Count(d => d.Severity == Severity.Warning)));
                    break;
            }

            return program.HasErrors ? ExitCode.Diagnostics : ExitCode.Success;
        });
        return verb;
    }

    private static string Summary(int errors, int warnings) => (errors, warnings) switch
    {
        (0, 0) => "No errors.",
        (0, _) => $"No errors, {Count(warnings, "warning")}.",
        (_, 0) => $"{Count(errors, "error")}.",
        _ => $"{Count(errors, "error")}, {Count(warnings, "warning")}.",
    };

    private static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";
}
