using System.CommandLine;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Cli.Input;

/// <summary>The .dsm file of a verb and what applies to it: <c>FILE --set path=value --model NAME</c>.</summary>
/// <param name="asksForMemory">
/// What does not fit is what the verb wants to know, and by how much: a warning, and no reason to stop.
/// </param>
public sealed class ProgramInput(bool asksForMemory = false)
{
    private readonly Argument<string> _file = new("FILE") { Description = "The .dsm file." };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Overrides a parameter or an attribute: --set x=9, --set model.attention.heads=64. May be repeated.",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _model = new("--model") { Description = "Which model, where a file declares several." };

    /// <summary>Adds the argument and the options to a verb.</summary>
    public void AddTo(Command verb)
    {
        verb.Arguments.Add(_file);
        verb.Options.Add(_set);
        verb.Options.Add(_model);
    }

    /// <summary>The file as it was named.</summary>
    public string Path(ParseResult parsed) => parsed.GetValue(_file)!;

    /// <summary>Reads and binds the file. Diagnostics are in the result, not printed.</summary>
    /// <param name="more">Overrides after those of the command line.</param>
    /// <exception cref="TroubleException">The file cannot be read.</exception>
    public BoundProgram Read(ParseResult parsed, params IEnumerable<string> more)
    {
        var path = parsed.GetValue(_file)!;
        var text = DiskSources.Read(path) ?? throw TroubleException.Failed($"cannot read '{path}'");
        var options = new BindOptions([.. parsed.GetValue(_set)!, .. more], parsed.GetValue(_model), new DiskSources(path));
        var program = FrontEnd.Bind(text, options);
        return asksForMemory ? program with { Diagnostics = [.. program.Diagnostics.Select(Milder)] } : program;
    }

    private static Diagnostic Milder(Diagnostic diagnostic) =>
        diagnostic.Code is DiagnosticCode.TrainMemory or DiagnosticCode.ServeMemory ? diagnostic with { Severity = Severity.Warning } : diagnostic;

    /// <summary>Reads, binds, prints what is wrong.</summary>
    /// <returns>The program, or null if it has errors.</returns>
    public BoundProgram? ReadAndReport(ParseResult parsed, IoContext io)
    {
        var program = Read(parsed);
        Report(program, io);
        return program.HasErrors ? null : program;
    }

    /// <summary>The model that is meant: the one named, else the only one.</summary>
    public ModelSpec Model(ParseResult parsed, BoundProgram program)
    {
        var names = string.Join(", ", program.Models.Select(model => model.Name));
        if (parsed.GetValue(_model) is { } name)
            return program.Model(name) ?? throw TroubleException.Usage($"there is no model '{name}'; declared are: {names}");
        return program.Models.Length switch
        {
            0 => throw TroubleException.Usage($"'{parsed.GetValue(_file)}' declares no model"),
            1 => program.Models[0],
            _ => throw TroubleException.Usage($"several models are declared ({names}): say which with --model"),
        };
    }

    public static void Report(BoundProgram program, IoContext io) => DiagnosticPrinter.Print(program.Diagnostics, program.Source, io);
}
