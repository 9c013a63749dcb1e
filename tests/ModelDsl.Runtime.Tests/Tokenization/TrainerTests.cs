using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.Tokenization.Training;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>Training vocabularies, and the one the tiny sample comes with.</summary>
public sealed class TrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("modeldsl-trainer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Merges_follow_frequency_and_ties_the_smaller_ids()
    {
        // Words: low ×5, lower ×2, newest ×6, widest ×3 (the textbook corpus), each after a line break so that no space is part.
        var text = string.Concat(
            Enumerable.Repeat("low\n", 5).Concat(Enumerable.Repeat("lower\n", 2)).Concat(Enumerable.Repeat("newest\n", 6)).Concat(Enumerable.Repeat("widest\n", 3)));
        var trained = BpeTrainer.Train([text], BpeTrainer.SmallestVocabulary + 8);
        trained.Save(_folder);
        var tokenizer = Tokenizer.Load(_folder);
        var merges = trained.Merges.Select(m => $"{tokenizer.PieceOf(m.Left)} {tokenizer.PieceOf(m.Right)}");
        // es 9, st 9 (then in est), lo 7, low 7, ew/ne/we 6 …; ids grow with the character, so "es" comes before "st".
        Assert.Equal(["e s", "es t", "l o", "lo w", "e w", "n ew", "new est", "d est"], merges);
    }

    [Fact]
    public void The_saved_files_load_and_any_text_comes_back()
    {
        BpeTrainer.Train(["the cat sat on the mat, the cat sat on the mat"], 280).Save(_folder);
        var tokenizer = Tokenizer.Load(_folder);
        Assert.Equal((0, 1, 2), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId));
        Assert.Equal(tokenizer.VocabularySize - 2, tokenizer.IdOf("<｜User｜>"));
        Assert.Equal([0, tokenizer.IdOf("<｜Assistant｜>")!.Value], tokenizer.Encode("<｜Assistant｜>", addSpecialTokens: true));
        foreach (var text in new[] { "the cat", "日本語 🌍 ünïcode\r\n\t x", "", "123 4567", "\0\u0001\uFFFF" })
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void Training_stops_when_no_pair_is_left_twice()
    {
        var trained = BpeTrainer.Train(["abab"], 1000);
        // "abab": ab twice, then the merged pair only once.
        Assert.Equal([(TrainedTokenizer.FirstMerge + 'a' - '!' - 256, TrainedTokenizer.FirstMerge + 'b' - '!' - 256)], trained.Merges);
        Assert.Equal(BpeTrainer.SmallestVocabulary + 1, trained.VocabularySize);
    }

    [Fact]
    public void A_vocabulary_without_room_for_the_bytes_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BpeTrainer.Train(["x"], BpeTrainer.SmallestVocabulary - 1));

    [SharedFact]
    public void The_sample_tokenizer_is_what_training_on_Shakespeare_gives()
    {
        BpeTrainer.Train([File.ReadAllText(Repository.SharedPath("data", "tinyshakespeare.txt"))], 512).Save(_folder);
        foreach (var file in new[] { "tokenizer.json", "tokenizer_config.json" })
            Assert.Equal(
                File.ReadAllText(Repository.PathTo("samples", "tiny-v3", "checkpoint", file)),
                File.ReadAllText(Path.Combine(_folder, file)));
    }
}
