using System.Collections.Immutable;

namespace ModelDsl.Simulation.Serving;

/// <summary>A figure that no file gives and everything rests on.</summary>
/// <param name="Source">Who says so; "assumed" where nobody does.</param>
public sealed record Assumption(string Name, double Value, string Unit, string Source);

/// <summary>What hardware reaches of its data sheet, and other figures of a serving plan.</summary>
public static class ServingAssumptions
{
    /// <summary>Of the memory's rate.</summary>
    public const double MemoryEfficiency = 0.9;

    /// <summary>Of the tensor cores' FP8 or BF16 rate, in linear layers.</summary>
    public const double GemmEfficiency = 0.6;

    /// <summary>Of the tensor cores' BF16 rate, in the core of attention.</summary>
    public const double AttentionEfficiency = 0.56;

    /// <summary>Of an adapter's rate.</summary>
    public const double NicEfficiency = 0.8;

    /// <summary>Of the memory, for activations, buffers and the runtime.</summary>
    public const double Reserve = 0.1;

    public static ImmutableArray<Assumption> All(ServingOptions options) =>
    [
        new("memory efficiency", MemoryEfficiency, "of peak", "FlashMLA's notes: 3000 of 3350 GB/s on an H800 when memory bound"),
        new("linear layers", GemmEfficiency, "of peak", "DeepSeek's training trace: grouped FP8 products reach 1007 TFLOP/s on 112 multiprocessors, 60 % of their peak"),
        new("attention core", AttentionEfficiency, "of peak", "DeepSeek's training trace: 556 TFLOP/s of 989 in the forward pass"),
        new("network adapter", NicEfficiency, "of peak", "ISCA 2025, section 4.3: 40 of 50 GB/s effective"),
        new("memory kept free", Reserve, "of the GPU", "assumed: activations, buffers, runtime"),
        new("cached tokens of a request", options.Context, "tokens", "DeepSeek's inference overview: 4,989 on average over a day"),
        new("prompt", options.Prompt, "tokens", "DeepSeek's profile data: prompts of 4K"),
        new("drafts accepted", options.Acceptance, "of drafts", "V3 report, section 5.4.3: 85 to 90 %"),
        new("time per token", options.TokenSeconds, "s at most", "DeepSeek's inference overview: users see 20 to 22 tokens/s"),
        new("tokens of a micro-batch in the bound", options.BoundTokens, "tokens", "ISCA 2025, section 2.3.2"),
    ];
}
