using System.Diagnostics;

namespace ModelDsl.Ptx.Instructions;

/// <summary>Where in a kernel's C# an instruction was asked for.</summary>
/// <param name="File">From the root of the sources on.</param>
public sealed record SourceLine(string File, int Line)
{
    /// <summary>What builds write instead of the folder that they were made in.</summary>
    private const string Root = "/_/";

    /// <summary>The innermost caller outside of the builder; null where it came without its symbols.</summary>
    internal static SourceLine? OfCaller()
    {
        foreach (var frame in new StackTrace(fNeedFileInfo: true).GetFrames() ?? [])
            if (frame?.GetMethod()?.DeclaringType?.Assembly is { } assembly && assembly != typeof(SourceLine).Assembly)
                return frame.GetFileName() is { } file ? new SourceLine(Named(file.Replace('\\', '/')), frame.GetFileLineNumber()) : null;
        return null;
    }

    /// <summary>No folder of a machine gets into a kernel.</summary>
    private static string Named(string file) => file.StartsWith(Root, StringComparison.Ordinal) ? file.Substring(Root.Length) : file.Substring(file.LastIndexOf('/') + 1);
}
