using System.Text.Json;
using ModelDsl.Runtime.Tokenization.AddedTokens;
using ModelDsl.Runtime.Tokenization.Normalizers;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>tokenizer.json</c>; each section has its own reader.</summary>
internal static class TokenizerFileReader
{
    /// <exception cref="TokenizerException">The file is malformed or describes another kind of tokenizer.</exception>
    public static TokenizerFile Read(string path, ReadOnlySpan<byte> json)
    {
        var cursor = new JsonCursor(path, json);
        cursor.Advance();
        cursor.Expect(JsonTokenType.StartObject, "the file");
        IReadOnlyList<AddedToken> added = [];
        List<Normalizer> normalizers = [];
        List<PreTokenizer>? preTokenizers = null;
        (IReadOnlyList<int>? Prefix, IReadOnlyList<int>? Suffix) around = default;
        ModelSection? model = null;
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "added_tokens":
                    added = AddedTokensReader.Read(ref cursor);
                    break;
                case "normalizer":
                    normalizers = NormalizerReader.Read(ref cursor);
                    break;
                case "pre_tokenizer":
                    preTokenizers = PreTokenizerReader.Read(ref cursor);
                    break;
                case "post_processor":
                    around = PostProcessorReader.Read(ref cursor);
                    break;
                case "model":
                    model = ModelReader.Read(ref cursor);
                    break;
                default:
                    cursor.Skip();
                    break;
            }
        }

        if (model is null)
            throw new TokenizerException(path, "", "there is no \"model\"");
        if (preTokenizers?.Any(p => p is ByteLevelPreTokenizer) != true)
            throw new TokenizerException(
                path, "pre_tokenizer", "only byte-level tokenizers are supported: a pre-tokenizer of type ByteLevel is missing");
        return new TokenizerFile(path, added, normalizers, preTokenizers, around.Prefix, around.Suffix, model);
    }
}
