using System.Text;

namespace ModelDsl.Simulation.Costs;

/// <summary>Classes of work as files and reports write them: <c>fp8_grouped_gemm</c>.</summary>
public static class WorkClassNames
{
    private static readonly string[] Names = [.. Enum.GetNames<WorkClass>().Select(Snake)];

    public static IReadOnlyList<string> All => Names;

    public static string Text(this WorkClass kind) => Names[(int)kind];

    public static bool TryParse(string text, out WorkClass kind)
    {
        var index = Array.IndexOf(Names, text);
        kind = (WorkClass)Math.Max(0, index);
        return index >= 0;
    }

    private static string Snake(string name)
    {
        var text = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(letter));
        }
        return text.ToString();
    }
}
