using ModelDsl.Runtime.Checkpoints;
using Spectre.Console;

namespace ModelDsl.Cli.Output;

/// <summary>A bar while weights are loaded, on a terminal only; a pipe stays quiet.</summary>
internal static class LoadingProgress
{
    public static T Watch<T>(IoContext io, Func<IProgress<LoadProgress>?, T> load)
    {
        if (!io.IsTerminal) return load(null);
        var bar = Terminal.On(io.Error).Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn());
        return bar.Start(context => load(new Bar(context.AddTask("weights"))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => task.MaxValue(value.BytesTotal).Value(value.BytesDone);
    }
}
