using ModelDsl.Runtime.Tokenization.AddedTokens;
using ModelDsl.Runtime.Tokenization.Normalizers;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>What a <c>tokenizer.json</c> says, read and checked.</summary>
internal sealed record TokenizerFile(
    string Path,
    IReadOnlyList<AddedToken> AddedTokens,
    IReadOnlyList<Normalizer> Normalizers,
    IReadOnlyList<PreTokenizer> PreTokenizers,
    IReadOnlyList<int>? Prefix,
    IReadOnlyList<int>? Suffix,
    ModelSection Model);

/// <summary>The <c>model</c> of a <c>tokenizer.json</c>.</summary>
/// <param name="Vocabulary">Entries to ids.</param>
/// <param name="Merges">Ids of the left part, the right part and the result, in order of rank.</param>
/// <param name="UnknownId">The id of <c>unk_token</c>, if there is one.</param>
/// <param name="IgnoreMerges">Whether a piece that is an entry as a whole is taken without merging.</param>
internal sealed record ModelSection(
    Dictionary<string, int> Vocabulary, IReadOnlyCollection<(int Left, int Right, int Id)> Merges, int? UnknownId, bool IgnoreMerges);
