namespace ModelDsl.Runtime.Tokenization.Bpe;

/// <summary>A text holds a byte the vocabulary has no entry for; callers add the file.</summary>
internal sealed class MissingByteException(byte value)
    : Exception($"the vocabulary has no entry for byte 0x{value:X2} ('{ByteAlphabet.SymbolOf(value)}') and no unk_token, so this text cannot be encoded");
