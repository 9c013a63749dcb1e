using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.Tokenization;

/// <summary>Code points of UTF-16 text. A lone surrogate reads as U+FFFD, which is also what it becomes in UTF-8.</summary>
internal static class Utf16
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodePointAt(ReadOnlySpan<char> text, int index, out int length)
    {
        var c = text[index];
        length = 1;
        return char.IsSurrogate(c) ? Surrogate(text, index, out length) : c;
    }

    /// <summary>How many units the code point that ends before <paramref name="end"/> has.</summary>
    public static int LengthBefore(ReadOnlySpan<char> text, int end) =>
        end >= 2 && char.IsLowSurrogate(text[end - 1]) && char.IsHighSurrogate(text[end - 2]) ? 2 : 1;

    private static int Surrogate(ReadOnlySpan<char> text, int index, out int length)
    {
        if (char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return char.ConvertToUtf32(text[index], text[index + 1]);
        }

        length = 1;
        return 0xFFFD;
    }
}
