namespace ModelDsl.Cli.Tests;

/// <summary>The whole tool in process.</summary>
internal sealed record Dsmc(int ExitCode, string Out, string Error)
{
    public static Dsmc Run(params string[] arguments) => RunOn("", arguments);

    public static Dsmc RunOn(string input, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = DsmcCommand.Run(arguments, new IoContext(new StringReader(input), output, error, IsTerminal: false));
        return new Dsmc(exitCode, output.ToString(), error.ToString());
    }
}
