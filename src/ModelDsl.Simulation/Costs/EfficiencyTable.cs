using System.Collections.Immutable;

namespace ModelDsl.Simulation.Costs;

/// <summary>What kinds of work were measured to reach.</summary>
/// <param name="Class">The kind of work.</param>
/// <param name="N">Columns of the product that was measured; 0: holds for every shape.</param>
/// <param name="K">Length of its sums; 0: holds for every shape.</param>
/// <param name="Value">
/// Fraction of the peak of the multiprocessors that compute, of the memory's bandwidth, or of the link's: whichever limits the class.
/// Seconds for <see cref="WorkClass.ExchangeNotice"/>.
/// </param>
/// <param name="Source">Where that was measured.</param>
public sealed record EfficiencyRow(WorkClass Class, int N, int K, double Value, string Source);

/// <summary>Efficiencies by kind of work and shape.</summary>
public sealed class EfficiencyTable
{
    private readonly ImmutableArray<EfficiencyRow>[] _byClass;

    public EfficiencyTable(ImmutableArray<EfficiencyRow> rows)
    {
        Rows = rows;
        _byClass = [.. Enum.GetValues<WorkClass>().Select(kind => rows.Where(row => row.Class == kind).ToImmutableArray())];
    }

    public ImmutableArray<EfficiencyRow> Rows { get; }

    public static EfficiencyTable BuiltIn { get; } = new(MeasuredEfficiencies.Rows);

    /// <summary>The row whose shape is nearest, by ratio.</summary>
    public EfficiencyRow Of(WorkClass kind, int n = 0, int k = 0)
    {
        var rows = _byClass[(int)kind];
        if (rows.Length == 1) return rows[0];
        var best = rows[0];
        var least = double.MaxValue;
        foreach (var row in rows)
        {
            var distance = row.N == 0 ? double.MaxValue / 2 : Math.Abs(Math.Log((double)n / row.N)) + Math.Abs(Math.Log((double)k / row.K));
            if (distance < least) (best, least) = (row, distance);
        }
        return best;
    }

    /// <summary>The table with the measured rows instead of its own of the same classes.</summary>
    public EfficiencyTable With(ImmutableArray<EfficiencyRow> measured) => new(
        [.. Rows.Where(row => measured.All(other => other.Class != row.Class)), .. measured]);
}
