using System.Text.RegularExpressions;

namespace ModelDsl.Ptx.Tests;

/// <summary>Short ways from a few lines of builder code to the instructions they become.</summary>
internal static partial class Emit
{
    /// <summary>The whole module's text.</summary>
    public static string Text(Action<KernelBuilder> write, PtxTarget? target = null) =>
        PtxKernel.Write(target ?? PtxTarget.Sm89, "k", write).ToText();

    /// <summary>The body's lines, single-spaced, without what reads parameters and special registers.</summary>
    public static string[] Lines(Action<KernelBuilder> write)
    {
        var text = Text(write);
        return
        [
            .. text[(text.IndexOf('{') + 1)..text.LastIndexOf('}')].Split('\n')
                .Select(line => Spaces().Replace(line.Trim(), " "))
                .Where(line => line.Length > 0 && !line.StartsWith('.') && !line.StartsWith("ld.param") && !line.StartsWith("cvta")),
        ];
    }

    /// <summary>Just the opcodes, in order, without the closing <c>ret</c>.</summary>
    public static string Opcodes(Action<KernelBuilder> write) =>
        string.Join(" ", Lines(write).SkipLast(1).Select(line => line.Split(' ')[line.StartsWith('@') ? 1 : 0].TrimEnd(';')));

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
