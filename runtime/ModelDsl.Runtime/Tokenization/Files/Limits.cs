namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>What a tokenizer file may ask for at most, so that a small hostile file cannot demand gigabytes.</summary>
internal static class Limits
{
    public const int LargestId = (1 << 22) - 1;

    public const int LongestEntry = 1 << 16;

    public const long LargestFile = 1L << 29;
}
