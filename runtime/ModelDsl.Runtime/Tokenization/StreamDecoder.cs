using System.Buffers;
using System.Text;

namespace ModelDsl.Runtime.Tokenization;

/// <summary>
/// Decodes ids as they come, for text shown while it is generated: a character whose bytes are not all there is held back, so
/// the parts joined are what <see cref="Tokenizer.Decode"/> gives for all ids at once.
/// </summary>
public sealed class StreamDecoder(Tokenizer tokenizer, bool skipSpecial = false)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that <paramref name="id"/> completes; empty while a character is incomplete.</summary>
    public string Push(int id) => skipSpecial && tokenizer.IsSpecial(id) ? "" : Convert(tokenizer.BytesOf(id), flush: false);

    /// <summary>Ends the stream: what was held back can no longer be completed and becomes U+FFFD. Ready for a new stream.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var chars = ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(bytes.Length + 4));
        var count = _decoder.GetChars(bytes, chars, flush);
        var text = new string(chars, 0, count);
        ArrayPool<char>.Shared.Return(chars);
        return text;
    }
}
