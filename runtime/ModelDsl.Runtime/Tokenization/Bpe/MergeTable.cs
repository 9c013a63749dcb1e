using System.Numerics;

namespace ModelDsl.Runtime.Tokenization.Bpe;

/// <summary>From a pair of ids to the rank of their merge and the id it makes: open addressing, one probe as a rule.</summary>
internal sealed class MergeTable
{
    private const ulong Free = ulong.MaxValue;

    private readonly (ulong Pair, int Rank, int Id)[] _slots;
    private readonly int _shift;

    public MergeTable(IReadOnlyCollection<(int Left, int Right, int Id)> merges)
    {
        var size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, merges.Count * 2));
        _slots = new (ulong, int, int)[size];
        _shift = 64 - BitOperations.Log2(size);
        Array.Fill(_slots, (Free, 0, 0));
        var rank = 0;
        foreach (var (left, right, id) in merges)
        {
            var pair = Pair(left, right);
            var at = Home(pair);
            while (_slots[at].Pair != Free && _slots[at].Pair != pair)
                at = (at + 1) & (_slots.Length - 1);
            _slots[at] = (pair, rank++, id);
        }
    }

    /// <summary>The rank of merging the two, or <see cref="int.MaxValue"/>.</summary>
    public int Rank(int left, int right, out int id)
    {
        var pair = Pair(left, right);
        for (var at = Home(pair); ; at = (at + 1) & (_slots.Length - 1))
        {
            ref var slot = ref _slots[at];
            if (slot.Pair == pair)
            {
                id = slot.Id;
                return slot.Rank;
            }

            if (slot.Pair == Free)
            {
                id = -1;
                return int.MaxValue;
            }
        }
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Home(ulong pair) => (int)((pair * 0x9E3779B97F4A7C15UL) >> _shift);
}
