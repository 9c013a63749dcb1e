using System.Numerics;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>Clocks of the threads of one or more blocks, told by one thread to another. Never changes.</summary>
internal sealed class Knowledge
{
    private readonly Dictionary<long, (int[] Clock, bool IsBlockScope)> _blocks;

    public Knowledge(long block, int[] clock, bool isBlockScope) => _blocks = new() { [block] = (clock, isBlockScope) };

    private Knowledge(Dictionary<long, (int[] Clock, bool IsBlockScope)> blocks) => _blocks = blocks;

    public int[]? Find(long block) => _blocks.TryGetValue(block, out var known) ? known.Clock : null;

    /// <summary>All of it but one block.</summary>
    public Knowledge? Without(long block)
    {
        if (!_blocks.ContainsKey(block)) return this;
        if (_blocks.Count == 1) return null;
        var rest = new Dictionary<long, (int[], bool)>(_blocks);
        rest.Remove(block);
        return new Knowledge(rest);
    }

    /// <summary>What reaches a thread of this block: told at block scope it stays in its block.</summary>
    public Knowledge? Reaching(long block)
    {
        bool all = true;
        foreach (var (other, known) in _blocks) all &= other == block || !known.IsBlockScope;
        if (all) return this;
        var rest = new Dictionary<long, (int[], bool)>();
        foreach (var (other, known) in _blocks)
            if (other == block || !known.IsBlockScope) rest.Add(other, known);
        return rest.Count == 0 ? null : new Knowledge(rest);
    }

    public static Knowledge? Join(Knowledge? a, Knowledge? b)
    {
        if (a == null || ReferenceEquals(a, b)) return b ?? a;
        if (b == null) return a;
        var joined = new Dictionary<long, (int[] Clock, bool IsBlockScope)>(a._blocks);
        foreach (var (block, known) in b._blocks)
        {
            if (!joined.TryGetValue(block, out var other))
            {
                joined.Add(block, known);
                continue;
            }
            int[] clock = (int[])other.Clock.Clone();
            Raise(clock, known.Clock);
            joined[block] = (clock, other.IsBlockScope && known.IsBlockScope);
        }
        return new Knowledge(joined);
    }

    /// <summary>Takes the later of two clocks, thread by thread.</summary>
    public static void Raise(int[] clock, int[] other)
    {
        int k = 0;
        for (; k <= clock.Length - Vector<int>.Count; k += Vector<int>.Count)
            Vector.Max(new Vector<int>(clock, k), new Vector<int>(other, k)).CopyTo(clock, k);
        for (; k < clock.Length; k++) clock[k] = Math.Max(clock[k], other[k]);
    }
}
