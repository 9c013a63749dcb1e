namespace ModelDsl.Compiler.Diagnostics;

public enum Severity
{
    /// <summary>Worth knowing, nothing to do.</summary>
    Info,

    /// <summary>Compiles, but probably not what was meant, or dearer than it need be.</summary>
    Warning,

    /// <summary>Cannot be compiled.</summary>
    Error,
}
