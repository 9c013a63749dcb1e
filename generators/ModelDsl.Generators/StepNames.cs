namespace ModelDsl.Generators;

/// <summary>Names of the generator's steps; tests look up by them what was computed again and what was not.</summary>
public static class StepNames
{
    /// <summary>A file's path, text and options.</summary>
    public const string Source = "Source";

    /// <summary>All files, for <c>use</c>.</summary>
    public const string Sources = "Sources";

    /// <summary>What a file came to: messages and plans.</summary>
    public const string Compiled = "Compiled";

    /// <summary>What all files came to.</summary>
    public const string Project = "Project";

    /// <summary>Messages of all files, each once.</summary>
    public const string Diagnostics = "Diagnostics";

    /// <summary>The plans of all models.</summary>
    public const string Models = "Models";

    /// <summary>A model's class.</summary>
    public const string Surface = "Surface";

    /// <summary>The kernels of all models, not written yet.</summary>
    public const string KernelRequests = "KernelRequests";

    /// <summary>A kernel's PTX.</summary>
    public const string Kernels = "Kernels";
}
