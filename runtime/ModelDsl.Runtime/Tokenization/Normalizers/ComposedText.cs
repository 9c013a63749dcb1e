using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.Normalizers;

/// <summary>
/// Recognises text that normalization form C leaves as it is, without normalizing: a sufficient condition, from Unicode's rule that
/// what is neither a mark, nor a trailing jamo, nor one of a closed list of characters, is composed already.
/// </summary>
internal static class ComposedText
{
    private static readonly Lazy<CodePointSet> Suspects = new(() => UnicodeSets.Property("M")!.Union(CodePointSet.FromRanges(
    [
        // Characters that form C replaces (NFC_QC = No); the list is closed by Unicode's stability policy.
        (0x374, 0x374), (0x37E, 0x37E), (0x387, 0x387), (0x958, 0x95F), (0x9DC, 0x9DF), (0xA33, 0xA33), (0xA36, 0xA36), (0xA59, 0xA5B),
        (0xA5E, 0xA5E), (0xB5C, 0xB5D), (0xF43, 0xF43), (0xF4D, 0xF4D), (0xF52, 0xF52), (0xF57, 0xF57), (0xF5C, 0xF5C), (0xF69, 0xF69),
        (0x1F71, 0x1F71), (0x1F73, 0x1F73), (0x1F75, 0x1F75), (0x1F77, 0x1F77), (0x1F79, 0x1F79), (0x1F7B, 0x1F7B), (0x1F7D, 0x1F7D),
        (0x1FBB, 0x1FBB), (0x1FBE, 0x1FBE), (0x1FC9, 0x1FC9), (0x1FCB, 0x1FCB), (0x1FD3, 0x1FD3), (0x1FDB, 0x1FDB), (0x1FE3, 0x1FE3),
        (0x1FEB, 0x1FEB), (0x1FEE, 0x1FEF), (0x1FF9, 0x1FF9), (0x1FFB, 0x1FFB), (0x1FFD, 0x1FFD), (0x2000, 0x2001), (0x2126, 0x2126),
        (0x212A, 0x212B), (0x2329, 0x232A), (0x2ADC, 0x2ADC), (0xF900, 0xFA0D), (0xFA10, 0xFA10), (0xFA12, 0xFA12), (0xFA15, 0xFA1E),
        (0xFA20, 0xFA20), (0xFA22, 0xFA22), (0xFA25, 0xFA26), (0xFA2A, 0xFAD9), (0xFB1D, 0xFB1F), (0xFB2A, 0xFB4E),
        (0x1D15E, 0x1D164), (0x1D1BB, 0x1D1C0), (0x2F800, 0x2FA1D),
        // Characters that compose with one before: trailing jamo, and the vowels of Kirat Rai.
        (0x1161, 0x1175), (0x11A8, 0x11C2), (0x16D63, 0x16D6A),
    ])));

    public static bool IsComposed(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var offset = text.AsSpan(at).IndexOfAnyExceptInRange('\0', '\u02FF');
            if (offset < 0)
                return true;
            at += offset;
            if (Suspects.Value.Contains(Utf16.CodePointAt(text, at, out var length)))
                return false;
            at += length;
        }

        return true;
    }
}
