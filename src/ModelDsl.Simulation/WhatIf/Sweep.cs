using System.Collections.Immutable;

namespace ModelDsl.Simulation.WhatIf;

/// <summary>One value of a sweep, or one of each of several.</summary>
/// <param name="Values">As written, in order of the sweeps.</param>
/// <param name="Plan">Null: it is impossible.</param>
/// <param name="Problem">Why; null where there is a plan.</param>
public sealed record SweepPoint(ImmutableArray<string> Values, TrainingPlan? Plan, string? Problem);

/// <summary>What is varied: <c>parallel.pipeline=4,8,16</c>.</summary>
/// <param name="Path">As an override names it; within the run unless it begins with the name or kind of a declaration.</param>
public sealed record SweepAxis(string Path, ImmutableArray<string> Values)
{
    /// <summary>Commas within brackets belong to a value.</summary>
    /// <returns>Null: the text is not of that form.</returns>
    public static SweepAxis? TryParse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0) return null;
        var values = ImmutableArray.CreateBuilder<string>();
        var (depth, start) = (0, equals + 1);
        for (var i = start; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] is ('(' or '[')) depth++;
            if (i < text.Length && text[i] is (')' or ']')) depth--;
            if (i < text.Length && (text[i] != ',' || depth != 0)) continue;
            values.Add(text[start..i].Trim());
            start = i + 1;
        }
        return values.All(value => value.Length > 0) ? new SweepAxis(text[..equals].Trim(), values.ToImmutable()) : null;
    }

    /// <summary>One value of every axis, the last varied first.</summary>
    public static IEnumerable<ImmutableArray<string>> Combinations(IReadOnlyList<SweepAxis> axes) => axes.Aggregate(
        (IEnumerable<ImmutableArray<string>>)[[]], (points, axis) => points.SelectMany(point => axis.Values.Select(point.Add)));
}
