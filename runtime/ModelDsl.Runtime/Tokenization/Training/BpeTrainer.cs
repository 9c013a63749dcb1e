using System.Runtime.InteropServices;
using System.Text;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization.Training;

/// <summary>
/// Learns a byte-level BPE vocabulary from text, cut as DeepSeek-V3 cuts it. The same texts give the same vocabulary: the most
/// frequent pair is merged first, and of equally frequent pairs the one with the smaller ids.
/// </summary>
public sealed class BpeTrainer
{
    /// <summary>The smallest vocabulary there can be: the control tokens, 256 bytes, the chat tokens.</summary>
    public static readonly int SmallestVocabulary = TokenizerRecipe.Special.Length + 256 + TokenizerRecipe.Added.Length;

    private readonly List<Word> _words = [];
    private readonly Dictionary<Pair, PairUse> _pairs = [];
    private readonly PriorityQueue<Pair, (long Count, Pair Pair)> _queue = new(Comparer<(long Count, Pair Pair)>.Create(
        (a, b) => a.Count != b.Count ? b.Count.CompareTo(a.Count) : a.Pair.CompareTo(b.Pair)));

    private BpeTrainer()
    {
    }

    /// <summary>
    /// Trains on <paramref name="texts"/> until there are <paramref name="vocabularySize"/> ids in all, added tokens included, or
    /// until no pair occurs twice.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is below <see cref="SmallestVocabulary"/>.</exception>
    public static TrainedTokenizer Train(IEnumerable<string> texts, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestVocabulary);
        var trainer = new BpeTrainer();
        trainer.CountWords(texts);
        return new TrainedTokenizer(trainer.Merge(vocabularySize - SmallestVocabulary));
    }

    private void CountWords(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>();
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        var steps = TokenizerRecipe.PreTokenizers();
        foreach (var text in texts)
            foreach (var piece in PreTokenizer.Run(steps, new Piece(text, 0, text.Length)))
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, piece.Span, out _)++;

        foreach (var (word, count) in counts)
        {
            var bytes = Encoding.UTF8.GetBytes(word);
            _words.Add(new Word(Array.ConvertAll(bytes, b => TrainedTokenizer.IdOf(b)), count));
            for (var i = 1; i < bytes.Length; i++)
                Count(_words.Count - 1, new Pair(_words[^1].Ids[i - 1], _words[^1].Ids[i]), count);
        }
    }

    private List<(int Left, int Right)> Merge(int count)
    {
        foreach (var (pair, use) in _pairs)
            _queue.Enqueue(pair, (use.Count, pair));

        var merges = new List<(int, int)>();
        while (merges.Count < count && _queue.TryDequeue(out var pair, out var priority))
        {
            var use = _pairs[pair];
            // The queue is not updated when a count falls; an old entry comes back with its true count.
            if (use.Count != priority.Count)
            {
                if (use.Count > 0)
                    _queue.Enqueue(pair, (use.Count, pair));
                continue;
            }

            if (use.Count < 2)
                break;
            var id = TrainedTokenizer.FirstMerge + merges.Count;
            merges.Add((pair.Left, pair.Right));
            Apply(pair, id, use);
        }

        return merges;
    }

    private void Apply(Pair pair, int id, PairUse use)
    {
        var grown = new HashSet<Pair>();
        foreach (var index in use.Words)
        {
            var word = _words[index];
            var ids = word.Ids;
            var kept = new List<int>(ids.Length);
            for (var i = 0; i < ids.Length; i++)
            {
                if (i + 1 == ids.Length || ids[i] != pair.Left || ids[i + 1] != pair.Right)
                {
                    kept.Add(ids[i]);
                    continue;
                }

                kept.Add(id);
                i++;
            }

            if (kept.Count == ids.Length)
                continue;
            for (var i = 1; i < ids.Length; i++)
                Count(index, new Pair(ids[i - 1], ids[i]), -word.Count);
            _words[index] = word with { Ids = [.. kept] };
            for (var i = 1; i < kept.Count; i++)
            {
                var neighbours = new Pair(kept[i - 1], kept[i]);
                Count(index, neighbours, word.Count);
                if (neighbours.Left == id || neighbours.Right == id)
                    grown.Add(neighbours);
            }
        }

        foreach (var neighbours in grown)
            _queue.Enqueue(neighbours, (_pairs[neighbours].Count, neighbours));
    }

    private void Count(int word, Pair pair, long count)
    {
        ref var use = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _);
        use ??= new PairUse();
        use.Count += count;
        if (count > 0)
            use.Words.Add(word);
    }

    private readonly record struct Word(int[] Ids, long Count);

    private readonly record struct Pair(int Left, int Right) : IComparable<Pair>
    {
        public int CompareTo(Pair other) => Left != other.Left ? Left.CompareTo(other.Left) : Right.CompareTo(other.Right);
    }

    /// <summary>How often a pair occurs, and the words it occurs (or once occurred) in.</summary>
    private sealed class PairUse
    {
        public long Count { get; set; }

        public HashSet<int> Words { get; } = [];
    }
}
