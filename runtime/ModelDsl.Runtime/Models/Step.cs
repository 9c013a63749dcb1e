namespace ModelDsl.Runtime.Models;

/// <summary>One step as the generated code sees it: its sizes, and the device addresses of what it is given and leaves.</summary>
/// <param name="Tokens">New tokens (prefill) or rows (decode).</param>
/// <param name="Context">Tokens attended to, the new ones included (prefill).</param>
/// <param name="LogitRows">Rows of logits: the last ones of the step.</param>
/// <param name="Splits">Parts into which the longest sequence is split (decode).</param>
/// <param name="MaxPages">Pages per row of the page table (decode).</param>
public readonly record struct Step(int Tokens, int Context, int LogitRows, int Splits, int MaxPages)
{
    /// <summary>Token ids, i32 [Tokens].</summary>
    public ulong Ids { get; init; }

    /// <summary>Position of each new token in its sequence, i32 [Tokens].</summary>
    public ulong Positions { get; init; }

    /// <summary>Cache row of each new token, i32 [Tokens].</summary>
    public ulong Slots { get; init; }

    /// <summary>Pages: i32 [ceil(Context / page)] (prefill) or i32 [Tokens, MaxPages] (decode).</summary>
    public ulong Pages { get; init; }

    /// <summary>Tokens of each sequence, the new one included, i32 [Tokens] (decode).</summary>
    public ulong Lengths { get; init; }

    /// <summary>Hidden state of the token before each new one, io [Tokens, hidden] (MTP).</summary>
    public ulong PreviousHidden { get; init; }

    /// <summary>Where the hidden states of the new tokens go, io [Tokens, hidden]; 0 where the model does not draft.</summary>
    public ulong Hidden { get; init; }

    /// <summary>A number in [0, 1) for each row of logits, f32 [LogitRows] (nucleus).</summary>
    public ulong Uniform { get; init; }

    /// <summary>f32 [LogitRows, vocabulary].</summary>
    public ulong Logits { get; init; }

    /// <summary>i32 [LogitRows].</summary>
    public ulong Sampled { get; init; }

    public float Temperature { get; init; }

    public float TopP { get; init; }

    /// <summary>Only ids below this may be sampled.</summary>
    public int Valid { get; init; }
}
