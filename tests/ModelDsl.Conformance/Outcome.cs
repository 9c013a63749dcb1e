using System.Globalization;
using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance;

/// <summary>How a device did on a row.</summary>
/// <param name="Cases">Cells compared.</param>
/// <param name="Wrong">Cells that are not as expected.</param>
/// <param name="Worst">Largest error as a part of its bound, over the cells within it.</param>
/// <param name="Complaint">The first wrong cell, or why the row did not run.</param>
public sealed record Outcome(int Cases, int Wrong, double Worst, string? Complaint)
{
    public bool Passed => Wrong == 0 && Complaint is null;

    public static Outcome Of(Case data, ReadOnlySpan<byte> output)
    {
        var (wrong, worst, complaint) = (0, 0.0, (string?)null);
        for (var n = 0; n < data.Expected.Length; n++)
        {
            var actual = Cell(output, data.Width, n);
            var error = data.Expected[n].Error(actual, data.Format);
            if (!double.IsPositiveInfinity(error))
            {
                worst = Math.Max(worst, error);
                continue;
            }
            wrong++;
            complaint ??= $"cell {n}{(data.Describe is { } describe ? $", {describe(n)}" : "")}: "
                + $"expected {data.Expected[n].Text(data.Width)}, got {Bits.Hex(actual, data.Width)}";
        }
        return new Outcome(data.Expected.Length, wrong, worst, complaint);
    }

    /// <summary>Cells that two devices filled differently.</summary>
    public static int Differences(Case data, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var count = 0;
        for (var n = 0; n < data.Expected.Length; n++)
            if (Cell(a, data.Width, n) != Cell(b, data.Width, n)) count++;
        return count;
    }

    /// <summary>For the table.</summary>
    public string Text(string bound)
    {
        if (Complaint is not null) return Wrong == 0 ? Complaint : $"{Wrong} wrong; {Complaint}";
        return bound.Length == 0 ? "exact" : $"worst error {Worst.ToString("P0", CultureInfo.InvariantCulture)} of {bound}";
    }

    private static ulong Cell(ReadOnlySpan<byte> bytes, int width, int n)
    {
        ulong value = 0;
        for (var b = width - 1; b >= 0; b--) value = (value << 8) | bytes[n * width + b];
        return value;
    }
}
