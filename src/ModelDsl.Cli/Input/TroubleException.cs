namespace ModelDsl.Cli.Input;

/// <summary>Ends a verb with a message and an exit code; the one place where it is caught is <see cref="DsmcCommand"/>.</summary>
public sealed class TroubleException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>The user asked for something that makes no sense.</summary>
    public static TroubleException Usage(string message) => new(Cli.ExitCode.Usage, message);

    /// <summary>A file or a device failed.</summary>
    public static TroubleException Failed(string message) => new(Cli.ExitCode.Trouble, message);
}
