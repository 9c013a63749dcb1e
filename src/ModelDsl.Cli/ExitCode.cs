namespace ModelDsl.Cli;

/// <summary>What the process tells its caller. Scripts rely on these numbers.</summary>
public static class ExitCode
{
    public const int Success = 0;

    /// <summary>The .dsm text has errors; they were printed.</summary>
    public const int Diagnostics = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>A device or a file failed.</summary>
    public const int Trouble = 3;

    /// <summary>The virtual GPU has found mistakes in a kernel; they were printed.</summary>
    public const int Findings = 4;
}
