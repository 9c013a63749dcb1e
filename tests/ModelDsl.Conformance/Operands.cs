namespace ModelDsl.Conformance;

/// <summary>Inputs of an elementwise row: one column per source operand, all of one length.</summary>
public sealed record Operands(params ulong[][] Columns)
{
    public int Count => Columns[0].Length;

    /// <summary>Operand <paramref name="source"/> of case <paramref name="n"/>; 0 where there is no such operand.</summary>
    public ulong At(int source, int n) => source < Columns.Length ? Columns[source][n] : 0;

    public Operands Then(Operands more) => new([.. Columns.Zip(more.Columns, (a, b) => (ulong[])[.. a, .. b])]);

    /// <summary>Every combination of the values, each operand taking all of them.</summary>
    public static Operands Cross(IReadOnlyList<ulong> values, int sources) => Cross([.. Enumerable.Repeat(values, sources)]);

    /// <summary>Every combination of one value from each list.</summary>
    public static Operands Cross(params IReadOnlyList<ulong>[] lists)
    {
        var count = lists.Aggregate(1, (product, list) => product * list.Count);
        var columns = lists.Select(_ => new ulong[count]).ToArray();
        for (var n = 0; n < count; n++)
        {
            var rest = n;
            for (var source = 0; source < lists.Length; source++)
            {
                columns[source][n] = lists[source][rest % lists[source].Count];
                rest /= lists[source].Count;
            }
        }
        return new Operands(columns);
    }
}
