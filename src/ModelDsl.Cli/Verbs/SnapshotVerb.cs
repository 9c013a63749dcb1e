using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Snapshots;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc snapshot FILE [--check]</c>: keeps the generated texts beside the model, so that a review shows what a change does to them.</summary>
internal static class SnapshotVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("snapshot", "Keeps every kernel and the host as a .verified file, to be committed and reviewed.");
        var (input, limits) = (new CompileInput(), new LimitOptions());
        var check = new Option<bool>("--check") { Description = "Writes nothing; exit code 1 and a diff where the files are not what the model gives." };
        var output = new Option<string?>("--output", "-o") { Description = "The folder of the snapshots; 'snapshots' beside FILE otherwise." };
        input.AddTo(verb);
        verb.Options.Add(check);
        verb.Options.Add(output);
        limits.AddTo(verb);
        verb.SetAction(parsed =>
        {
            if (input.Compile(parsed, io, model => limits.For(parsed, model)) is not { } plan) return ExitCode.Diagnostics;
            var path = parsed.GetValue(output) ?? Path.Combine(Path.GetDirectoryName(input.Program.Path(parsed)) ?? "", "snapshots");
            var folder = new SnapshotFolder(path);
            var now = Snapshot.Of(plan);
            var changes = folder.Compare(plan, now);
            if (changes.All.Count == 0)
            {
                io.Out.WriteLine($"{now.Count} snapshots of {plan.Model.Name} in {path} hold.");
                return ExitCode.Success;
            }

            var isCheck = parsed.GetValue(check);
            if (!isCheck) folder.Accept(changes);
            io.Out.Write(SnapshotReport.Write(changes, withDiff: isCheck));
            io.Out.WriteLine($"{plan.Model.Name} has {now.Count} snapshots in {path}: {changes.Summary}.");
            if (!isCheck) return ExitCode.Success;
            io.Error.WriteLine("dsmc: the snapshots do not hold; the same command without --check accepts what the model gives now");
            return ExitCode.Diagnostics;
        });
        return verb;
    }
}
