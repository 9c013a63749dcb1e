using Spectre.Console;

namespace ModelDsl.Cli.Output;

/// <summary>Spectre.Console on the tool's own streams.</summary>
internal static class Terminal
{
    public static IAnsiConsole On(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = Math.Max(console.Profile.Width, 200);
        return console;
    }
}
