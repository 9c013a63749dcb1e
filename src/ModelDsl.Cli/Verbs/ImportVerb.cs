using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Importing;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc import config.json</c>: a Hugging Face configuration as .dsm text.</summary>
internal static class ImportVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("import", "Turns the config.json of a DeepSeek-V2/V3 checkpoint into a .dsm file.");
        var file = new Argument<string>("CONFIG") { Description = "The config.json, or the folder that holds it." };
        var output = new Option<string?>("--output", "-o") { Description = "Where to write; standard output otherwise." };
        var name = new Option<string?>("--name") { Description = "Name of the model; otherwise made from the folder's name." };
        verb.Arguments.Add(file);
        verb.Options.Add(output);
        verb.Options.Add(name);
        verb.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            if (Directory.Exists(path)) path = Path.Combine(path, "config.json");
            var source = DiskSources.Read(path) ?? throw TroubleException.Failed($"cannot read '{path}'");
            var result = ConfigImporter.Import(source, parsed.GetValue(name) ?? NameFrom(path));
            DiagnosticPrinter.Print(result.Diagnostics, _ => result.Source, io);
            if (result.Text is null) return ExitCode.Diagnostics;
            if (parsed.GetValue(output) is { } target) AtomicFile.Write(target, result.Text);
            else io.Out.Write(result.Text);
            return ExitCode.Success;
        });
        return verb;
    }

    /// <summary><c>…/deepseek-v3/config.json</c> gives <c>DeepseekV3</c>; a folder called <c>checkpoint</c> says nothing, so the one above it counts.</summary>
    private static string NameFrom(string path)
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".");
        if (folder is { Name: "checkpoint", Parent: { } parent }) folder = parent;
        var words = folder.Name.Split(['-', '_', '.', ' '], StringSplitOptions.RemoveEmptyEntries);
        return string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
