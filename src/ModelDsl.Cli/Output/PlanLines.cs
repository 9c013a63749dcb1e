using System.Globalization;
using System.Text;

namespace ModelDsl.Cli.Output;

/// <summary>Lines of a report, in the invariant culture.</summary>
internal sealed class PlanLines
{
    private readonly StringBuilder _text = new();

    public void Add(FormattableString line) => _text.Append(line.ToString(CultureInfo.InvariantCulture).TrimEnd()).Append('\n');

    /// <summary>A line with a name in front.</summary>
    public void Add(string name, FormattableString line) => Add($"  {name,-17} {line.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>Lines that are written elsewhere.</summary>
    public void Add(Action<StringBuilder> write) => write(_text);

    public override string ToString() => _text.ToString().TrimEnd();

    public static string Gigabytes(double bytes) => (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " GB";

    /// <summary><c>deferred_weight_gradients</c> as words.</summary>
    public static string Words(string name) => name.Replace('_', ' ');
}
